import type { GroupId, LogIndex, Millis, NodeId, Term } from '../base/brand.ts'
import type { SessionNumbers } from '../codec/entry/payload.ts'
import type { EntryKind } from '../codec/entry/entry.ts'
import type { Obligation, TransferOutcome } from '../raft/types.ts'
import type { HaltCode } from '../session/run/halt.ts'
import type { MachineLine } from '../session/machine-report.ts'
import type { Applied, LimboRows, MachineStatus, Reply, StateMachine } from '../session/state-machine.ts'
import type { MachineFailures, ToldFailure } from './apply/machine-reports.ts'
import type { Build } from './ports/peer-transport.ts'
import type { WriteStage } from './ports/log-store.ts'
import type { AwaitedVersion } from './propose/machine-advances.ts'
import type { StateDifference } from './apply/state-comparison.ts'
import type { PullProgress } from './install/snapshot-pull.ts'
import type { Inspection } from './inspect/inspection.ts'
import type { Membership } from './membership/membership.ts'
import type { SkipRefusal, Stop, VoterStops } from './skip/voter-stops.ts'

/** Why a proposal was not appended: definite for this copy (sessions.md §3). */
export type SubmitRefusal =
  | 'NOT_LEADER'
  | 'OVERLOADED'
  | 'NO_QUORUM'
  | 'STORAGE_STALLED'
  | 'DISK_FULL'
  | 'TRANSFERRING'
  | 'APPLY_BEHIND'
  | 'HALTED'
  | 'SHUTTING_DOWN'

/**
 * Who waits for one proposal: an object of the caller's, so that the hot path makes no closure and no promise. Exactly
 * one of the methods is called, exactly once; before it perhaps `appended`.
 */
export interface ProposalSink {
  /**
   * The entry has this index in this node's log, and everything that is submitted from now on has a higher one. It may never
   * be on disk, committed or applied: `settled` or `lost` follows. What this throws ends the process.
   */
  appended?(index: number): void
  /** The entry was applied on this node. `now` is its header's. */
  settled(reply: Reply, index: number, now: number): void
  /** Nothing was appended. */
  refused(code: SubmitRefusal, leader: NodeId | null): void
  /** Appended, but this node cannot tell any more whether it was or will be committed: unknown. */
  lost(): void
}

/** Why a read was not served. READ_UNCONFIRMED: no leader confirmed it in time, or its entries were not applied by then. */
export type ReadRefusal = 'READ_UNCONFIRMED' | 'HALTED' | 'SHUTTING_DOWN'

/**
 * Who waits for one linearizable read: an object of the caller's, which may stand for as many queries as arrived before
 * `begun`. `begun` perhaps more than once, then `readyInLimbo` perhaps, of which all this may begin again; then, unless all was
 * answered in limbo, exactly one of the others, once; none of them during the call of `read`.
 */
export interface ReadSink {
  /** The read is under way: whatever arrives from now on needs another one. */
  begun(): void
  /** This node's state holds whatever anybody was told before the read began: queries run now. */
  ready(): void
  /**
   * As `ready`, but for entries of which this leader does not know whether they are committed: queries run that need not wait
   * for that (`StateMachine.queryInLimbo`). Null: nobody can tell what these write, so that all of them wait.
   */
  readyInLimbo(limbo: LimboRows | null): ReadInLimbo
  failed(code: ReadRefusal): void
}

/** How many queries of a sink were answered in limbo, and how many wait until it is over; 0: it hears nothing more. */
export interface ReadInLimbo {
  readonly answered: number
  readonly waiting: number
}

/** Why a node applies and answers nothing more, although it votes and replicates (sessions.md §10). */
export interface Halt {
  readonly code: HaltCode
  /** A sentence for the operator: what differs, and what to do. */
  readonly message: string
  /** Index of the entry that it stopped at. */
  readonly index: number
  /** The part of that entry which the engine failed at; absent for all other codes. */
  readonly part?: string
}

/** The names of Raft's roles (paper §5.1, and the pre-candidate of thesis §9.6). */
export type RoleName = 'follower' | 'preCandidate' | 'candidate' | 'leader'

