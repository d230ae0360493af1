import { logIndex, type LogIndex, minIndex, type NodeId } from '../base/brand.ts'
import { encodePayload } from '../codec/entry/payload-codec.ts'
import { configurationOf, role, termAt, type RaftState } from '../raft/index.ts'
import type { RaftEvent } from '../raft/types.ts'
import type { ApplyHalt, HaltCode } from '../session/run/halt.ts'
import type { NodeEvent, NodeListener, ProposalSink } from './api.ts'
import { ApplyPipeline } from './apply/apply-pipeline.ts'
import { backupMoment } from './backup/backup-moment.ts'
import { BackupSource } from './backup/backup-source.ts'
import { Installation } from './install/installation.ts'
import { OwnReload } from './install/own-reload.ts'
import { RetainedLog } from './install/retained-log.ts'
import { SnapshotSource } from './install/snapshot-source.ts'
import type { Inspection } from './inspect/inspection.ts'
import type { Members } from './membership/members.ts'
import type { DriverOptions } from './options.ts'
import type { Peers } from './peers/peers.ts'
import type { AnswerSnapshot, SnapshotRequest } from './ports/snapshot-transfer.ts'
import type { StorageFault } from './ports/storage-fault.ts'
import type { LogClock } from './propose/log-clock.ts'
import type { Pending } from './propose/pending.ts'
import { KIND_SINCE } from '../session/own-versions.ts'
import { KnownSkips } from './skip/known-skips.ts'
import { StopRecovery } from './skip/stop-recovery.ts'

export interface ApplyingParts {
  readonly members: Members
  readonly pending: Pending
  readonly peers: Peers
  readonly clock: LogClock
  /** Whose feed is told of what is passed over, and which is given what backups are read from. */
  readonly inspection: Inspection
  readonly listeners: readonly NodeListener[]
  /** The core's state as it is when asked. */
  raft(): RaftState
  /** Why this node has halted: it applies nothing, whatever is installed. Null: it has not. */
  halted(): HaltCode | null
  /** The state that it halted for is here, that of the others at that index. */
  resumed(index: LogIndex): void
  stopped(): boolean
  enqueue(event: RaftEvent): void
  /** The Configuration at that index is applied. */
  configurationApplied(index: LogIndex): void
  batchApplied(): void
  note(event: NodeEvent): void
  haltBy(halt: ApplyHalt): void
  /** Has a SkipEntry appended, halted as this node is. */
  submitSkip(payload: Uint8Array, sink: ProposalSink): void
  fault(fault: StorageFault | { readonly code: string; readonly message: string }): void
}

/**
 * What this node makes of the log: the pipeline that applies it, one after the other where an installed snapshot takes the
 * place of the state; and what other members pull from here, for which the log stays.
 */
export class Applying {
  /** The one that applies now. */
  pipeline: ApplyPipeline
  readonly installation: Installation
  private readonly options: DriverOptions
  private readonly parts: ApplyingParts
  private readonly source: SnapshotSource
  private readonly backups: BackupSource
  readonly retained: RetainedLog
  readonly skips: KnownSkips
  readonly recovery: StopRecovery
  /** Before this entry is applied nothing is answered: the state was further on before it was made anew. */
  private answersFrom = logIndex(0)

  constructor(options: DriverOptions, parts: ApplyingParts) {
    this.options = options
    this.parts = parts
    const { snapshots, clock, machine, snapshot } = options
    this.source = new SnapshotSource({ store: snapshots, clock, fault: (fault) => parts.fault(fault) })
    this.backups = new BackupSource({
      store: snapshots,
      log: options.log,
      moment: () => backupMoment(options, parts.members),
      stopped: () => parts.stopped(),
      halted: () => parts.halted(),
      isBack: () => this.isBack,
      fault: (fault) => parts.fault(fault),
    })
    parts.inspection.backups = this.backups
    this.retained = new RetainedLog({
      log: options.log,
      pulled: () => this.pulled,
      intervalBytes: () => machine.limits.snapshotBytes,
      letGo: (index) => parts.enqueue({ kind: 'snapshotted', index }),
    })
    this.skips = new KnownSkips(options.recovered.skips ?? [], () => parts.raft().commitIndex)
    this.pipeline = this.newPipeline(snapshot?.lastIncludedIndex ?? logIndex(0))
    this.installation = this.newInstallation()
    this.recovery = this.newRecovery()
  }

  /** The connection to a peer is open. */
  connected(peer: NodeId): void {
    this.pipeline.connected(peer)
    this.recovery.asked(peer)
  }

  /** The state was made anew of this node's own snapshot, and is not where it was: older than what was told before. */
  get isBack(): boolean {
    return this.pipeline.applied < this.answersFrom
  }

  /** Nothing is answered from the state: it may differ from an earlier process's, or is older than what was told. */
  get replaying(): boolean {
    return this.isBack || this.pipeline.replaying
  }

  /** A boundary is due: the log has grown long, or a voter has stopped at an entry that this node got past. */
  get snapshotIsDue(): boolean {
    if (this.retained.isLong) return true
    return this.recovery.stops.newestBelow(this.pipeline.applied) > this.pipeline.boundaryIndex
  }

