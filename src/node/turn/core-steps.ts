import { initialState, role, step, termAt, transferOf, type RaftState } from '../../raft/index.ts'
import type { RaftEvent } from '../../raft/types.ts'
import type { LogIndex, Millis, NodeId } from '../../base/brand.ts'
import type { Audience } from '../audience.ts'
import { LeaderTransfers } from '../leaving/leader-transfers.ts'
import { StorageWatch } from '../leaving/storage-watch.ts'
import type { DriverOptions } from '../options.ts'
import { type ReceivingLog, verifiedMessage } from '../peers/received-message.ts'
import { NO_INPUT, type StepInput } from '../propose/write-records.ts'
import { restoredState } from '../restored-state.ts'
import type { StepEffects } from './step-effects.ts'
import { StepTrace } from './step-trace.ts'
import type { QueuedEvent } from './turn-loop.ts'

/** What hears of the steps. */
export interface CoreStepsParts {
  readonly effects: StepEffects
  /** True once no effect may be performed any more: after a fault, or a close. */
  stopped(): boolean
  /** The log is on disk up to this index. */
  durable(index: LogIndex): void
  /** This node leads as of this step: told before its effects. */
  leadershipBegun(state: RaftState): void
  /** This node led before this step and does not any more: told after its effects. */
  leadershipEnded(state: RaftState): void
  /** Hears of elections, and of transfers that begin. */
  readonly audience: Audience
}

/** The state of this node's Raft core, and the one place where `step` is called (architecture.md §1). */
export class CoreSteps {
  private raft: RaftState
  private dueAt: Millis = 0
  readonly transfers = new LeaderTransfers()
  private readonly storageWatch: StorageWatch
  private readonly options: DriverOptions
  private readonly parts: CoreStepsParts
  private readonly trace: StepTrace | null
  /** What messages are held against. */
  private readonly log: ReceivingLog

  constructor(options: DriverOptions, self: NodeId, parts: CoreStepsParts) {
    this.options = options
    this.parts = parts
    this.storageWatch = new StorageWatch(options)
    const { identity, log } = options
    const restored = restoredState(options)
    this.raft = initialState({ ...options.raft, self }, restored)
    this.trace = options.trace === undefined ? null : new StepTrace(identity, options.trace)
    this.trace?.opened(restored)
    this.log = {
      group: identity.group,
      self: identity,
      termAt: (index) => termAt(this.raft, index),
      chainAt: (index) => log.chainAt(index),
    }
  }

  /** The core's state as it is; immutable. */
  get state(): RaftState {
    return this.raft
  }

  /** Tells the core when the disk hangs, and when no longer; once per turn, when completed writes have been heard of. */
  watchDisk(): void {
    const disk = this.storageWatch.check()
    if (disk !== null) this.step({ kind: 'stalled', ...disk }, NO_INPUT)
  }

  /** Monotonic ms at which `watchDisk` is due. */
  get diskDueAt(): Millis {
    return this.storageWatch.dueAt(this.raft.disk.outstanding.length > 0)
  }

  /** Monotonic ms at which a `tick` is due. */
  get wakeAt(): Millis {
    return this.dueAt
  }

  /** An event of the queue becomes a step; a message whose records are not what it names is dropped. */
  handle(event: QueuedEvent): void {
    const { effects, durable } = this.parts
    if (event.kind !== 'received') {
      if (event.kind === 'transfer') this.transfers.begin()
      if (event.kind === 'changeMembership') effects.changeBegins()
      if (event.kind === 'persisted') {
        this.trace?.written(event.write)
        effects.writeCompleted(event.write)
      }
      this.step(event, NO_INPUT)
      if (event.kind === 'persisted' || event.kind === 'snapshotInstalled') durable(this.raft.disk.durableIndex)
      return
    }
    const message = verifiedMessage(event, this.log)
    if (message === null) return
    const configurations = message.kind === 'appendEntries' && message.configurations.length > 0
    const input = { proposed: [], received: event.records, configurations }
    this.step({ kind: 'receive', from: event.from, message }, input)
  }

  /** One step, and its effects in list order; `input` is what its persist effect refers to. */
  step(event: RaftEvent, input: StepInput): void {
    const { parts, options } = this
    if (parts.stopped()) return
    const before = this.raft
    const wasLeader = role(before) === 'leader'
    const wasTransferring = transferOf(before) !== null
    const result = step(before, options.clock.monotonicMs(), event)
    options.check?.(before, result.state)
    this.trace?.step(event, result.effects, result.state)
    this.raft = result.state
    this.dueAt = result.wakeAt
    const isLeader = role(this.raft) === 'leader'
    if (isLeader && !wasLeader) parts.leadershipBegun(this.raft)
    for (const effect of result.effects) {
      // A store that fails, or a sink that closes the node, within an effect ends the step.
      if (!parts.stopped()) parts.effects.perform(effect, input)
    }
    if (parts.stopped()) return
    if (wasLeader && !isLeader) parts.leadershipEnded(this.raft)
    // Only a candidate raises the term and is a candidate afterwards: each such step is one election.
    if (role(this.raft) === 'candidate' && this.raft.currentTerm > before.currentTerm) {
      parts.audience.note({ kind: 'electionBegun', term: this.raft.currentTerm })
    }
    if (!wasTransferring && transferOf(this.raft) !== null) parts.audience.handingOver()
  }
}
