import { logIndex, type LogIndex, type NodeId } from '../../base/brand.ts'
import { ENTRY_HEADER_BYTES } from '../../codec/entry/record.ts'
import type { Entry, EntryHeader } from '../../codec/entry/entry.ts'
import { EngineError } from '../../session/run/engine-error.ts'
import { ApplyHalt } from '../../session/run/halt.ts'
import type { Applied, EntryUnderway } from '../../session/state-machine.ts'
import type { NodeEvent, NodeListener } from '../api.ts'
import { AppliedWitness } from './applied-witness.ts'
import { ApplyLoop } from './apply-loop.ts'
import { configurationIn } from '../membership/known-configuration.ts'
import type { Members } from '../membership/members.ts'
import type { DriverOptions } from '../options.ts'
import type { RetainedLog } from '../install/retained-log.ts'
import type { AppliedRecord } from '../ports/applied-trail.ts'
import type { WatchFeed } from '../inspect/watch-feed.ts'
import type { KnownSkips } from '../skip/known-skips.ts'
import type { Pending } from '../propose/pending.ts'
import { type BoundaryMeta, Snapshotter, type SnapshotWritten } from './snapshotter.ts'
import { StateComparison, type StateDifference } from './state-comparison.ts'
import { TurnBudget } from './turn-budget.ts'

export interface ApplyPipelinePorts {
  readonly members: Members
  readonly pending: Pending
  /** Who follows what is applied. */
  readonly feed: WatchFeed
  readonly listeners: readonly NodeListener[]
  /** Last index that the loaded snapshot covers. */
  readonly applied: LogIndex
  /** A majority is known to have its state. */
  readonly agreed: boolean
  /** This node leads the term in which that entry was proposed. */
  ledHere(index: number): boolean
  /** Of the effective configuration. */
  voters(): readonly NodeId[]
  /** Sends what this node made of the log to one other voter, or to all of them (null). */
  tell(sample: AppliedRecord, to: NodeId | null): void
  /** The Configuration at that index is applied. */
  configurationApplied(index: LogIndex): void
  /** Parts of entries that are not run, as the log says further on. */
  readonly skips: Pick<KnownSkips, 'partsOf' | 'isOpen' | 'doubts'>
  /** What of the log goes, and when. */
  readonly retained: Pick<RetainedLog, 'boundary' | 'written'>
  batchApplied(): void
  note(event: NodeEvent): void
  /** The machine must not apply the next entry; the caller calls `halt`. */
  halted(halt: ApplyHalt): void
  fault(fault: { readonly code: string; readonly message: string }): void
}

/** From committed to answered: the loop over entries, the state machine, who waits, and the snapshots at boundaries. */
export class ApplyPipeline {
  snapshotIndex: LogIndex
  /** The newest entry that was a boundary, whether its snapshot is written or not. */
  boundaryIndex: LogIndex
  private readonly options: DriverOptions
  private readonly ports: ApplyPipelinePorts
  private readonly loop: ApplyLoop
  private readonly snapshotter: Snapshotter
  private readonly turn: TurnBudget
  private readonly witness: AppliedWitness
  private readonly comparison: StateComparison
  /** The log is on disk up to here. */
  private durableTo: LogIndex
  private stopped = false
  private commitPending = false
  /** The entry that is being applied, when one step was not enough. */
  private underway: EntryUnderway | null = null
  /** What applying it has taken so far, ms; 0 while nobody watches. */
  private workMs = 0
  private waiters = new Set<{ readonly index: number; readonly done: (reached: boolean) => void }>()