  /** Pulls the snapshot that takes the place of the state which was set aside, if one was. */
  awaitState(): void {
    this.installation.awaitState()
  }

  /** A member asks for a part of the newest snapshot here: one that most have another state than may be wrong too. */
  answer(request: SnapshotRequest, done: AnswerSnapshot): void {
    const { stopped, halted, peers } = this.parts
    const mayBeWrong = halted() === 'DIVERGED' || halted() === 'SKIP_MISSED'
    if (stopped() || mayBeWrong || !peers.admits(request)) done(null)
    else this.source.answer(request, done)
  }

  /** The log from behind this entry on is wanted, by a member that pulls or by a backup; null: nobody wants it. */
  private get pulled(): LogIndex | null {
    const [pulled, pinned] = [this.source.pulled, this.backups.pinned]
    return pulled === null || pinned === null ? (pulled ?? pinned) : minIndex(pulled, pinned)
  }

  /** Nothing is pulled any more, neither way; calls back once nothing is being written. */
  close(done: () => void): void {
    this.installation.close()
    this.recovery.close()
    this.source.close()
    this.backups.close()
    this.pipeline.close(done)
  }

  private newRecovery(): StopRecovery {
    const { parts, options, installation, skips } = this
    const { identity, clock, raft, transport, machine, trail } = options
    const reload = new OwnReload(options, {
      pipeline: () => this.pipeline,
      stopped: () => parts.stopped(),
      reloaded: (index) => {
        // Also the entry that has the part skipped is applied by then.
        this.answersFrom = logIndex(Math.max(parts.raft().commitIndex, this.pipeline.applied, this.answersFrom))
        parts.resumed(index)
        this.succeed(index, false)
      },
      fault: (fault) => parts.fault(fault),
    })
    return new StopRecovery({
      self: identity.id,
      voters: () => configurationOf(parts.raft())?.voters ?? [],
      connected: (member) => transport.connected(member),
      changed: (voters) => parts.enqueue({ kind: 'votersHalted', voters }),
      clock,
      everyMs: 2 * raft.electionTimeoutMaxMs,
      skips,
      commitIndex: () => parts.raft().commitIndex,
      snapshotIndex: () => this.pipeline.snapshotIndex,
      tell: (stop, to) => parts.peers.tellStopped(stop, to),
      pull: (least) => installation.awaitSnapshot(least),
      pullNoMore: () => installation.awaitNoMore(),
      reload: (doubted) => {
        trail.discardAbove(doubted - 1)
        reload.begin()
      },
      leads: () => role(parts.raft()) === 'leader',
      takes: () => machine.own.active >= (KIND_SINCE.SkipEntry ?? 0),
      propose: (stop, sink) => parts.submitSkip(encodePayload('SkipEntry', stop), sink),
    })
  }

  private newInstallation(): Installation {
    const { parts } = this
    return new Installation(this.options, {
      members: parts.members,
      pending: parts.pending,
      clock: parts.clock,
      envelope: (to) => parts.peers.envelopeTo(to),
      commitIndex: () => parts.raft().commitIndex,
      voters: () => configurationOf(parts.raft())?.voters ?? [],
      resumed: (index) => parts.resumed(index),
      pipeline: () => this.pipeline,
      succeed: (applied, agreed) => this.succeed(applied, agreed),
      passedOver: (upTo) => parts.inspection.feed.passOver(upTo),
      enqueue: (event) => parts.enqueue(event),
      halted: (halt) => parts.haltBy(halt),
      note: (event) => parts.note(event),
      stopped: () => parts.stopped(),
      fault: (fault) => parts.fault(fault),
    })
  }

  /** The log is on disk up to `applied` as far as that pipeline need know: until the core says more. */
  private succeed(applied: LogIndex, agreed: boolean): void {
    const retired = this.pipeline
    this.pipeline = this.newPipeline(applied, agreed)
    this.pipeline.durable(applied)
    this.pipeline.succeed(retired)
    if (this.parts.halted() !== null) this.pipeline.halt()
    else this.pipeline.commitSoon(() => this.parts.raft().commitIndex)
  }

  /** What applies from that index on; `agreed`: a majority is known to have the state there. */
  private newPipeline(applied: LogIndex, agreed = false): ApplyPipeline {
    const { parts } = this
    this.retained.begin(applied)
    return new ApplyPipeline(this.options, {
      members: parts.members,
      pending: parts.pending,
      feed: parts.inspection.feed,
      listeners: parts.listeners,
      applied,
      agreed,
      ledHere: (index) => {
        const raft = parts.raft()
        return role(raft) === 'leader' && termAt(raft, logIndex(index)) === raft.currentTerm
      },
      // In a joint configuration those that stay or come: who is right must hold among them once the others have gone.
      voters: () => configurationOf(parts.raft())?.voters ?? [],
      tell: (sample, to) => parts.peers.tellApplied(sample, to),
      skips: this.skips,
      retained: this.retained,
      configurationApplied: (index) => parts.configurationApplied(index),
      batchApplied: () => parts.batchApplied(),
      note: (event) => parts.note(event),
      halted: (halt) => parts.haltBy(halt),
      fault: (fault) => parts.fault(fault),
    })
  }
}
