import { hash, randomInt } from 'node:crypto'
import { decodePayload } from '../../codec/entry/payload-codec.ts'
import type { ConfigurationPayload, Member } from '../../codec/entry/payload.ts'
import type { BackupFacts, BackupSnapshot } from '../../codec/backup/backup-facts.ts'
import { nodeId } from '../../base/brand.ts'

/** Why a backup cannot be restored as asked: a code of the error registry, and a sentence. */
export class RestoreError extends Error {
  override readonly name = 'RestoreError'
  readonly code: 'NOT_IN_BACKUP' | 'OTHER_HISTORY' | 'INCARNATION_REFUSED' | 'NOT_A_MEMBER' | 'QUORUM_NOT_LOST'

  constructor(code: RestoreError['code'], message: string) {
    super(message)
    this.code = code
  }
}

/** Where history ends. Null: at the backup's own end. */
export interface RestorePoint {
  readonly toIndex: number | null
  /** Unix ms of the log's clock: the last entry that is not later. */
  readonly toTimeMs: number | null
}

/** Whose rows are restored: the backup's, its base's, or none, where the log goes back to entry 1. */
export interface ChosenState {
  readonly from: 'file' | 'base' | 'nothing'
  /** What the rows are as of; null: nothing. */
  readonly snapshot: BackupSnapshot | null
}

/** The newest state that is not beyond the point, and from which entries lead there. Throws RestoreError: NOT_IN_BACKUP. */
export function chooseState(file: BackupFacts, base: BackupFacts | null, point: RestorePoint): ChosenState {
  const isBefore = (snapshot: BackupSnapshot): boolean =>
    snapshot.lastIncludedIndex <= (point.toIndex ?? Number.POSITIVE_INFINITY) &&
    snapshot.now <= (point.toTimeMs ?? Number.POSITIVE_INFINITY)
  if (file.snapshot !== null && isBefore(file.snapshot)) return { from: 'file', snapshot: file.snapshot }
  if (file.log?.first === 1) return { from: 'nothing', snapshot: null }
  if (base?.snapshot != null && isBefore(base.snapshot)) return { from: 'base', snapshot: base.snapshot }
  if (base?.log?.first === 1) return { from: 'nothing', snapshot: null }
  const least = base?.snapshot ?? file.snapshot
  throw new RestoreError(
    'NOT_IN_BACKUP',
    `The oldest state is that of entry ${least?.lastIncludedIndex ?? 0}, of ${timeOf(least?.now ?? 0)}: the point lies before it. ` +
      (base === null
        ? 'Name the backup that this one was made since with --base.'
        : 'Name an older backup with --base.'),
  )
}

/** What is new of a restored cluster. */
export interface NewLife {
  readonly clusterId: string
  readonly incarnation: number
  readonly configuration: ConfigurationPayload
}

/** How long the other members of a restored cluster may be made after the first. */
const SAME_RESTORE_MS = 15 * 60_000
const INCARNATION_MAX = 0xffffffff
/** Part of the incarnations above the one before out of which one is drawn: a hundred restores leave millions. */
const DRAWN_PART = 16

/** What the first restore of a cluster settles for its other members. */
export interface RestoreStart {
  readonly incarnation: number
  /** Unix ms, whole seconds. */
  readonly begunMs: number
}

/**
 * The incarnation of a restore that begins now, drawn by lot above the one before: two restores of one backup do not know of
 * each other, may begin in one second, and clocks may be behind. That both draw one number has a chance of 1 in 268 million for
 * a cluster that was never restored. Every id of a session, a task, a wait, and what `ctx.id` and `ctx.random` give, has the
 * incarnation in it: that is why no id is given twice, although the log's indexes are. Throws RestoreError
 * (INCARNATION_REFUSED).
 */
export function newIncarnation(before: number): number {
  const left = INCARNATION_MAX - before
  if (left < 1) throw new RestoreError('INCARNATION_REFUSED', `No incarnation is left above ${before}.`)
  return before + 1 + randomInt(Math.ceil(left / DRAWN_PART))
}

/** The restore of a cluster's first member, which begins now. */
export function newStart(before: number, nowMs: number): RestoreStart {
  return { incarnation: newIncarnation(before), begunMs: Math.floor(nowMs / 1000) * 1000 }
}

/** What the restore of another member has printed. Throws RestoreError: INCARNATION_REFUSED. */
export function namedStart(named: RestoreStart, before: number, nowMs: number): RestoreStart {
  const { incarnation, begunMs } = named
  const isFresh = Math.abs(nowMs - begunMs) <= SAME_RESTORE_MS
  if (incarnation > before && incarnation <= INCARNATION_MAX && isFresh) return named
  throw new RestoreError(
    'INCARNATION_REFUSED',
    `--incarnation ${startText(named)} is not what the restore of another member of this cluster has printed within 15 minutes. ` +
      'A member that was lost since comes back with `holdfast member replace`: restored again, it would have forgotten its votes.',
  )
}

/** `<incarnation>@<time>`: how it is printed, and named for the next member. */
export function startText({ incarnation, begunMs }: RestoreStart): string {
  return `${incarnation}@${timeOf(begunMs).replace('.000Z', 'Z')}`
}

/** The inverse of `startText`; null: the text is none. */
export function parseStart(text: string): RestoreStart | null {
  const [, incarnation, time] = /^([1-9]\d{0,9})@(\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ)$/.exec(text) ?? []
  const begunMs = Date.parse(time ?? '')
  return Number.isNaN(begunMs) ? null : { incarnation: Number(incarnation), begunMs }
}

/**
 * Cluster id, disks and Configuration of a cluster that goes on from `end`: the same on each of its members, for they follow
 * from what all of them are told (storage.md §6.2). An old member names the old cluster id, and every frame of it is refused
 * (`checkEnvelope` of src/transport): that is why it cannot join a restored cluster, nor be joined by it, although ids and
 * addresses may be the same.
 */
export function newLife(
  facts: Pick<BackupFacts, 'clusterId' | 'configuration'>,
  of: RestoreStart & {
    readonly end: { readonly index: number; readonly chain: number }
    readonly peers: readonly { readonly id: string; readonly address: string }[]
  },
): NewLife {
  const { incarnation, begunMs, end } = of
  const peers = [...of.peers].sort((left, right) => (left.id < right.id ? -1 : 1))
  const named = peers.map(({ id, address }) => `${id}=${address}`).join(',')
  const clusterId = digest(`${facts.clusterId} ${incarnation} ${begunMs} ${end.index} ${end.chain} ${named}`)
  const voters: Member[] = peers.map(({ id, address }) => ({
    id: nodeId(id),
    address,
    instanceId: instanceOf(clusterId, id),
  }))
  const { lease } = decodePayload('Configuration', Uint8Array.from(Buffer.from(facts.configuration, 'base64')))
  const configuration = { clusterId, incarnation, voters, learners: [], outgoing: [], promoting: [], removed: [] }
  return { clusterId, incarnation, configuration: lease === undefined ? configuration : { ...configuration, lease } }
}

/** Id of a member's disk. */
export function instanceOf(clusterId: string, id: string): string {
  return digest(`${clusterId} ${id}`)
}

/** ISO 8601, UTC. */
export function timeOf(ms: number): string {
  return new Date(ms).toISOString()
}

function digest(text: string): string {
  return hash('sha256', text, 'hex').slice(0, 32)
}
