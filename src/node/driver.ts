import { unreachable } from '../base/assert.ts'
import { logIndex, type GroupId, type NodeId, type WriteNumber } from '../base/brand.ts'
import type { SessionNumbers } from '../codec/entry/payload.ts'
import type { EntryKind } from '../codec/entry/entry.ts'
import { configurationOf, initialState, leaderOf, role, step, termAt, type RaftState } from '../raft/index.ts'
import type { Effect, RaftEvent } from '../raft/types.ts'
import type { NodeEvent, NodeListener, NodeStatus, ProposalSink, RaftNode } from './api.ts'
import { ApplyPipeline } from './apply/apply-pipeline.ts'
import { Closing } from './closing.ts'
import { Leadership } from './leadership.ts'
import { type ClockReading, LogClock } from './propose/log-clock.ts'
import { Members } from './members.ts'
import { APPLY_BEHIND_MAX, PROPOSE_BYTES_MAX, PROPOSE_COUNT_MAX, type DriverOptions } from './options.ts'
import { OutgoingMessages } from './peers/outgoing-messages.ts'
import { Peers } from './peers/peers.ts'
import { Pending } from './propose/pending.ts'
import type { PeerFrame } from './ports/peer-transport.ts'
import type { StorageFault } from './ports/storage-fault.ts'
import { Proposals, recordBytesOf } from './propose/proposals.ts'
import { NO_INPUT, type StepInput } from './propose/write-records.ts'
import { type ReceivingLog, verifiedMessage } from './peers/received-message.ts'
import { restoredState } from './restored-state.ts'
import { RoleNews } from './role-news.ts'
import { statusOf } from './status.ts'
import { type QueuedEvent, TurnLoop } from './turn-loop.ts'
import { LogWrites } from './propose/log-writes.ts'

/**
 * The only caller of `step` (architecture.md §1): one queue of events, effects performed in list order, one batch per
 * event-loop turn. Inbound messages are processed before an election timer fires (raft.md §2.12).
 */
export class Driver implements RaftNode {
  readonly id: NodeId
  readonly clusterId: string
  readonly group: GroupId
  readonly attachedSessions = new Set<number>()
  readonly machine: DriverOptions['machine']
  private readonly options: DriverOptions
  private raft: RaftState
  private readonly logClock: LogClock
  private readonly members = new Members()
  private readonly pending = new Pending()
  private readonly proposals = new Proposals()
  private readonly peers: Peers
  private readonly outgoing: OutgoingMessages
  private readonly pipeline: ApplyPipeline
  private readonly leadership: Leadership
  private readonly logWrites: LogWrites
  private readonly receivingLog: ReceivingLog
  private readonly listeners: NodeListener[] = []
  private readonly loop: TurnLoop
  /** The proposals, or the received records, of the running step: what its persist effect refers to. */
  private stepInput: StepInput = NO_INPUT
  private wakeAt = 0
  /** The core has committed entries of which `pipeline` is told soon. */
  private commitPending = false
  private stopped: { readonly code: string; readonly message: string } | null = null
  private readonly closing = new Closing()
  private readonly roleNews = new RoleNews()
  /** The last turn found a log write that takes long (`diskSlow`). */
  private diskIsSlow = false

  constructor(options: DriverOptions) {
    this.options = options
    this.id = options.identity.id
    this.clusterId = options.identity.clusterId
    this.group = options.identity.group
    this.machine = options.machine
    const { clock, log, recovered, snapshot } = options
    this.logClock = new LogClock(options.raft)
    this.logClock.adopt(recovered.lastLease, recovered.lastNow)
    const known = options.configuration
    if (known !== null) this.members.add(known.index, known.payload, known.bytes)
    this.raft = initialState({ ...options.raft, self: this.id }, restoredState(options))
    this.peers = new Peers(options, this.members, (member) => this.memberMoved(member))
    this.outgoing = new OutgoingMessages({
      log,
      transmit: (to, message, records) => this.peers.transmit(to, message, records),
      currentTerm: () => this.raft.currentTerm,
      fault: (fault) => this.stop(fault),
      messageBytesMax: options.messageBytesMax,
    })
    this.pipeline = new ApplyPipeline(options, {
      members: this.members,
      pending: this.pending,
      listeners: this.listeners,
      applied: logIndex(snapshot?.lastIncludedIndex ?? 0),
      snapshotted: (index) => this.loop.enqueue({ kind: 'snapshotted', index }),
      batchApplied: () => this.batchApplied(),
      note: (event) => this.note(event),
      fault: (fault) => this.stop(fault),
    })
    this.leadership = new Leadership(this, {
      clock,
      logClock: this.logClock,
      pending: this.pending,
      proposals: this.proposals,
      time: () => this.time(),
      greet: () => {
        this.peers.sayHello()
        this.checkBootstrap()
      },
    })
    this.logWrites = new LogWrites(options, {
      clock: this.logClock,
      members: this.members,
      peers: this.peers,
      pending: this.pending,
      proposals: this.proposals,
      stamp: () => this.logClock.stamp(this.time()),
    })
    this.receivingLog = {
      group: this.group,
      termAt: (index) => termAt(this.raft, index),
      chainAt: (index) => log.chainAt(index),
    }
    this.loop = new TurnLoop(clock, () => this.turn())
  }