/** What the session gateway, servers and the CLI may ask of a running node (one Raft group). */
export interface RaftNode {
  readonly id: NodeId
  readonly clusterId: string
  readonly group: GroupId
  /** 0 until the Configuration is applied. */
  readonly incarnation: number
  readonly machine: StateMachine
  readonly role: RoleName
  /** True when this node leads and has applied an entry of its own term: it may answer and deliver. */
  readonly leading: boolean
  /** Whom to turn to; null when nobody is known, and at a leader that has halted. */
  readonly leader: NodeId | null
  /** Not null: this node answers nothing, neither from its machine nor from its cache. */
  readonly halted: Halt | null
  /**
   * An earlier process of this node has applied more entries than this one, or this one had before its state was made anew:
   * until they are applied again, and compared, nothing is answered from the state. It may differ, or goes back.
   */
  readonly replaying: boolean
  /**
   * Where a member is reached: as it says itself, else as this process was started with, else as the Configuration says.
   */
  addressOf(id: NodeId): string | null
  /**
   * Queues one entry; all that arrive in one event-loop turn become one log write and one message per follower. The
   * payload is copied before the call returns.
   */
  submit(kind: EntryKind, payload: Uint8Array, sink: ProposalSink | null): void
  /**
   * Hands leadership over to that voter, or to the best one; `done` hears once what became of it, within a minimum election
   * timeout (`TransferOutcome`). Proposals wait meanwhile.
   */
  transferLeadership(to: NodeId | null, done: (outcome: TransferOutcome) => void): void
  /** Renewal of a session, coalesced with others into one KeepAlive entry per tick; `settled` with `keptAlive`. */
  keepAlive(session: SessionNumbers, sink: ProposalSink): void
  /** For operators. */
  readonly inspection: Inspection
  readonly recovery: {
    readonly stops: Pick<VoterStops, 'current' | 'common'>
    /** Has the part skipped at which every voter has stopped, if it is this one; `sink` is told. Else says why not. */
    skip(stop: Stop, sink: ProposalSink): SkipRefusal | null
    /** Why that part cannot be skipped now; null: it can. */
    checkSkip(stop: Stop): SkipRefusal | null
  }
  readonly membership: Pick<Membership, 'list' | 'change'>
  /** Attached sessions (by index) at this node; the leader's redelivery duty looks at these only. */
  attachedSessions: Set<number>
  listen(listener: NodeListener): void
  status(): NodeStatus
  /** Calls back once appliedIndex ≥ index, or the node halts or closes (false), perhaps at once; never after `cancel`. */
  waitApplied(index: number, done: (reached: boolean) => void): { cancel(): void }
  /** A linearizable read, at whichever node; `waitMs`: how long it may wait for a leader, its index and its entries. */
  read(sink: ReadSink, waitMs: number): void
  /** The log's clock as far as applied: `now` of the last applied entry; the leader adds the time since. */
  logNow(): number
  close(done: () => void): void
}

export interface NodeListener {
  /** After each applied entry, in order, on every node. */
  applied(applied: Applied): void
  /** After each run of applied entries (one batch): the moment to flush frames. */
  batchApplied(): void
  /** Leadership, leader, the leader's address or the term changed. */
  roleChanged(): void
  /** This node leads and has begun to hand over: another leads soon, or else it goes on. */
  handingOver?(): void
  /** The node stops for good: a fault with its code and sentence. */
  stopped(fault: { code: string; message: string }): void
  /** What a log of the node's life would tell; rare, never per command. */
  noted?(event: NodeEvent): void
  /** A machine's function failed, or its `ctx.log` is this node's to tell. */
  reported?(report: MachineLine | ToldFailure): void
}

