import type { LogIndex } from '../../base/brand.ts'
import { logIndex } from '../../base/brand.ts'
import { payloadAt, readHeader, recordLength } from '../../codec/entry/record.ts'
import { sessionCodec } from '../../codec/session-codec.ts'
import type { Mount } from '../../machine/index.ts'
import type { AppliedRecord } from '../../node/ports/applied-trail.ts'
import type { LogStore, ReadRecords, RecoveredLog } from '../../node/ports/log-store.ts'
import type { SnapshotMeta, SnapshotStore } from '../../node/ports/snapshot-store.ts'
import { EngineError } from '../../session/run/engine-error.ts'
import { ApplyHalt } from '../../session/run/halt.ts'
import { SessionStateMachine } from '../../session/session-state-machine.ts'
import { settled } from '../settled.ts'
import { type StateDifference, stateDifference } from './state-difference.ts'

/** What one node has kept of its history. */
export interface History {
  readonly log: Pick<LogStore, 'read'>
  readonly recovered: Pick<RecoveredLog, 'firstIndex' | 'lastIndex'>
  readonly snapshots: Pick<SnapshotStore, 'load'>
  readonly snapshot: SnapshotMeta | null
  /** What the node noted of its state, by rising index. */
  readonly recorded: readonly AppliedRecord[]
}

/** Why a build must not, or cannot, apply an entry. */
export interface ReplayHalt {
  readonly index: number
  readonly code: string
  readonly message: string
  /** Whose: the new machines', or those compared with. */
  readonly build: 'new' | 'old'
}

/** What a replay has found. It ends at the first difference. */
export interface ReplayReport {
  /** Entries [from, to] were applied, onto the snapshot below `from` or onto nothing. */
  readonly from: number
  readonly to: number
  /** States that the node had noted and that were compared. */
  readonly compared: number
  /** Highest index at which the new machines were seen to make the same state; from − 1 without any. */
  readonly equalTo: number
  /** Lowest index at which the state is known to be another than the node's own; null: none. */
  readonly differsAt: number | null
  /** The same of the old machines: they are not what ran there. */
  readonly oldDiffersAt: number | null
  readonly halted: ReplayHalt | null
  /** With old machines: the first entry after which both states differ, and the first row that does. */
  readonly parted: { readonly index: number; readonly row: StateDifference | null } | null
}

const READ_BYTES = 1024 * 1024

/**
 * Applies history again: from its first entry where the log still holds it, else from the snapshot on. `next` are the new
 * machines; `old`, if given, are applied beside them. Rejects with what a store fails with; changes nothing.
 */
export async function replayHistory(
  history: History,
  next: Pick<Mount, 'userMachine'>,
  old: Pick<Mount, 'userMachine'> | null,
): Promise<ReplayReport> {
  const replay = new Replay(history, next, old)
  await replay.restore()
  await replay.applyAll()
  return replay.report()
}

class Replay {
  private readonly history: History
  private readonly next: SessionStateMachine
  private readonly old: SessionStateMachine | null
  private readonly waiting: AppliedRecord[]
  private readonly from: LogIndex
  private to: number
  private compared = 0
  private equalTo: number
  private differsAt: number | null = null
  private oldDiffersAt: number | null = null
  private halted: ReplayHalt | null = null
  private parted: ReplayReport['parted'] = null

  constructor(history: History, next: Pick<Mount, 'userMachine'>, old: Pick<Mount, 'userMachine'> | null) {
    const { recovered, snapshot, recorded } = history
    this.history = history
    this.next = new SessionStateMachine(next.userMachine, sessionCodec)
    this.old = old === null ? null : new SessionStateMachine(old.userMachine, sessionCodec)
    const whole = recovered.firstIndex === 1 || snapshot === null
    this.from = whole ? logIndex(1) : logIndex(snapshot.lastIncludedIndex + 1)
    this.to = this.from - 1
    this.equalTo = this.to
    // The state that a snapshot holds was noted too.
    const noted = snapshot === null ? [] : [{ index: snapshot.lastIncludedIndex, hash: snapshot.stateHash }]
    this.waiting = [...noted, ...recorded].filter(({ index }) => index >= this.from)
    this.waiting.sort((left, right) => left.index - right.index)
  }

  async restore(): Promise<void> {
    const { snapshots, snapshot } = this.history
    if (snapshot === null || this.from === 1) return
    const machines = this.old === null ? [this.next] : [this.next, this.old]
    await settled<SnapshotMeta | null>((done) =>
      snapshots.load((rows) => {
        for (const { key, value } of rows) {
          for (const machine of machines) machine.restoreRow(key, sessionCodec.decodeValue(value))
        }
      }, done),
    )
    const { lastIncludedIndex: index, lastIncludedTerm: term, lease, now } = snapshot
    for (const machine of machines) this.guarded(machine, index, () => machine.restored({ index, term, lease, now }))
  }

  async applyAll(): Promise<void> {
    const { log, recovered } = this.history
    while (this.to < recovered.lastIndex && !this.over) {
      const range = { first: logIndex(this.to + 1), last: recovered.lastIndex, maxBytes: READ_BYTES }
      const { records } = await settled<ReadRecords>((done) => log.read(range, done))
      for (let offset = 0; offset < records.length && !this.over; offset += recordLength(records, offset)) {
        this.apply(records, offset)
      }
    }
  }

  report(): ReplayReport {
    const { from, to, compared, equalTo, differsAt, oldDiffersAt, halted, parted } = this
    return { from, to, compared, equalTo, differsAt, oldDiffersAt, halted, parted }
  }

  private get over(): boolean {
    const found = this.differsAt !== null && (this.old === null || this.oldDiffersAt !== null)
    return this.halted !== null || this.parted !== null || found
  }

  private apply(records: Uint8Array, offset: number): void {
    const { kind, index, term, lease, now } = readHeader(records, offset)
    const entry = { kind, index, term, lease, now, payload: payloadAt(records, offset) }
    const bytes = recordLength(records, offset)
    const { next, old } = this
    this.guarded(next, index, () => next.apply(entry, bytes))
    if (old !== null && this.halted === null) this.guarded(old, index, () => old.apply(entry, bytes))
    if (this.halted !== null) return
    this.to = index
    if (old !== null && old.stateHash() !== next.stateHash()) {
      this.parted = { index, row: stateDifference(old.swapDirty(), next.swapDirty()) }
    }
    if (this.waiting[0]?.index === index) this.compare(this.waiting.shift())
  }

  private compare(record: AppliedRecord | undefined): void {
    if (record === undefined) return
    this.compared += 1
    if (this.next.stateHash() === record.hash) this.equalTo = record.index
    else this.differsAt ??= record.index
    if (this.old !== null && this.old.stateHash() !== record.hash) this.oldDiffersAt ??= record.index
    // A snapshot and the trail may name the same entry.
    if (this.waiting[0]?.index === record.index) this.compare(this.waiting.shift())
  }

  private guarded(machine: SessionStateMachine, index: number, run: () => unknown): void {
    try {
      run()
    } catch (error) {
      const build = machine === this.next ? 'new' : 'old'
      if (error instanceof ApplyHalt) this.halted ??= { index, code: error.code, message: error.message, build }
      else if (error instanceof EngineError)
        this.halted ??= { index, code: 'ENGINE_ERROR', message: error.message, build }
      else throw error
    }
  }
}