  get incarnation(): number {
    return this.members.newest?.incarnation ?? 0
  }

  get role(): ReturnType<typeof role> {
    return role(this.raft)
  }

  get leader(): NodeId | null {
    return leaderOf(this.raft)
  }

  get leading(): boolean {
    return this.stopped === null && this.role === 'leader' && this.leadership.isReady(this.pipeline.applied)
  }

  addressOf(id: NodeId): string | null {
    return this.peers.addresses.of(id)
  }

  /** Where this node is reached, once it listens; peers are told, now and on each new connection. */
  advertise(address: string): void {
    this.peers.advertise(address)
  }

  /** First event of the process. */
  start(): void {
    this.loop.enqueue({ kind: 'start' })
  }

  listen(listener: NodeListener): void {
    this.listeners.push(listener)
  }

  // What the stores and the transport report; all of it becomes events of the one queue.

  onPersisted(write: WriteNumber): void {
    this.loop.enqueue({ kind: 'persisted', write })
  }

  onFault(fault: StorageFault): void {
    this.stop(fault)
  }

  onFrame(frame: PeerFrame): void {
    if (this.stopped !== null) return
    const received = this.peers.receive(frame)
    this.checkBootstrap()
    if (received === null) return
    const { sender } = frame
    if (this.peers.addresses.concerns(sender))
      this.logClock.sample(sender, received.wallMs, this.options.clock.monotonicMs())
    this.loop.enqueue(received.message)
  }

  onConnected(peer: NodeId): void {
    this.peers.sayAddress(peer)
  }

  onUnreachable(_peer: NodeId): void {
    // Planned (raft.md §4): evidence for a faster election. The election timeout alone decides today.
  }

  submit(kind: EntryKind, payload: Uint8Array, sink: ProposalSink | null): void {
    if (this.stopped !== null) sink?.refused('SHUTTING_DOWN', null)
    else if (this.role !== 'leader') sink?.refused('NOT_LEADER', this.leader)
    else if (this.pipeline.behind > APPLY_BEHIND_MAX) sink?.refused('APPLY_BEHIND', this.id)
    else {
      this.proposals.add(kind, payload, sink)
      this.loop.schedule()
    }
  }

  keepAlive(session: SessionNumbers, sink: ProposalSink): void {
    if (this.stopped !== null) sink.refused('SHUTTING_DOWN', null)
    else if (this.leading) this.leadership.duties.keepAlive(session, sink)
    else sink.refused('NOT_LEADER', this.leader)
  }

  waitApplied(index: number, done: (reached: boolean) => void): void {
    this.pipeline.waitApplied(index, done)
  }

  logNow(): number {
    return this.role === 'leader' ? this.logClock.currentNow(this.time()) : this.logClock.guessedNow(this.time())
  }

  /** The core's state as it is, for checks and descriptions; immutable. */
  get raftState(): RaftState {
    return this.raft
  }

  status(): NodeStatus {
    return statusOf({
      node: this,
      raft: this.raft,
      options: this.options,
      appliedIndex: this.pipeline.applied,
      snapshotIndex: this.pipeline.snapshotIndex,
      awaited: this.peers.bootstrap.awaited(),
    })
  }

  close(done: () => void): void {
    const { transport, log, snapshots } = this.options
    this.closing.ask(done, (closed) => {
      this.stopped ??= { code: 'SHUTDOWN', message: 'the node was closed' }
      this.endProposals()
      this.pipeline.stopSnapshots(() => transport.close(() => log.close(() => snapshots.close(closed))))
    })
  }

  private turn(): void {
    this.logClock.turn(this.options.clock.monotonicMs())
    this.loop.drain((event) => this.handle(event))
    if (this.stopped !== null) return
    // Heartbeats leave before the work of proposing.
    this.tickWhenDue()
    this.flushProposals()
    if (this.stopped !== null) return
    this.leadership.run(this.raft, this.leading)
    this.announce()
    this.arm()
    if (this.loop.length > 0 || this.proposals.count > 0) this.loop.schedule()
  }

  /**
   * An election deadline counts only when it had passed as this turn was asked for: what arrived until then was read before
   * the turn ran (raft.md §2.12). Work that went on between the two may have hidden a leader's messages in the sockets.
   */
  private tickWhenDue(): void {
    const until = this.role === 'leader' ? this.options.clock.monotonicMs() : this.loop.askedAt
    if (until >= this.wakeAt) this.step({ kind: 'tick' }, NO_INPUT)
  }

  private handle(event: QueuedEvent): void {
    if (event.kind !== 'received') {
      if (event.kind === 'persisted') this.outgoing.writeCompleted(event.write)
      this.step(event, NO_INPUT)
      if (event.kind === 'persisted') this.pipeline.durable(this.raft.disk.durableIndex)
      return
    }
    const message = verifiedMessage(event, this.receivingLog)
    if (message === null) return
    const configurations = message.kind === 'appendEntries' && message.configurations.length > 0
    const input = { proposed: [], received: event.records, configurations }
    this.step({ kind: 'receive', from: event.from, message }, input)
  }