/** Facts of a node's life, besides the fault that stops it. */
export type NodeEvent =
  /** Leadership, leader or term changed, as `NodeListener.roleChanged` says: the values now. */
  | {
      readonly kind: 'roleChanged'
      readonly role: RoleName
      readonly leader: NodeId | null
      readonly term: Term
      readonly leading: boolean
    }
  /** This node became a candidate in that term. */
  | { readonly kind: 'electionBegun'; readonly term: Term }
  /** A snapshot is switched on and durable: its last index, rows written for it, ms from its first row on. */
  | {
      readonly kind: 'snapshotWritten'
      readonly index: LogIndex
      readonly rows: number
      readonly durationMs: number
    }
  /** A snapshot of another member took the place of this node's state: its last index, its rows, ms from the first part on. */
  | {
      readonly kind: 'snapshotInstalled'
      readonly index: LogIndex
      readonly rows: number
      readonly durationMs: number
    }
  /**
   * The oldest log write that is not on disk is older than the minimum election timeout: its age in ms, and what it waits for.
   * Said once, and again only after a turn that found no such write.
   */
  | { readonly kind: 'diskSlow'; readonly writeAgeMs: number; readonly stage: WriteStage }
  /**
   * For a minimum election timeout no further entry was committed, with some that are on this leader's disk (`replicate`), or
   * applied, with some that are committed (`apply`); `index`: the last one that was. Said once until it goes on.
   */
  | {
      readonly kind: 'progressSlow'
      readonly stage: 'replicate' | 'apply'
      readonly index: LogIndex
      readonly waitedMs: number
    }
  /**
   * These members made another state of the log, first seen at that index; said once of each until it agrees again.
   * `decided`: a majority of the voters has this node's state, so they halt themselves; else nobody knows who is right.
   */
  | ({ readonly kind: 'stateDiffers'; readonly decided: boolean } & StateDifference)
  /** At the leader: a version is not switched on, for these voters are not known to have it. Said as that changes. */
  | ({ readonly kind: 'versionAwaited' } & AwaitedVersion)
  /** That member's machines run in the other mode (machines.md §2): nothing of it is heard. Said once, until it is another. */
  | { readonly kind: 'modeDiffers'; readonly peer: NodeId; readonly development: boolean }
  /** Before the first election, a disk of that voter was heard and another one since, which counts. Said once of each voter. */
  | { readonly kind: 'diskIgnored'; readonly peer: NodeId }
  /** From now on this node applies and answers nothing. Said once. */
  | ({ readonly kind: 'halted' } & Halt)
  /**
   * No voter has what this node lost and owed, up to entry `owed`: the longest of all their logs ends at `index`, and the
   * cluster goes on from there. What was acknowledged behind `index` is lost, if anything was.
   */
  | { readonly kind: 'entriesLost'; readonly index: LogIndex; readonly owed: LogIndex }
  /** The state that it halted for is here, up to that index: it applies and serves again. */
  | { readonly kind: 'resumed'; readonly index: LogIndex }

export interface NodeStatus {
  readonly id: NodeId
  readonly role: RoleName
  readonly leader: NodeId | null
  readonly term: Term
  readonly commitIndex: LogIndex
  readonly appliedIndex: LogIndex
  readonly lastIndex: LogIndex
  readonly stateHash: string
  readonly snapshotIndex: LogIndex
  readonly syncP50Ms: number
  readonly syncP99Ms: number
  readonly sessions: number
  readonly rows: number
  /** Of its machines, since the process began. */
  readonly failures: MachineFailures
  /** Leader only: what it knows of each follower. */
  readonly followers: readonly { readonly id: NodeId; readonly matchIndex: LogIndex; readonly contactMs: number }[]
  readonly voters: readonly NodeId[]
  /** Initial voters that have not told this node their instance yet, before there is a Configuration; else empty. */
  readonly awaited: readonly NodeId[]
  /** Why this node applies and answers nothing more; null while it does. */
  readonly halted: Halt | null
  /** Every machine that the log, as far as applied, or this build knows. */
  readonly machines: readonly MachineStatus[]
  /** Version of Node that runs this process, and of the package; '': not known. */
  readonly runtime: string
  readonly holdfast: string
  /** Whether its machines run as in development. */
  readonly development: boolean
  /** What the other members are built of, as far as they have said while this process ran. */
  readonly peerBuilds: readonly ({ readonly id: NodeId } & Build)[]
  /** Members that made another state of the log than this node, and the index at which that was seen; null: none known. */
  readonly differs: StateDifference | null
  /** The snapshot of another member that is on its way; null: none is. */
  readonly pull: PullProgress | null
  /** What this node must reach or hear before it votes, for its log was damaged; null: nothing. */
  readonly owes: Obligation | null
  /** Length of the leases that the newest Configuration of its log puts in force, ms; 0: none. */
  readonly leaseMs: Millis
  /** Leader only: a read that arrived now would be answered by a lease. False where none is held because nobody reads. */
  readonly leaseHeld: boolean
  /** Leader only: for how many rounds of reads it has asked the others, in this term. */
  readonly readRounds: number
  /**
   * Queries that this process, as a new leader, has answered before it knew what was committed, and those that had to wait for
   * that.
   */
  readonly limboAnswered: number
  readonly limboWaited: number
}
