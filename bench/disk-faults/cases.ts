/** Every kind of file that a node keeps. */
export const FILES = {
  'newest-segment': 'the segment of the log that is written',
  'older-segment': 'a segment before it',
  'spare-segment': 'the segment that is made ahead, or the next one',
  marker: 'the durable-end marker',
  obligation: 'the note of what a node with a damaged log owes',
  current: 'CURRENT of the group, which names the state directory',
  identity: 'HOLDFAST.json',
  table: 'a table of LevelDB',
  'level-log': "LevelDB's own log",
  manifest: "LevelDB's MANIFEST",
  'level-current': "LevelDB's CURRENT",
  lock: 'the lock of the data directory',
  trail: 'the applied trail',
} as const
export type FileKind = keyof typeof FILES

/** What becomes of the file; `eio-*` and `enospc` are answers of the system to the node's calls on it. */
export const DAMAGES = {
  flip: 'a bit turns',
  zero: 'a page is zeroed',
  truncate: 'it is cut to a third',
  'eio-read': 'reading it fails (EIO), at the start',
  'eio-write': 'writing or syncing it fails (EIO)',
  enospc: 'there is no room to write it (ENOSPC)',
} as const
export type Damage = keyof typeof DAMAGES

/**
 * What a node does: goes on and says nothing; repairs itself from the others and says so; refuses to start, or stops with exit
 * code 74 while it runs, with that code.
 */
export type Outcome = 'serves' | 'repairs' | `refuses ${string}` | `stops ${string}` | `${string} or ${string}`

/** One fault, and what is to come of it. */
export interface Case {
  readonly file: FileKind
  readonly damage: Damage
  readonly nodes: 1 | 3
  readonly outcome: Outcome
}

type Row = { readonly [damage in Damage]: Outcome | readonly [ofThree: Outcome, alone: Outcome] }

const BENIGN = { flip: 'serves', zero: 'serves', truncate: 'serves' } as const
const ROT = ['repairs', 'refuses LOG_ROT'] as const
const STATE = ['repairs', 'refuses SNAPSHOT_ROT'] as const
const UNREADABLE = 'refuses IO_ERROR'

/** Where both are alike there is one outcome, else that of one node of three, and that of a single node. */
const ROWS: { readonly [file in FileKind]: Row } = {
  'newest-segment': {
    flip: ROT,
    zero: ROT,
    truncate: ROT,
    'eio-read': UNREADABLE,
    'eio-write': 'stops IO_ERROR',
    enospc: 'stops DISK_FULL',
  },
  'older-segment': {
    flip: ROT,
    zero: ROT,
    truncate: ROT,
    'eio-read': UNREADABLE,
    'eio-write': 'serves',
    enospc: 'serves',
  },
  'spare-segment': {
    ...BENIGN,
    // Nobody can tell that there was no header yet.
    flip: ROT,
    'eio-read': UNREADABLE,
    'eio-write': 'stops IO_ERROR',
    // Where it is not made yet, a leader waits for room; where it is, or a follower needs it, it is a fault.
    enospc: 'serves or stops DISK_FULL',
  },
  // It is there twice, a page apart: what is left of it is enough, and what lies above it is copied.
  marker: {
    ...BENIGN,
    'eio-read': UNREADABLE,
    'eio-write': 'stops IO_ERROR',
    enospc: 'stops DISK_FULL',
  },
  obligation: {
    flip: 'repairs',
    zero: 'repairs',
    truncate: 'repairs',
    'eio-read': UNREADABLE,
    'eio-write': UNREADABLE,
    enospc: 'refuses DISK_FULL',
  },
  current: {
    flip: STATE,
    zero: STATE,
    truncate: STATE,
    'eio-read': UNREADABLE,
    'eio-write': 'serves',
    enospc: 'serves',
  },
  identity: {
    flip: UNREADABLE,
    zero: UNREADABLE,
    truncate: UNREADABLE,
    'eio-read': UNREADABLE,
    'eio-write': 'serves',
    enospc: 'serves',
  },
  // It holds what was deleted since as well, which nobody reads any more.
  table: {
    flip: ['serves or repairs', 'serves or refuses SNAPSHOT_ROT'],
    zero: STATE,
    truncate: STATE,
    'eio-read': UNREADABLE,
    'eio-write': UNREADABLE,
    enospc: 'refuses DISK_FULL',
  },
  // Its last write was perhaps never answered; without it the snapshot is the one before, and the log goes on from there.
  'level-log': {
    flip: ['serves or repairs', 'serves or refuses SNAPSHOT_ROT'],
    zero: ['serves or repairs', 'serves or refuses SNAPSHOT_ROT'],
    truncate: ['serves or repairs', 'serves or refuses LOG_ROT'],
    'eio-read': UNREADABLE,
    'eio-write': 'stops IO_ERROR',
    enospc: 'stops DISK_FULL',
  },
  manifest: {
    flip: STATE,
    zero: STATE,
    truncate: STATE,
    'eio-read': UNREADABLE,
    'eio-write': UNREADABLE,
    enospc: 'refuses DISK_FULL',
  },
  'level-current': {
    flip: STATE,
    zero: STATE,
    truncate: STATE,
    'eio-read': UNREADABLE,
    'eio-write': UNREADABLE,
    enospc: 'refuses DISK_FULL',
  },
  // A start writes a file of its own, by another name each time, and links the lock to it.
  lock: {
    ...BENIGN,
    'eio-read': UNREADABLE,
    'eio-write': 'serves',
    enospc: 'serves',
  },
  trail: {
    ...BENIGN,
    'eio-read': UNREADABLE,
    'eio-write': 'stops IO_ERROR',
    enospc: 'stops DISK_FULL',
  },
}

/** Each is made by the next start of the node, not of one that runs: only then are such files written. */
export const WRITTEN_AT_START: ReadonlySet<FileKind> = new Set([
  'older-segment',
  'obligation',
  'current',
  'identity',
  'table',
  'manifest',
  'level-current',
  'lock',
])

/** All of them. A single node never has a note of an obligation: nobody could tell it what it owes. */
export const CASES: readonly Case[] = ([3, 1] as const).flatMap((nodes) =>
  (Object.keys(FILES) as FileKind[]).flatMap((file) =>
    nodes === 1 && file === 'obligation'
      ? []
      : (Object.keys(DAMAGES) as Damage[]).map(
          (damage): Case => ({ file, damage, nodes, outcome: outcomeOf(ROWS[file][damage], nodes) }),
        ),
  ),
)

/** Whether that is what is written down. */
export function isAsWritten({ outcome }: Case, seen: Outcome | null): boolean {
  return seen !== null && outcome.split(' or ').includes(seen)
}

export function nameOf({ file, damage, nodes }: Case): string {
  return `${file}/${damage}/${nodes === 3 ? 'of-three' : 'alone'}`
}

function outcomeOf(row: Row[Damage], nodes: 1 | 3): Outcome {
  if (typeof row === 'string') return row
  return nodes === 3 ? row[0] : row[1]
}