  /** Proposes what waits now; what sinks submit when they are refused waits for the next turn. */
  private flushProposals(): void {
    const writeAgeMs = this.options.log.oldestWriteAgeMs()
    this.noteSlowDisk(writeAgeMs)
    // A log write hangs: nothing proposed now would be answered soon (raft.md §5).
    if (writeAgeMs > this.options.raft.electionTimeoutMaxMs) this.proposals.refuse('STORAGE_STALLED', this.leader)
    for (let left = this.proposals.count; left > 0 && this.stopped === null; ) {
      const proposed = this.proposals.take({ countMax: Math.min(left, PROPOSE_COUNT_MAX), bytesMax: PROPOSE_BYTES_MAX })
      left -= proposed.length
      const event = { kind: 'propose', count: proposed.length, bytes: recordBytesOf(proposed) } as const
      this.step(event, { ...NO_INPUT, proposed })
      this.proposals.release()
    }
  }

  private step(event: RaftEvent, input: StepInput): void {
    if (this.stopped !== null) return
    const before = this.raft
    const wasLeader = role(before) === 'leader'
    const result = step(before, this.options.clock.monotonicMs(), event)
    this.options.check?.(before, result.state)
    this.raft = result.state
    this.wakeAt = result.wakeAt
    this.stepInput = input
    const isLeader = role(this.raft) === 'leader'
    if (isLeader && !wasLeader) this.leadership.begin(this.raft)
    for (const effect of result.effects) {
      // A store that fails, or a sink that closes the node, within an effect ends the step.
      if (this.stopped === null) this.perform(effect)
    }
    if (this.stopped === null && wasLeader && !isLeader) this.leadership.end(this.raft)
    // Only a candidate raises the term and is a candidate afterwards: each such step is one election.
    if (this.stopped === null && role(this.raft) === 'candidate' && this.raft.currentTerm > before.currentTerm) {
      this.note({ kind: 'electionBegun', term: this.raft.currentTerm })
    }
  }

  private perform(effect: Effect): void {
    switch (effect.kind) {
      case 'persist':
        this.logWrites.persist(effect, this.stepInput, this.raft)
        return
      case 'send':
        this.outgoing.dispatch(effect.to, effect.message, effect.after)
        return
      case 'apply':
        this.commitSoon()
        return
      case 'abort':
        this.pending.abort(effect.from)
        return
      case 'refused':
        for (const { sink } of this.stepInput.proposed) sink?.refused(effect.reason, effect.leader)
        return
      default:
        unreachable(effect)
    }
  }

  /** PERF: entries are applied after this turn, whose messages are on their way while the machine works. */
  private commitSoon(): void {
    if (this.commitPending) return
    this.commitPending = true
    this.options.clock.defer(() => {
      this.commitPending = false
      this.pipeline.commit(this.raft.commitIndex)
    })
  }

  private checkBootstrap(): void {
    const configuration = this.peers.bootstrapConfiguration(configurationOf(this.raft) !== null)
    if (configuration !== null) this.loop.enqueue({ kind: 'bootstrapped', configuration })
  }

  private arm(): void {
    this.loop.wakeAt(Math.min(this.wakeAt, this.leadership.dueAt(this.raft, this.leading)))
  }

  /** Entries may be applied outside of a turn: a leader that has just become ready begins its duties all the same. */
  private batchApplied(): void {
    this.announce()
    this.arm()
  }

  private announce(): void {
    this.roleNews.tell(this, this.raft.currentTerm, this.listeners)
  }

  /** Listeners go by the leader's address alone. */
  private memberMoved(member: NodeId): void {
    if (member !== this.leader) return
    for (const listener of this.listeners) listener.roleChanged()
  }

  /** Told once, until a turn finds no write that old. */
  private noteSlowDisk(writeAgeMs: number): void {
    const slow = writeAgeMs > this.options.raft.electionTimeoutMinMs
    if (slow && !this.diskIsSlow) this.note({ kind: 'diskSlow', writeAgeMs })
    this.diskIsSlow = slow
  }

  private note(event: NodeEvent): void {
    for (const listener of this.listeners) listener.noted?.(event)
  }

  /** A fault: the node stops, the quorum lives (architecture.md §9.3). */
  private stop(fault: NonNullable<Driver['stopped']>): void {
    if (this.stopped !== null) return
    this.stopped = fault
    this.endProposals()
    for (const listener of this.listeners) listener.stopped(fault)
  }

  /** Nothing is proposed, sent, applied or waited for any more. */
  private endProposals(): void {
    this.loop.stop()
    this.pipeline.stop()
    this.outgoing.stop()
    this.proposals.refuse('SHUTTING_DOWN', this.leader)
    this.leadership.duties.refuse('SHUTTING_DOWN')
    this.pending.abortAll()
  }

  private time(): ClockReading {
    const { clock } = this.options
    const voters = configurationOf(this.raft)?.voters.length ?? 1
    return { monotonicMs: clock.monotonicMs(), wallMs: clock.wallMs(), voters }
  }
}
