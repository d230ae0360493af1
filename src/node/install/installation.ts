import { logIndex, type LogIndex, type NodeId } from '../../base/brand.ts'
import type { RaftEvent } from '../../raft/types.ts'
import type { ApplyHalt } from '../../session/run/halt.ts'
import type { ApplyPipeline } from '../apply/apply-pipeline.ts'
import type { NodeEvent } from '../api.ts'
import { configurationIn, configurationOfSnapshot } from '../membership/known-configuration.ts'
import type { Members } from '../membership/members.ts'
import type { DriverOptions } from '../options.ts'
import type { SnapshotMeta } from '../ports/snapshot-store.ts'
import type { SnapshotRequest } from '../ports/snapshot-transfer.ts'
import type { StorageFault } from '../ports/storage-fault.ts'
import type { LogClock } from '../propose/log-clock.ts'
import type { Pending } from '../propose/pending.ts'
import { stepRestore } from '../restored-state.ts'
import { type Incoming, SnapshotPull, type SnapshotPullPorts } from './snapshot-pull.ts'
import { StateRefetch } from './state-refetch.ts'

export interface InstallationParts {
  readonly members: Members
  readonly pending: Pending
  readonly clock: LogClock
  /** The envelope for a request to that member; null: its instance is not known. */
  envelope(to: NodeId): Pick<SnapshotRequest, 'recipientInstance'> | null
  commitIndex(): LogIndex
  /** Of the effective configuration. */
  voters(): readonly NodeId[]
  /** The state that this node halted for is here. */
  resumed(index: LogIndex): void
  /** That which applies now. */
  pipeline(): ApplyPipeline
  /** Applies from the machine's new state on, in place of the one that was retired; `agreed`: most have that state. */
  succeed(applied: LogIndex, agreed: boolean): void
  /** The machine's state is that of the snapshot: the entries up to there are never applied here. */
  passedOver(upTo: LogIndex): void
  enqueue(event: RaftEvent): void
  halted(halt: ApplyHalt): void
  note(event: NodeEvent): void
  stopped(): boolean
  fault(fault: StorageFault): void
}

/**
 * Installs a snapshot that was pulled: between two entries, and as a whole. First it is switched to on disk; a process that
 * dies from then on begins with it, and its log, if it does not hold the snapshot's last entry, is given up at that open. Then
 * the machine's state is replaced, and the core is told, which gives the running log up in the same case.
 */
export class Installation {
  readonly pull: SnapshotPull
  private readonly options: DriverOptions
  private readonly parts: InstallationParts
  private refetch: StateRefetch | null
  private readonly ask: SnapshotPullPorts['ask']
  private installed: SnapshotMeta | null = null

  constructor(options: DriverOptions, parts: InstallationParts) {
    this.options = options
    this.parts = parts
    const { identity, transport, snapshots, codec, clock, machine, raft } = options
    const ask: SnapshotPullPorts['ask'] = (to, part, done) => {
      const known = parts.envelope(to)
      if (known === null) return
      const { clusterId, group, id: sender, instance: senderInstance } = identity
      transport.pull(to, { clusterId, group, sender, recipient: to, senderInstance, ...known, ...part }, done)
    }
    this.ask = ask
    this.pull = new SnapshotPull({
      store: snapshots,
      codec,
      clock,
      machine,
      askAgainMs: 2 * raft.electionTimeoutMaxMs,
      ask,
      complete: (incoming, done) => this.restore(incoming, (halt) => this.begin(incoming, halt, done)),
      fault: (fault) => parts.fault(fault),
    })
    const { awaited = null, recovered } = options
    const least = logIndex(recovered.firstIndex - 1)
    this.refetch = awaited === null ? null : this.newRefetch(least, awaited.agreed)
  }

  /** Pulls the snapshot that takes the place of the state which was set aside, if one was. */
  awaitState(): void {
    this.refetch?.begin()
  }

  /** The state here is nobody's: a snapshot of any voter that reaches that index takes its place, whatever the log holds. */
  awaitSnapshot(least: LogIndex): void {
    this.refetch?.end()
    this.refetch = this.newRefetch(least, false)
    this.refetch.begin()
  }

  /** Another way was found: no snapshot is wanted but one that the core wants. */
  awaitNoMore(): void {
    this.refetch?.end()
  }

