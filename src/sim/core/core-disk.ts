import {
  type LogIndex,
  logIndex,
  type NodeId,
  type Term,
  term,
  type WriteNumber,
  writeNumber,
} from '../../base/brand.ts'
import type { TermRun } from '../../base/term-run.ts'
import type { HardState, Obligation, Restored } from '../../raft/index.ts'
import { configurationsAfter, type CoreEntry, entriesUpTo } from './core-entry.ts'

/** A log write that was issued and has not completed. */
export interface PendingWrite {
  readonly write: WriteNumber
  readonly hardState: HardState | null
  /** Entries at and above it go first; null: none do. */
  readonly truncateFrom: LogIndex | null
  readonly entries: readonly CoreEntry[]
  /** The log is given up, and goes on behind this entry; null: it is not. */
  readonly restart: CoreEntry | null
}

/** What one node has on disk, over its processes: completed writes, in their order, and what a crash may leave of others. */
export class CoreDisk {
  currentTerm: Term = term(0)
  votedFor: NodeId | null = null
  /** Entries of the log, the first one at 0; those up to `base` stand for the snapshot that covers them. */
  entries: CoreEntry[] = []
  /** The log begins behind it. */
  base: LogIndex = logIndex(0)
  /** Last entry of the newest snapshot that was installed. */
  snapshot: CoreEntry | null = null
  /** Noted beside the log: it was damaged. */
  owes: Obligation | null = null
  /** Writes under way, in order. */
  queue: PendingWrite[] = []
  private lastWrite: WriteNumber = writeNumber(0)

  /** The oldest write is done; undefined: there is none. */
  complete(): PendingWrite | undefined {
    const next = this.queue.shift()
    if (next !== undefined) this.apply(next)
    return next
  }

  /** Whether that entry is on the disk, in the log or covered by a snapshot. */
  holds(entry: CoreEntry): boolean {
    return this.entries[entry.index - 1] === entry || (this.snapshot !== null && this.snapshot.index >= entry.index)
  }

  /** The last entry of the snapshot that the log begins behind; null: there is none. */
  newestSnapshot(): CoreEntry | null {
    return this.entries[this.base - 1] ?? null
  }

  /** The process is gone: of the writes under way the first `kept` are found at the next start, and no other. */
  crash(kept: number): void {
    for (let left = kept; left > 0; left -= 1) this.complete()
    this.queue = []
  }

  /** Every entry above `kept` is lost. `known`: the newest write can be read, else neither term nor vote can. */
  damage(kept: LogIndex, known: boolean): void {
    const last = this.entries.at(-1)
    if (last === undefined) return
    this.owes ??= known ? { kind: 'reach', term: last.term, index: last.index } : { kind: 'census', told: [] }
    this.entries.length = kept
    if (known) return
    this.currentTerm = this.entries.at(-1)?.term ?? term(0)
    this.votedFor = null
  }

  /** Term and vote that the next process begins with: a disk that has a snapshot of a term has that term. */
  hardState(): HardState {
    const { currentTerm, votedFor, snapshot } = this
    if (snapshot === null || snapshot.term <= currentTerm) return { currentTerm, votedFor }
    return { currentTerm: snapshot.term, votedFor: null }
  }

  /** What a process finds that starts now. */
  restored(seed: number): Restored {
    const { snapshot } = this
    if (snapshot !== null && this.entries[snapshot.index - 1] !== snapshot) this.restart(snapshot)
    const { entries, base, lastWrite, owes } = this
    const snapshotTerm = entries[base - 1]?.term ?? term(0)
    return {
      hardState: this.hardState(),
      snapshotIndex: base,
      snapshotTerm,
      runs: runsOf(entries, base),
      configurations: configurationsAfter(base, entries.at(-1) ?? null),
      seed,
      lastWrite,
      obligation: owes,
    }
  }

  private apply({ write, hardState, truncateFrom, entries, restart }: PendingWrite): void {
    if (hardState !== null) {
      this.currentTerm = hardState.currentTerm
      this.votedFor = hardState.votedFor
    }
    if (restart !== null) this.restart(restart)
    else if (truncateFrom !== null) this.entries.length = truncateFrom - 1
    for (const entry of entries) this.entries.push(entry)
    this.lastWrite = write
  }

  private restart(last: CoreEntry): void {
    this.entries = entriesUpTo(last)
    this.base = last.index
  }
}

/** The terms of the entries behind `base`. */
function runsOf(entries: readonly CoreEntry[], base: LogIndex): readonly TermRun[] {
  const runs: TermRun[] = []
  for (let at: number = base; at < entries.length; ) {
    const first = entries[at]
    if (first === undefined) break
    while (entries[at]?.term === first.term) at += 1
    runs.push({ first: first.index, last: logIndex(at), term: first.term })
  }
  return runs
}