  constructor(options: DriverOptions, ports: ApplyPipelinePorts) {
    this.options = options
    this.ports = ports
    this.snapshotIndex = ports.applied
    this.boundaryIndex = ports.applied
    options.reports.attach({
      recoveredIndex: options.recovered.lastIndex,
      ledHere: (index) => ports.ledHere(index),
      tell: (report) => {
        for (const listener of ports.listeners) listener.reported?.(report)
      },
    })
    const { trail, clock, machine, build, recovered } = options
    this.turn = new TurnBudget(clock)
    this.witness = new AppliedWitness(
      { trail, clock, machine, machines: build.machines, skips: ports.skips },
      ports.applied,
    )
    this.comparison = new StateComparison({
      self: options.identity.id,
      clock,
      machine,
      everyMs: options.raft.heartbeatMs,
      voters: () => ports.voters(),
      replaying: () => this.witness.replaying,
      tell: (sample, to) => ports.tell(sample, to),
      differs: (difference) => {
        if (!difference.decided) this.witness.contest(this.agreedTo)
        ports.note({ kind: 'stateDiffers', ...difference })
      },
      agreed: () => this.witness.agreed(),
    })
    if (ports.agreed) this.comparison.agreedTo = ports.applied
    this.durableTo = recovered.lastIndex
    this.snapshotter = new Snapshotter({
      store: options.snapshots,
      codec: options.codec,
      clock,
      turn: this.turn,
      durableIndex: this.mayCover,
      written: (written) => this.snapshotWritten(written),
      fault: ports.fault,
    })
    this.loop = new ApplyLoop(
      {
        log: options.log,
        clock,
        turn: this.turn,
        apply: (header, payload) => this.apply(header, payload),
        batchApplied: () => this.batchApplied(),
        // What a replay has not been compared with may have to wait for entries further on.
        mustWait: () => (this.snapshotter.full && !this.witness.replaying) || ports.skips.isOpen(this.loop.applied + 1),
        fault: ports.fault,
      },
      ports.applied,
    )
  }

  get applied(): LogIndex {
    return this.loop.applied
  }

  get behind(): number {
    return this.loop.behind
  }

  /**
   * More entries are committed, up to what `committed` says when they are read.
   * PERF: they are applied after this turn, whose messages are on their way while the machine works.
   */
  commitSoon(committed: () => LogIndex): void {
    if (this.commitPending) return
    this.commitPending = true
    this.turn.later(() => {
      this.commitPending = false
      this.loop.commit(committed())
    })
  }

  /** Other work of this node that can wait runs in a later turn within the one budget, up to that monotonic time. */
  inTurn(run: (untilMs: number) => void): void {
    this.turn.later(() => run(this.turn.until))
  }

  /** The log is on disk up to this index. */
  durable(index: LogIndex): void {
    this.durableTo = index
    this.snapshotter.durable(this.mayCover)
  }

  /** An earlier process of this node has applied more: nothing is answered from a state that may differ from its. */
  get replaying(): boolean {
    return this.witness.replaying
  }

  /** A snapshot may cover what the log has on disk, and of a replay what was compared with what was made of it before. */
  private get mayCover(): LogIndex {
    const { trustedTo } = this.witness
    return trustedTo < this.durableTo ? logIndex(trustedTo) : this.durableTo
  }

  /** Members that are known to have made another state of the log; null: none. */
  get differs(): StateDifference | null {
    return this.comparison.difference
  }

  /** Up to here a majority is known to have the state of this node. */
  private get agreedTo(): number {
    return this.comparison.agreedTo ?? this.ports.applied
  }

  /** The connection to a peer is open. */
  connected(peer: NodeId): void {
    this.comparison.connected(peer)
  }

  /** What a peer says that it made of the log; null: it is another process than before. */
  hear(peer: NodeId, sample: AppliedRecord | null): void {
    if (sample === null) this.comparison.forget(peer)
    else this.isOdd(this.comparison.hear(peer, sample))
  }

  waitApplied(index: number, done: (reached: boolean) => void): { cancel(): void } {
    const { waiters } = this
    const waiter = { index, done }
    if (this.applied >= index) done(true)
    else if (this.stopped) done(false)
    else waiters.add(waiter)
    return { cancel: () => void waiters.delete(waiter) }
  }

