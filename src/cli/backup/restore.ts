import { assert } from '../../base/assert.ts'
import { formatHostPort } from '../../base/host-port.ts'
import { restoreBackup } from '../../host/backup/restore.ts'
import { parseStart, type RestoreStart, startText } from '../../host/backup/restore-plan.ts'
import { readSettings, type TypedFlags } from '../config/read-settings.ts'
import { usageError } from '../terminal/exit.ts'
import { print, printJson, say, withCommas } from '../terminal/output.ts'
import { backupBytes, requireFile } from './backup-places.ts'
import { iso } from './backup-words.ts'

type Restored = Awaited<ReturnType<typeof restoreBackup>>

/** Options of `holdfast restore`. */
export interface RestoreFlags extends TypedFlags {
  readonly base?: string
  readonly toIndex?: number
  /** Unix ms. */
  readonly toTime?: number
  /** As the restore of another member has printed it. */
  readonly incarnation?: string
  readonly dryRun?: true
  readonly json?: true
}

/** Where a node listens that is restored alone and names no address. */
const DEFAULT_ADDRESS = '127.0.0.1:4600'

/** `holdfast restore`. Rejects with BackupError, RestoreError and StartError; nothing is left in the directory then. */
export async function restore(file: string, flags: RestoreFlags): Promise<void> {
  const { values } = await readSettings(flags, ['data', 'id'])
  const { data, id, peers } = values
  assert(data !== undefined && id !== undefined, 'required settings are there', { values })
  const { base, toIndex = null, toTime = null, dryRun = false } = flags
  const named = peers?.map((peer) => ({ id: peer.id as string, address: formatHostPort(peer.address) }))
  for (const name of [file, ...(base === undefined ? [] : [base])]) requireFile(name)
  const start = flags.incarnation === undefined ? null : startOf(flags.incarnation)
  let saidAt = 0
  const restored = await restoreBackup({
    file: () => backupBytes(file),
    base: base === undefined ? null : () => backupBytes(base),
    data,
    id,
    peers: named ?? [{ id, address: DEFAULT_ADDRESS }],
    toIndex,
    toTimeMs: toTime,
    start,
    dryRun,
    nowMs: Date.now(),
    onProgress: (bytes) => {
      if (bytes - saidAt < SAID_BYTES) return
      saidAt = bytes
      say(`${withCommas(bytes)} bytes read`)
    },
  })
  const point = [
    ...(base === undefined ? [] : [`--base ${base}`]),
    ...(toIndex === null && toTime === null ? [] : [`--to-index ${restored.index}`]),
  ]
  const next = nextOf(restored, { file, data, id, point, dryRun, isNamed: start !== null })
  if (flags.json === true) printJson({ restored: !dryRun, ...plain(restored), ...next })
  else print(textOf(restored, { dryRun, data, ...next }))
}

const ONLY_NEW = [
  'Only members that have not run yet: one that ran and lost its disk has voted, and comes back with holdfast member replace.',
]
const SAID_BYTES = 256 * 1024 * 1024

function startOf(text: string): RestoreStart {
  const start = parseStart(text)
  if (start !== null) return start
  throw usageError(
    `--incarnation ${text} is none that a restore prints.`,
    'Take the whole command that the first restore printed: NUMBER@TIME.',
  )
}

/** The commands that follow. */
interface Next {
  /** Makes the directory; null: it is made. */
  readonly restore: string | null
  /** Makes that of each other member, on its machine. */
  readonly others: readonly string[]
  /** Starts the node. */
  readonly start: string
}

function nextOf(
  { members, start: begun, facts }: Restored,
  of: { file: string; data: string; id: string; point: readonly string[]; dryRun: boolean; isNamed: boolean },
): Next {
  const { file, data, id, point, dryRun, isNamed } = of
  const peers = members.map((member) => `${member.id}=${member.address}`).join(',')
  // What another member has printed holds for the restore itself too; what a dry run draws is nobody's.
  const named = dryRun && !isNamed ? [] : [`--incarnation ${startText(begun)}`]
  const restores = (member: string, directory: string): string =>
    ['holdfast restore', file, ...point, '--data', directory, '--id', member, '--peers', peers, ...named].join(' ')
  const others = dryRun ? [] : members.filter((member) => member.id !== id)
  return {
    restore: dryRun ? restores(id, data) : null,
    others: others.map((member) => restores(member.id, '<directory>')),
    start: `holdfast start --id ${id} --data ${data} --peers ${peers}${facts.development ? ' --development' : ''}`,
  }
}

function plain(restored: Restored): object {
  const { clusterId, incarnation, start, members, index, term, timeMs, stateHash, rows, entries, facts } = restored
  return {
    clusterId,
    incarnation,
    incarnationNamed: startText(start),
    fromClusterId: facts.clusterId,
    fromIncarnation: facts.incarnation,
    members,
    index,
    term,
    time: iso(timeMs),
    stateHash: stateHash || null,
    rows,
    entries,
  }
}

function textOf(restored: Restored, of: Next & { dryRun: boolean; data: string }): string {
  const { index, term, timeMs, rows, entries, stateHash, incarnation, clusterId, facts } = restored
  const { dryRun, data, restore, others, start } = of
  const life = dryRun ? 'a new incarnation and cluster id' : `incarnation ${incarnation}, cluster ${clusterId}`
  return [
    `${data} ${dryRun ? 'would hold' : 'holds'} history up to entry ${withCommas(index)} of ${iso(timeMs)}, term ${term}:`,
    `${withCommas(rows)} rows, and ${withCommas(entries)} entries that its start applies${stateHash === '' ? '' : `, to the state hash ${stateHash}`}`,
    `${life}; it was incarnation ${facts.incarnation} of cluster ${facts.clusterId}`,
    'No member of the old cluster can join it, and clients of the old one are answered CLUSTER_CHANGED.',
    ...(restore === null ? [] : ['The backup is whole. Nothing was written. To restore it:', `  ${restore}`]),
    ...(others.length === 0
      ? []
      : ['Next, within 15 minutes, the other members, each on its machine with a directory of its own:']),
    ...others.map((command) => `  ${command}`),
    ...(others.length === 0 ? [] : ONLY_NEW),
    ...(restore === null ? ['To start it:', `  ${start}`] : []),
  ].join('\n')
}