  /**
   * The core wants a snapshot that reaches `index`, of a leader whose log begins there; while another is chosen, that one. Not
   * one that is installed already: an offer may be read before the core hears of it.
   */
  want(from: NodeId, index: LogIndex): void {
    const installed = this.installed?.lastIncludedIndex ?? 0
    if (this.refetch?.awaits !== true && index > installed) this.pull.want(from, index)
  }

  /** Nothing is pulled any more. */
  close(): void {
    this.refetch?.end()
    this.pull.close()
  }

  /** Of the snapshot installed last: what its last entry is to the chain of the log. */
  get last(): SnapshotMeta | null {
    return this.installed
  }

  /** The log goes on behind the snapshot installed last: nothing of what it held counts any more. */
  restarted(): void {
    const { installed } = this
    if (installed === null) return
    const { members, clock } = this.parts
    members.truncateFrom(logIndex(0))
    members.add(configurationOfSnapshot(installed))
    clock.adopt(installed.lease, installed.now)
  }

  private newRefetch(least: LogIndex, agreed: boolean): StateRefetch {
    const { identity, clock, raft } = this.options
    return new StateRefetch({
      clock,
      everyMs: 2 * raft.electionTimeoutMaxMs,
      others: () => this.parts.voters().filter((voter) => voter !== identity.id),
      least,
      agreed,
      ask: this.ask,
      pull: this.pull,
    })
  }

  /** What is derived from the rows is rebuilt within a turn's budget at a time: the log goes on meanwhile, and so do votes. */
  private restore(incoming: Incoming, done: (halt: ApplyHalt | null) => void): void {
    const { clock } = this.options
    const { successor, meta } = incoming
    this.parts.pipeline().inTurn((until) => {
      let outcome = stepRestore(successor, meta)
      while (outcome === 'more' && clock.monotonicMs() < until) outcome = stepRestore(successor, meta)
      if (outcome === 'more') this.restore(incoming, done)
      else done(outcome)
    })
  }

  private begin(incoming: Incoming, halt: ApplyHalt | null, done: () => void): void {
    const { meta, install, successor } = incoming
    const { pipeline, stopped } = this.parts
    // The log has caught up meanwhile, or a part of the snapshot is not what its member has applied.
    const isWanted = !stopped() && (this.refetch?.awaits === true || meta.lastIncludedIndex > this.parts.commitIndex())
    if (!isWanted || successor.stateHash() !== meta.stateHash) return install.abandon(done)
    // Nothing is applied until it is installed: that would be lost to the next snapshot.
    pipeline().retire(() => {
      if (stopped()) return install.abandon(done)
      install.finish((fault, whole) => {
        if (fault !== null) this.parts.fault(fault)
        else if (!whole) return this.goOn(install, done)
        else if (!stopped()) this.takeOver(incoming)
        if (halt !== null && !stopped()) this.parts.halted(halt)
        done()
      })
    })
  }

  /** What was pulled does not make up its snapshot: the disk has the one before, and so has the machine. */
  private goOn(install: Incoming['install'], done: () => void): void {
    if (!this.parts.stopped()) this.parts.succeed(this.parts.pipeline().applied, false)
    install.abandon(done)
  }

  private takeOver(incoming: Incoming): void {
    const { meta, total, startedAt } = incoming
    const { lastIncludedIndex: index, lastIncludedTerm: term } = meta
    const { pending, succeed, enqueue, note } = this.parts
    incoming.successor.takeOver()
    this.installed = meta
    // Whoever proposed an entry that the snapshot covers is not told what came of it here: it asks the leader.
    pending.abortAll()
    const agreed = this.refetch?.awaits === true && this.options.awaited?.agreed === true
    if (this.refetch?.awaits === true) this.end(this.refetch, index)
    succeed(index, agreed)
    this.parts.passedOver(index)
    const { clock, identity } = this.options
    const known = configurationOfSnapshot(meta)
    // Not as the member knows it that took the snapshot: for this node, the voter of its id may be another disk.
    const configuration = configurationIn(known.payload, identity)
    enqueue({ kind: 'snapshotInstalled', index, term, configurations: [{ index: known.index, configuration }] })
    const durationMs = clock.monotonicMs() - startedAt
    note({ kind: 'snapshotInstalled', index, rows: total, durationMs })
  }

  /** The state that was set aside has its successor, durably. */
  private end(refetch: StateRefetch, index: LogIndex): void {
    refetch.end()
    this.options.awaited?.arrived()
    this.parts.resumed(index)
  }
}