  /**
   * Another pipeline is to go on from an installed snapshot: nothing is applied here once the entry underway is at its end, and
   * no snapshot is written. Who waits for an index waits here until then.
   */
  retire(done: () => void): void {
    this.loop.retire(() => {
      this.witness.halt()
      this.comparison.halt()
      this.snapshotter.stop(done)
    })
  }

  /** Goes on in place of another pipeline, whose waiters it takes. */
  succeed(retired: ApplyPipeline): void {
    this.waiters = retired.waiters
    retired.waiters = new Set()
    this.batchApplied()
  }

  /** Applies nothing more and writes no further snapshot; who waits for an index is told so. */
  halt(): void {
    this.stop()
    this.witness.halt()
    this.snapshotter.stop(() => undefined)
  }

  /** Applies nothing more; who waits for an index is told so. */
  stop(): void {
    this.stopped = true
    this.loop.stop()
    this.comparison.halt()
    const waiters = [...this.waiters]
    this.waiters.clear()
    for (const waiter of waiters) waiter.done(false)
  }

  /** Writes no further snapshot, notes what is applied, and calls back once nothing is being written. */
  close(done: () => void): void {
    this.snapshotter.stop(() => this.witness.close(done))
  }

  private apply(header: EntryHeader, payload: Uint8Array): 'applied' | 'more' | 'stopped' {
    const { feed } = this.ports
    const begun = feed.watched ? this.options.clock.monotonicMs() : 0
    const applied = this.applyToMachine(header, payload)
    if (feed.watched) this.workMs += this.options.clock.monotonicMs() - begun
    if (applied === null) return 'stopped'
    if ('step' in applied) {
      this.underway = applied
      return 'more'
    }
    this.underway = null
    const ms = this.workMs
    this.workMs = 0
    return this.conclude(header, { payload, applied, ms }) ? 'applied' : 'stopped'
  }

  /** Tells whoever waits what came of an entry; false: this node must go no further. */
  private conclude(
    header: EntryHeader,
    { payload, applied, ms }: { readonly payload: Uint8Array; readonly applied: Applied; readonly ms: number },
  ): boolean {
    const { index, now } = header
    const { feed } = this.ports
    if (index >= this.witness.nextIndex && this.isWrong()) return false
    if (index >= this.comparison.nextIndex && this.isOdd(this.comparison.reached())) return false
    this.ports.pending.settle(index, applied.reply, now)
    for (const listener of this.ports.listeners) listener.applied(applied)
    if (feed.watched) feed.tell(header, payload, { reply: applied.reply, ms })
    if (applied.boundary) this.boundary(header)
    if (header.kind === 'Configuration') this.ports.configurationApplied(header.index)
    return true
  }

  /**
   * The entry, or the next step of one that has begun. An engine error differs between replicas, so it is no outcome: this node
   * halts here (docs/decisions/skipping-an-entry.md).
   */
  private applyToMachine(header: EntryHeader, payload: Uint8Array): Applied | EntryUnderway | null {
    const { underway } = this
    try {
      return underway === null ? this.begin(header, payload) : (underway.step() ?? underway)
    } catch (error) {
      if (error instanceof EngineError) {
        // The entry may be half applied: that state is nobody's, and nobody is told of it. Who waits for the entries before it
        // would see it too, and is refused.
        this.witness.halt()
        this.comparison.halt()
        this.ports.halted(new ApplyHalt('ENGINE_ERROR', error.index, error.message, error.part))
      } else if (error instanceof ApplyHalt) this.haltAt(error)
      else throw error
      return null
    }
  }

  private begin({ index, term, lease, now, kind }: EntryHeader, payload: Uint8Array): Applied | EntryUnderway {
    const entry: Entry = { kind, index, term, lease, now, payload }
    return this.options.machine.begin(entry, ENTRY_HEADER_BYTES + payload.length, this.ports.skips.partsOf(index))
  }

