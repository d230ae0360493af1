import type { GroupId, NodeId, WriteNumber } from '../base/brand.ts'
import { configurationOf, leaderOf, role, type RaftState } from '../raft/index.ts'
import type { Halt, NodeListener, NodeStatus, RaftNode } from './api.ts'
import { Audience } from './audience.ts'
import { Applying, type ApplyingParts } from './applying.ts'
import { Closing } from './closing.ts'
import { Leadership } from './leadership.ts'
import { Inspection } from './inspect/inspection.ts'
import { type ClockReading, LogClock, readingOf } from './propose/log-clock.ts'
import { knownConfigurations } from './membership/known-configuration.ts'
import { Members } from './membership/members.ts'
import { Membership } from './membership/membership.ts'
import type { DriverOptions } from './options.ts'
import { Peers } from './peers/peers.ts'
import { Pending } from './propose/pending.ts'
import type { Build, PeerFrame } from './ports/peer-transport.ts'
import type { AnswerSnapshot, SnapshotRequest } from './ports/snapshot-transfer.ts'
import type { StorageFault } from './ports/storage-fault.ts'
import { ProposalBatches } from './propose/proposal-batches.ts'
import { type Proposal, proposalOf, Proposals } from './propose/proposals.ts'
import { NO_INPUT } from './propose/write-records.ts'
import { ReadRequests } from './reads/read-requests.ts'
import { Serving } from './serving.ts'
import { statusOf } from './status.ts'
import { CoreSteps } from './turn/core-steps.ts'
import { StepEffects } from './turn/step-effects.ts'
import { TurnLoop } from './turn/turn-loop.ts'

/**
 * One node around the one core (architecture.md §1): one queue of events, effects performed in list order, one batch per
 * event-loop turn. Inbound messages are processed before an election timer fires (raft.md §2.12).
 */
export class Driver implements RaftNode {
  readonly id: NodeId
  readonly clusterId: string
  readonly group: GroupId
  readonly attachedSessions = new Set<number>()
  readonly machine: DriverOptions['machine']
  private readonly options: DriverOptions
  private readonly core: CoreSteps
  private readonly logClock: LogClock
  private readonly members: Members
  private readonly pending = new Pending()
  private readonly proposals = new Proposals()
  private readonly batches: ProposalBatches
  private readonly peers: Peers
  private readonly applying: Applying
  private readonly shared: Pick<ApplyingParts, 'members' | 'pending' | 'peers' | 'clock'>
  private readonly reads: ReadRequests
  private readonly leadership: Leadership
  private readonly effects: StepEffects
  private readonly serving: Serving
  private readonly audience = new Audience()
  private readonly loop: TurnLoop
  /** What members are built of, this node among them, as they have said last. */
  readonly builds: ReadonlyMap<NodeId, Build>
  readonly inspection: Inspection
  readonly membership: Membership
  readonly recovery: Applying['recovery']
  private readonly closing = new Closing()

  constructor(options: DriverOptions) {
    this.options = options
    this.id = options.identity.id
    this.clusterId = options.identity.clusterId
    this.group = options.identity.group
    this.machine = options.machine
    const { clock, recovered, snapshot } = options
    this.logClock = new LogClock(options.raft)
    this.logClock.adopt(recovered.lastLease, recovered.lastNow)
    this.members = new Members(knownConfigurations(recovered, snapshot))
    this.peers = new Peers(options, this.members, {
      moved: (member) => void (member === this.leader && this.audience.leaderMoved()),
      applied: (member, sample) => this.applying.pipeline.hear(member, sample),
      stopped: (member, stop) => this.recovery.stops.hear(member, stop),
      asked: (member) => this.recovery.asked(member),
      note: (event) => this.audience.note(event),
    })
    this.builds = this.peers.builds.said
    this.inspection = new Inspection({ ...options, stopped: () => this.serving.stopped !== null }, this.logClock)
    this.shared = { members: this.members, pending: this.pending, peers: this.peers, clock: this.logClock }
    this.applying = this.newApplying()
    this.recovery = this.applying.recovery
    this.batches = new ProposalBatches(options, {
      proposals: this.proposals,
      propose: (proposed) => this.propose(proposed),
      stopped: () => this.serving.stopped !== null,
      raft: () => this.core.state,
      applied: () => this.applying.pipeline.applied,
      leader: () => this.leader,
      note: (event) => this.audience.note(event),
    })
    this.membership = this.newMembership()
    this.reads = this.newReads()
    this.leadership = this.newLeadership()
    this.effects = new StepEffects(options, {
      pipeline: () => this.applying.pipeline,
      installation: this.applying.installation,
      reads: this.reads,
      raft: () => this.core.state,
      fault: (fault) => this.stop(fault),
      membership: this.membership,
      skips: this.applying.skips,
      committed: () => this.recovery.look(),
      someStopped: () => this.recovery.stops.some,
      ...this.shared,
      proposals: this.proposals,
      transferEnded: (outcome) => this.core.transfers.ended(outcome),
      note: (event) => this.audience.note(event),
      stamp: () => this.logClock.stamp(this.time()),
    })
    this.core = new CoreSteps(options, this.id, {
      effects: this.effects,
      stopped: () => this.serving.stopped !== null,
      durable: (index) => this.applying.pipeline.durable(index),
      leadershipBegun: (raft) => this.leadership.begin(raft),
      leadershipEnded: (raft) => this.leadership.end(raft),
      audience: this.audience,
    })
    this.loop = new TurnLoop(clock, () => this.turn())
    this.serving = this.newServing()
  }

