import type { BackupFacts } from '../../codec/backup/backup-facts.ts'
import { EntryEncoder } from '../../codec/entry/entry-encoder.ts'
import { encodePayload } from '../../codec/entry/payload-codec.ts'
import { groupId, logIndex, nodeId, term } from '../../base/brand.ts'
import type { SnapshotMeta } from '../../node/ports/snapshot-store.ts'
import type { PartOfLog } from './restored-log.ts'
import { RestoredLog } from './restored-log.ts'
import { type BackupBytes, backupParts, readFacts } from './read-parts.ts'
import {
  chooseState,
  type ChosenState,
  instanceOf,
  namedStart,
  newLife,
  newStart,
  RestoreError,
  type RestorePoint,
  type RestoreStart,
} from './restore-plan.ts'
import { requireEmpty, RestoredDirectory } from './restored-directory.ts'

/** What is restored, and as whose. */
export interface RestoreOptions extends RestorePoint {
  /** Opens the backup from its first byte; it is called more than once. */
  file(): BackupBytes
  /** The same of the backup that it was made since; null: there is none, or it is not needed. */
  readonly base: (() => BackupBytes) | null
  readonly data: string
  /** One of `peers`. */
  readonly id: string
  /** The voters of the restored cluster. */
  readonly peers: readonly { readonly id: string; readonly address: string }[]
  /** What the restore of another member has printed; null: a new one. */
  readonly start: RestoreStart | null
  /** Everything is read and verified, and nothing is written. */
  readonly dryRun: boolean
  /** Unix ms. */
  readonly nowMs: number
  /** Bytes that were read so far. */
  onProgress(bytes: number): void
}

/** What a restore has made, or would make. */
export interface Restored {
  readonly clusterId: string
  readonly incarnation: number
  /** What the restore of the other members is told. */
  readonly start: RestoreStart
  readonly members: readonly { readonly id: string; readonly address: string }[]
  /** The last entry of history; the Configuration of the new life follows it. */
  readonly index: number
  readonly term: number
  /** Unix ms of the log's clock there. */
  readonly timeMs: number
  /** The hash that the state has there; '': not known, for it is not the backup's end. */
  readonly stateHash: string
  readonly rows: number
  /** Entries above the state, applied when the node starts. */
  readonly entries: number
  readonly facts: BackupFacts
}

/**
 * Makes a data directory of a backup: its state, its log up to the point, and behind it a Configuration with a new incarnation
 * and a new cluster id. Rejects with BackupError, RestoreError, StartError; the directory is then as it was.
 */
export async function restoreBackup(options: RestoreOptions): Promise<Restored> {
  const { peers, id, nowMs } = options
  if (!peers.some((peer) => peer.id === id))
    throw new RestoreError('NOT_A_MEMBER', `${id} is none of the members that are named with --peers.`)
  await requireEmpty(options.data)
  const facts = await readFacts(options.file())
  const base = options.base === null ? null : await readFacts(options.base())
  const state = chooseState(facts, base, options)
  const before = Math.max(facts.incarnation, base?.incarnation ?? 0)
  const start = options.start === null ? newStart(before, nowMs) : namedStart(options.start, before, nowMs)
  return new Restore(options, { facts, base, state, start }).run()
}

interface Plan {
  readonly facts: BackupFacts
  readonly base: BackupFacts | null
  readonly state: ChosenState
  readonly start: RestoreStart
}

class Restore {
  private readonly options: RestoreOptions
  private readonly plan: Plan
  private readonly log: RestoredLog
  private directory: RestoredDirectory | null = null
  private bytes = 0
  private rows = 0

  constructor(options: RestoreOptions, plan: Plan) {
    this.options = options
    this.plan = plan
    this.log = new RestoredLog(plan.state.snapshot, options, groupId(plan.facts.group))
  }

  async run(): Promise<Restored> {
    const { dryRun, data } = this.options
    const { snapshot } = this.plan.state
    if (!dryRun) {
      const rows = this.plan.state.from === 'base' ? (this.plan.base?.rows ?? 0) : this.plan.facts.rows
      // The node wrote it as such.
      const meta = snapshot as SnapshotMeta | null
      this.directory = await RestoredDirectory.begin(data, meta === null ? null : { meta, rows })
    }
    try {
      return await this.fill()
    } catch (error) {
      // What could not be removed is refused by the next start and restore; why there is none is told.
      await this.directory?.abandon().catch(() => undefined)
      throw error
    }
  }

  private async fill(): Promise<Restored> {
    const { base, file } = this.options
    if (base !== null) await this.read(base(), 'base')
    await this.read(file(), 'file')
    this.log.requireEnd()
    return this.begin()
  }

  private async read(bytes: BackupBytes, which: 'file' | 'base'): Promise<void> {
    const { from } = this.plan.state
    for await (const part of backupParts(this.counted(bytes))) {
      if (part.kind === 'log') await this.append(this.log.take(part.records, part.first))
      if (part.kind === 'rows' && from === which) {
        this.rows += part.rows
        await this.directory?.rows(part.bytes, part.rows)
      }
    }
  }

  private async append(wanted: PartOfLog | null): Promise<void> {
    if (wanted === null) return
    const { records, first, count } = wanted
    await this.directory?.records(records, { first, count, currentTerm: this.log.end.term })
  }

  /** The entry with which the new life begins. Every member writes the same one, in the same place. */
  private async begin(): Promise<Restored> {
    const { id, peers } = this.options
    const { facts, start } = this.plan
    const { incarnation } = start
    const { end } = this.log
    const life = newLife(facts, { ...start, end, peers })
    const encoder = new EntryEncoder()
    encoder.append({
      kind: 'Configuration',
      group: groupId(facts.group),
      index: logIndex(end.index + 1),
      term: term(end.term + 1),
      lease: end.lease,
      now: end.now,
      previousChain: end.chain,
      payload: encodePayload('Configuration', life.configuration),
    })
    await this.directory?.records(encoder.finish(), { first: end.index + 1, count: 1, currentTerm: end.term + 1 })
    await this.directory?.finish({
      clusterId: life.clusterId,
      nodeId: nodeId(id),
      instanceId: instanceOf(life.clusterId, id),
      incarnation,
      development: facts.development,
    })
    return {
      clusterId: life.clusterId,
      incarnation,
      start,
      members: peers,
      index: end.index,
      term: end.term,
      timeMs: end.now,
      stateHash: end.index === facts.end.index ? facts.end.stateHash : '',
      rows: this.rows,
      entries: end.index - (this.plan.state.snapshot?.lastIncludedIndex ?? 0),
      facts,
    }
  }

  private async *counted(bytes: BackupBytes): BackupBytes {
    for await (const piece of bytes) {
      this.bytes += piece.length
      this.options.onProgress(this.bytes)
      yield piece
    }
  }
}