  /** The state here is not what an earlier process made of the same entries: nobody hears of the entry. */
  private isWrong(): boolean {
    const halt = this.witness.check()
    // Nobody is told that this run got anywhere: what was applied since the last equal state may be wrong too.
    if (halt !== null) this.ports.halted(halt)
    else this.snapshotter.durable(this.mayCover)
    return halt !== null
  }

  /**
   * Most replicas made another state of the same entries. Nothing more is noted or covered by a snapshot, and what was noted
   * since they last agreed goes: the right build replays the log from there, and must not be held against it.
   */
  private isOdd(halt: ApplyHalt | null): boolean {
    if (halt === null) return false
    this.witness.halt()
    this.options.trail.discardAbove(this.agreedTo)
    // Also the one that this process has begun from, when it has agreed with nobody since.
    const holdsIt = this.snapshotIndex > (this.comparison.agreedTo ?? 0)
    this.haltAt(holdsIt ? withSnapshot(halt, this.snapshotIndex) : halt)
    return true
  }

  /** The entries of this run before it are applied for good: their answers go out first. */
  private haltAt(halt: ApplyHalt): void {
    this.batchApplied()
    this.ports.halted(halt)
  }

  /** The dirty rows are swapped between two entries, O(1) (storage.md §4). */
  private boundary(header: EntryHeader): void {
    const { machine } = this.options
    const known = this.ports.members.at(header.index)
    if (known === null) return
    const dirty = machine.swapDirty()
    const configuration = configurationIn(known.payload, null)
    const meta: BoundaryMeta = {
      lastIncludedIndex: header.index,
      lastIncludedTerm: header.term,
      chain: header.chain,
      lease: header.lease,
      now: header.now,
      configuration: { index: known.index, configuration },
      configurationPayload: Buffer.from(known.bytes).toString('base64'),
      stateHash: machine.stateHash(),
      incarnation: known.payload.incarnation,
      machineVersions: versionsOf(machine),
    }
    this.snapshotter.add(meta, dirty)
    this.boundaryIndex = header.index
    this.witness.record()
    this.ports.retained.boundary()
  }

  private snapshotWritten(written: SnapshotWritten): void {
    this.ports.retained.written(written.index)
    this.snapshotIndex = written.index
    this.witness.discardUpTo(written.index)
    this.ports.note({ kind: 'snapshotWritten', ...written })
    this.loop.resume()
  }

  private batchApplied(): void {
    for (const waiter of this.waiters) {
      if (waiter.index > this.applied) continue
      this.waiters.delete(waiter)
      waiter.done(true)
    }
    for (const listener of this.ports.listeners) listener.batchApplied()
    this.witness.batchApplied()
    this.comparison.batchApplied()
    // The limit is replicated: an entry may have changed it.
    this.options.log.snapshotsEvery(this.options.machine.limits.snapshotBytes)
    this.ports.batchApplied()
  }
}

/** For people who look at a snapshot: its rows say the same. Empty in a log without AdvanceVersion entries. */
function versionsOf(machine: DriverOptions['machine']): BoundaryMeta['machineVersions'] {
  const active = machine.activated ? machine.machines().filter((each) => each.active > 0) : []
  return Object.fromEntries(active.map((each) => [each.name, each.active]))
}

/** No build heals what a snapshot already holds. */
function withSnapshot({ code, index, message }: ApplyHalt, snapshotIndex: number): ApplyHalt {
  return new ApplyHalt(
    code,
    index,
    `${message} Its snapshot at entry ${snapshotIndex} may hold the difference already: if it halts again with their build and ` +
      'runtime, no build heals it. Then stop it, run `holdfast recover refetch-state --data` with its data directory, and start ' +
      'it again: it keeps its log and its vote, and pulls the state that the others agree on.',
  )
}