  get incarnation(): number {
    return this.members.newest?.incarnation ?? 0
  }

  get role(): ReturnType<typeof role> {
    return role(this.core.state)
  }

  get leader(): NodeId | null {
    const leader = leaderOf(this.core.state)
    // A leader that applies nothing is nobody's to turn to.
    return leader === this.id && this.halted !== null ? null : leader
  }

  get halted(): Halt | null {
    return this.serving.halted
  }

  get replaying(): boolean {
    return this.applying.replaying
  }

  get leading(): boolean {
    if (this.serving.stopped !== null || this.halted !== null || this.applying.isBack) return false
    return this.role === 'leader' && this.leadership.isReady(this.applying.pipeline.applied)
  }

  addressOf(id: NodeId): string | null {
    return this.peers.addresses.of(id)
  }

  /** Where this node is reached, once it listens; peers are told, now and on each new connection. */
  advertise(address: string): void {
    this.peers.advertise(address)
  }

  start(): void {
    this.loop.enqueue({ kind: 'start' })
    if (this.options.halt !== null) this.serving.haltBy(this.options.halt)
    this.applying.awaitState()
  }

  listen(listener: NodeListener): void {
    this.audience.listeners.push(listener)
  }

  onPersisted(write: WriteNumber): void {
    this.loop.enqueue({ kind: 'persisted', write })
  }

  onFault(fault: StorageFault): void {
    this.stop(fault)
  }

  onFrame(frame: PeerFrame): void {
    if (this.serving.stopped !== null) return
    const received = this.peers.receive(frame)
    this.checkBootstrap()
    if (received === null) return
    if (this.peers.addresses.concerns(frame.sender))
      this.logClock.sample(frame.sender, received.wallMs, this.options.clock.monotonicMs())
    this.loop.enqueue(received.message)
  }

  onConnected(peer: NodeId): void {
    this.peers.introduce(peer)
    this.applying.connected(peer)
    this.loop.enqueue({ kind: 'reachable', peer })
  }

  onPull(request: SnapshotRequest, answer: AnswerSnapshot): void {
    this.applying.answer(request, answer)
  }

  onUnreachable(peer: NodeId): void {
    this.loop.enqueue({ kind: 'unreachable', peer })
  }

  transferLeadership(...[to, done]: Parameters<RaftNode['transferLeadership']>): void {
    if (this.core.transfers.ask(done)) this.loop.enqueue({ kind: 'transfer', to })
  }

  submit(...[kind, payload, sink]: Parameters<RaftNode['submit']>): void {
    this.serving.submit(kind, payload, sink)
  }

  keepAlive(...[session, sink]: Parameters<RaftNode['keepAlive']>): void {
    this.serving.keepAlive(session, sink)
  }

  waitApplied(...[index, done]: Parameters<RaftNode['waitApplied']>): { cancel(): void } {
    return this.applying.pipeline.waitApplied(index, done)
  }

  read(...[sink, waitMs]: Parameters<RaftNode['read']>): void {
    this.serving.read(sink, waitMs)
  }

  logNow(): number {
    return this.role === 'leader' ? this.logClock.currentNow(this.time()) : this.logClock.guessedNow(this.time())
  }

  /** The core's state as it is, for checks and descriptions; immutable. */
  get raftState(): RaftState {
    return this.core.state
  }

  status(): NodeStatus {
    return statusOf({
      node: this,
      raft: this.core.state,
      options: this.options,
      applying: this.applying,
      awaited: this.peers.bootstrap.awaited(),
      reads: this.reads,
      builds: this.builds,
    })
  }

  close(done: () => void): void {
    const { transport, log, snapshots } = this.options
    this.closing.ask(done, (closed) => {
      this.serving.stop({ code: 'SHUTDOWN', message: 'the node was closed' })
      this.endProposals()
      this.applying.close(() => transport.close(() => log.close(() => snapshots.close(closed))))
    })
  }

  private newServing(): Serving {
    return new Serving({
      self: this.id,
      proposals: this.proposals,
      pending: this.pending,
      pipeline: () => this.applying.pipeline,
      leadership: this.leadership,
      reads: this.reads,
      room: this.options.room,
      role: () => this.role,
      leader: () => this.leader,
      leading: () => this.leading,
      proposed: () => this.loop.schedule(),
      changed: (event) => {
        this.loop.enqueue({ kind: event.kind })
        if (event.kind === 'halted') this.recovery.halted(event)
        else this.recovery.resumed()
        this.audience.note(event)
        this.audience.tellRole(this, this.core.state.currentTerm)
      },
    })
  }

  private newReads(): ReadRequests {
    return new ReadRequests({
      ...this.options,
      askAgainMs: 2 * this.options.raft.heartbeatMs,
      office: () => (leaderOf(this.core.state) === null ? null : this.core.state.currentTerm),
      leads: () => this.role === 'leader',
      applied: () => this.applying.pipeline.applied,
      inTurn: (run) => this.applying.pipeline.inTurn(run),
      ask: (id) => this.core.step({ kind: 'read', id }, NO_INPUT),
      schedule: () => this.loop.schedule(),
    })
  }

  private newLeadership(): Leadership {
    return new Leadership(this, {
      ...this.options,
      setLease: (lease) => this.core.step({ kind: 'setLease', lease }, NO_INPUT),
      logClock: this.logClock,
      pending: this.pending,
      proposals: this.proposals,
      peers: this.peers,
      logIsLong: () => this.applying.snapshotIsDue,
      time: () => this.time(),
      greeted: () => this.checkBootstrap(),
      note: (event) => this.audience.note(event),
    })
  }

  private newApplying(): Applying {
    return new Applying(this.options, {
      ...this.shared,
      inspection: this.inspection,
      listeners: this.audience.listeners,
      raft: () => this.core.state,
      halted: () => this.halted?.code ?? null,
      resumed: (index) => this.serving.resume(index),
      stopped: () => this.serving.stopped !== null,
      enqueue: (event) => this.loop.enqueue(event),
      configurationApplied: (index) => this.membership.applied(index),
      batchApplied: () => this.batchApplied(),
      note: (event) => this.audience.note(event),
      haltBy: (halt) => this.serving.haltBy(halt),
      submitSkip: (payload, sink) => this.serving.submitSkip(payload, sink),
      fault: (fault) => this.stop(fault),
    })
  }

  private newMembership(): Membership {
    return new Membership(this.options, {
      node: this,
      members: this.members,
      applicants: this.peers.applicants,
      enqueue: (event) => this.loop.enqueue(event),
      removed: (halt) => this.serving.haltBy(halt),
    })
  }

  private turn(): void {
    this.logClock.turn(this.options.clock.monotonicMs())
    this.loop.drain((event) => this.core.handle(event))
    this.core.watchDisk()
    if (this.serving.stopped !== null) return
    // Heartbeats leave before the work of proposing.
    this.tickWhenDue()
    this.reads.run()
    this.batches.flush()
    if (this.serving.stopped !== null) return
    this.reads.serve()
    this.leadership.run(this.core.state, this.leading)
    this.audience.tellRole(this, this.core.state.currentTerm)
    this.arm()
    if (this.loop.length > 0 || (this.proposals.count > 0 && !this.batches.wait)) this.loop.schedule()
  }

  /**
   * An election deadline counts only when it had passed as this turn was asked for: what arrived until then was read before the
   * turn ran (raft.md §2.12). Work that went on between the two may have hidden a leader's messages in the sockets.
   */
  private tickWhenDue(): void {
    const until = this.role === 'leader' ? this.options.clock.monotonicMs() : this.loop.askedAt
    if (until >= this.core.wakeAt) this.core.step({ kind: 'tick' }, NO_INPUT)
  }

  private propose(proposed: readonly Proposal[]): void {
    this.core.step(proposalOf(proposed), { ...NO_INPUT, proposed })
  }

  private checkBootstrap(): void {
    const agreed = this.peers.bootstrapConfiguration(configurationOf(this.core.state) !== null)
    if (agreed !== null) this.loop.enqueue({ kind: 'bootstrapped', ...agreed })
  }

  private arm(): void {
    const dutyAt = this.leadership.dueAt(this.core.state, this.leading)
    this.loop.wakeAt(Math.min(this.core.wakeAt, this.core.diskDueAt, dutyAt, this.reads.dueAt()))
  }

  /** Also outside of a turn: a leader that has just become ready begins its duties all the same. */
  private batchApplied(): void {
    this.reads.serve()
    this.audience.tellRole(this, this.core.state.currentTerm)
    this.arm()
  }

  /** A fault: the node stops, the quorum lives (architecture.md §9.3). */
  private stop(fault: NonNullable<Serving['stopped']>): void {
    if (!this.serving.stop(fault)) return
    this.endProposals()
    this.audience.stopped(fault)
  }

  /** Nothing is proposed, sent, applied or waited for any more. */
  private endProposals(): void {
    this.loop.stop()
    this.effects.stop()
    this.core.transfers.stop()
    this.membership.stop()
    this.serving.end()
  }

  private time(): ClockReading {
    const others = (configurationOf(this.core.state)?.voters ?? []).filter((id) => id !== this.id)
    return readingOf(this.options.clock, others)
  }
}
