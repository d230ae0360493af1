import type { LogIndex, Millis, NodeId, Term, WriteNumber } from '../base/brand.ts'
import type { TermRun } from '../base/term-run.ts'
import type { Configuration, ConfigurationEntry, LeaseTerms } from './configuration.ts'
import type { ChangeRefusal, ProposeRefusal, ReadFailure, TransferOutcome } from './refusals.ts'
import type { LogEnd, Obligation } from './owed.ts'

export type * from './configuration.ts'
export type * from './owed.ts'
export type * from './refusals.ts'

/**
 * What the core, its driver and its tests say to each other (architecture.md §3):
 * `step(state, now, event) → { state, effects, wakeAt }`. The core holds terms, never payloads.
 */

/** What one node may never forget, one record in one synced write (paper Figure 2, "persistent state"). */
export interface HardState {
  readonly currentTerm: Term
  readonly votedFor: NodeId | null
}

/** What one node's core is configured with; `initialState` asserts that the numbers fit each other. */
export interface RaftConfig {
  readonly self: NodeId
  /** Leader's heartbeat interval, ms. Default 50. */
  readonly heartbeatMs: Millis
  /** Election timeout is drawn uniformly from [min, max], ms. Default 300, 600. */
  readonly electionTimeoutMinMs: Millis
  readonly electionTimeoutMaxMs: Millis
  /** Thesis §9.6. Default true. */
  readonly preVote: boolean
  /** A leader that has not heard a quorum for one election timeout steps down. Default true. */
  readonly checkQuorum: boolean
  /** Most AppendEntries with entries in flight to one follower. Default 8. */
  readonly inFlightMessagesMax: number
  /** Most entry bytes in flight to one follower. Default 16 MiB. */
  readonly inFlightBytesMax: number
  /** Most entries in one AppendEntries; the driver may split one message into several by bytes. Default 8192. */
  readonly appendEntriesMax: number
  /** Beyond this many bytes of uncommitted proposals a leader refuses new ones. Default 64 MiB. */
  readonly uncommittedBytesMax: number
  /** How long news of a commit waits for a message that it rides on, ms, before it has one of its own; 0: not. Default 10. */
  readonly commitNewsMs: Millis
}

/** What the log and snapshot held when the node opened them. */
export interface Restored {
  readonly hardState: HardState
  /** Index and term before the first entry that the log held; 0, 0 for a log that is whole. A snapshot covers them. */
  readonly snapshotIndex: LogIndex
  readonly snapshotTerm: Term
  /** Runs of every entry above `snapshotIndex` that the log holds, in order, without gap; all of them durable. */
  readonly runs: readonly TermRun[]
  /** Configuration as of the snapshot, then those of log entries, in index order; empty before bootstrap. */
  readonly configurations: readonly ConfigurationEntry[]
  /** Seed of the node's election timeouts. */
  readonly seed: number
  /** The log's newest write number; the state's own writes go on from it (0 for a new log). */
  readonly lastWrite: WriteNumber
  /** Null: nothing was lost. */
  readonly obligation: Obligation | null
}

/** Kinds of entry that the core itself creates; the driver makes their payloads. */
export type CreatedKind = 'noop' | 'configuration' | 'limits' | 'advanceVersion'

/** Where the driver finds the payloads of a run of entries that a persist effect names. */
export type PersistSource =
  /** Created by the core: one entry of this kind; the driver makes the payload. */
  | { readonly kind: 'created'; readonly entryKind: CreatedKind }
  /** The payloads of the `propose` event of this very step, in order. */
  | { readonly kind: 'proposed' }
  /** Record bytes of the AppendEntries message of this very step. */
  | { readonly kind: 'received' }

/** A run of entries to be written, and where their payloads come from. */
export interface PersistRun extends TermRun {
  readonly source: PersistSource
}

/** Why a vote or pre-vote is refused. `notVoter`: by a node that must not vote, for its log was damaged (obligation.ts). */
export type RejectVoteReason =
  | 'leaderAlive'
  | 'staleTerm'
  | 'votedForOther'
  | 'logBehind'
  | 'notVoter'
  | 'notBootstrapped'

/** Raft messages, without payload bytes; the transport attaches the records that `runs` names (paper Figure 2). */
export type Message =
  | {
      readonly kind: 'preVoteRequest'
      /** The term the sender would campaign in: its currentTerm + 1. */
      readonly term: Term
      readonly lastLogIndex: LogIndex
      readonly lastLogTerm: Term
    }
  | {
      readonly kind: 'preVoteResponse'
      /** Responder's currentTerm. */
      readonly term: Term
      /** Term of the request answered, so that stale grants are ignored. */
      readonly requestTerm: Term
      readonly verdict: VoteVerdict
    }
  /** The end of the sender's log, which is durable: said to a node that owes something and asks (survey.ts). */
  | ({
      readonly kind: 'logEnd'
      readonly term: Term
      readonly requestTerm: Term
    } & LogEnd)
  | {
      readonly kind: 'requestVote'
      readonly term: Term
      readonly lastLogIndex: LogIndex
      readonly lastLogTerm: Term
      /** The leader asked the sender to campaign: whoever hears the leader votes all the same (thesis §4.2.3). */
      readonly transfer: boolean
    }
  | { readonly kind: 'requestVoteResponse'; readonly term: Term; readonly verdict: VoteVerdict }
  | {
      readonly kind: 'appendEntries'
      readonly term: Term
      readonly prevLogIndex: LogIndex
      readonly prevLogTerm: Term
      /** Entries carried, as runs from prevLogIndex + 1; empty for a heartbeat. */
      readonly runs: readonly TermRun[]
      /** Already capped so that the follower never learns beyond what it verifies (raft.md §2.4). */
      readonly leaderCommit: LogIndex
      /** Configurations among the entries carried: the driver of the receiver fills it from the records. */
      readonly configurations: readonly ConfigurationEntry[]
      /** Rises with every message a leader sends in a term; echoed, so contact is dated by the send time. */
      readonly sequence: number
    }
  | {
      readonly kind: 'appendEntriesResponse'
      readonly term: Term
      readonly sequence: number
      readonly result:
        | { readonly success: true; readonly matchIndex: LogIndex }
        | {
            readonly success: false
            /** prevLogIndex of the request that was refused. */
            readonly rejectedIndex: LogIndex
            /** Repair hint: the follower's last index whose term is at most the conflicting one (a round per term). */
            readonly hintIndex: LogIndex
            readonly hintTerm: Term
          }
    }
  /**
   * The leader's log no longer holds what this follower needs next: it is to pull a snapshot that reaches the entry below the
   * first one held (paper §7; thesis §5). Repeated as a heartbeat; carries no bytes of the snapshot.
   */
  | {
      readonly kind: 'installSnapshot'
      readonly term: Term
      readonly lastIncludedIndex: LogIndex
      readonly lastIncludedTerm: Term
      /** As of AppendEntries. */
      readonly sequence: number
    }
  | {
      readonly kind: 'installSnapshotResponse'
      readonly term: Term
      readonly sequence: number
      /** What the follower holds durably of the leader's log, its snapshot's last index included; 0 while it pulls. */
      readonly matchIndex: LogIndex
    }
  /**
   * The leader of that term asks the receiver, which holds its whole log, to campaign at once (thesis §3.10). `releases`: the
   * leader answers no read by a lease that rests on an entry up to there (lease.ts); absent: it does not say so.
   */
  | { readonly kind: 'timeoutNow'; readonly term: Term; readonly releases?: LogIndex }
  /** A follower asks its leader for its reads: `id` and all before it, of the process of that `life`. */
  | { readonly kind: 'readIndex'; readonly term: Term; readonly life: number; readonly id: number }
  | {
      readonly kind: 'readIndexResponse'
      readonly term: Term
      /** Both of the request. */
      readonly life: number
      readonly id: number
      /** Everything that was committed before the request arrived lies at or below it. */
      readonly index: LogIndex
    }

/** A read that waits for its index. */
export interface Reader {
  /** The node at which it arrived. */
  readonly node: NodeId
  /** The process of that node, by the seed of its election timeouts, which each process draws. */
  readonly life: number
  /** The newest of that node's reads that are meant: those before it are answered with it. */
  readonly id: number
}

/** Reads of which a leader is finding out whether it still led when they arrived. */
export interface ReadRound {
  /** All that was committed anywhere when the round began: the commit index, or the end of limbo. */
  readonly index: LogIndex
  /** The leader's sequence when the round began: only answers to what it sent above that count. */
  readonly sequence: number
  readonly readers: readonly Reader[]
}

/** Reads without an answer (thesis §6.4). */
export interface Reads {
  /** At a leader, those that wait for the next round, at most one per node. At a follower, the one it asked its leader for. */
  readonly waiting: readonly Reader[]
  /** At a leader. */
  readonly round: ReadRound | null
}

/** The answer to a request for a vote or pre-vote. */
export type VoteVerdict = { readonly granted: true } | { readonly granted: false; readonly reason: RejectVoteReason }

/** What a cluster begins with, as the bootstrap handshake agreed, and what the first leader's write says besides. */
export interface Agreed {
  readonly configuration: Configuration
  /** Whether an entry `advanceVersion` follows the limits: one for all machines. */
  readonly advances: boolean
}

/** What can happen to a node: the input of `step`. */
export type RaftEvent =
  /** First event of a process: arms the timers; a single voter campaigns at once. */
  | { readonly kind: 'start' }
  /** Time has passed; carries nothing, `now` is the argument of `step`. */
  | { readonly kind: 'tick' }
  | { readonly kind: 'receive'; readonly from: NodeId; readonly message: Message }
  /**
   * The driver wants `count` entries of `bytes` record bytes in total appended; at the leader they get the next indexes
   * in order, anywhere else the answer is a `refused` effect and nothing is appended. `whileHalted`: by a halted leader too.
   */
  | { readonly kind: 'propose'; readonly count: number; readonly bytes: number; readonly whileHalted?: boolean }
  /** These voters, this node not among them, are known to have halted: a halted leader hands over to none of them. */
  | { readonly kind: 'votersHalted'; readonly voters: readonly NodeId[] }
  /** The write of that number, and with it all earlier ones, is on disk. */
  | { readonly kind: 'persisted'; readonly write: WriteNumber }
  /**
   * The initial configuration is agreed (raft.md §1 Bootstrap; the driver's handshake): from now on this node may
   * campaign, and grant to whom it may, although its log has no Configuration yet.
   */
  | ({ readonly kind: 'bootstrapped' } & Agreed)
  /**
   * An index is wanted at or below which lies everything that any node may have answered before now: a `readReady` or a
   * `readFailed` follows, perhaps never. Ids rise within a process.
   */
  | { readonly kind: 'read'; readonly id: number }
  /** Campaign now (operator, golden scripts). */
  | { readonly kind: 'campaign' }
  /**
   * This process will serve nobody any more, although it votes and replicates (sessions.md §10): it hands leadership over,
   * and is reluctant to take it. Proposals are refused until it is `resumed`.
   */
  | { readonly kind: 'halted' }
  /** It has what it lacked, and serves again. */
  | { readonly kind: 'resumed' }
  /** Hand leadership over to that voter, or to the best one (thesis §3.10); what became of it: `transferEnded`. */
  | { readonly kind: 'transfer'; readonly to: NodeId | null }
  /** A connection to the peer is open: what was sent before may be lost. Or it was reset or refused: its process is gone. */
  | { readonly kind: 'reachable' | 'unreachable'; readonly peer: NodeId }
  /** The oldest log write is outstanding for longer than an election timeout, or is no longer (raft.md §5). */
  | { readonly kind: 'stalled'; readonly stalled: boolean }
  /** The snapshot up to this index is durable: the trail below may be forgotten. */
  | { readonly kind: 'snapshotted'; readonly index: LogIndex }
  /**
   * A pulled snapshot that ends with this entry is durable and switched to: the next open of this node begins with it.
   * `configurations`: the one it holds.
   */
  | {
      readonly kind: 'snapshotInstalled'
      readonly index: LogIndex
      readonly term: Term
      readonly configurations: readonly ConfigurationEntry[]
    }
  /**
   * The operator wants these members (`outgoing` is the core's to fill: it is ignored). `basedOn`: index of the
   * configuration that the wish was made of; another one since refuses it. At the leader an entry is appended, anywhere else
   * and where it may not be, the answer is a `changeRefused` effect.
   */
  | { readonly kind: 'changeMembership'; readonly configuration: Configuration; readonly basedOn: LogIndex }
  /**
   * Leases on these terms from now on, or none. At the leader a configuration with the same members is appended; anywhere
   * else, where it may not be and where it is so already, nothing happens.
   */
  | { readonly kind: 'setLease'; readonly lease: LeaseTerms | null }

/** What the driver has to do after a step, in this order (README.md, "What the driver owes"). */
export type Effect =
  /**
   * One numbered log write: hard state, truncation and entries travel in one frame. `truncateFrom`: drop every entry at
   * and above it first. Writes are issued in number order.
   */
  | {
      readonly kind: 'persist'
      readonly write: WriteNumber
      readonly hardState: HardState | null
      readonly truncateFrom: LogIndex | null
      readonly entries: readonly PersistRun[]
    }
  /**
   * In place of `persist`, where an installed snapshot is not part of this log: one numbered write after which the log is
   * empty and goes on behind the entry at `index`, which the snapshot holds durably.
   */
  | {
      readonly kind: 'restartLog'
      readonly write: WriteNumber
      readonly hardState: HardState | null
      readonly index: LogIndex
      readonly term: Term
    }
  /** Pull a snapshot that reaches `index`, whose entry has that term, from `from`; asked again while it is wanted. */
  | { readonly kind: 'pullSnapshot'; readonly from: NodeId; readonly index: LogIndex; readonly term: Term }
  /** Send when write `after` has completed; at once when null (architecture.md §3). */
  | { readonly kind: 'send'; readonly to: NodeId; readonly message: Message; readonly after: WriteNumber | null }
  /** Everything up to this index is committed; waits for nothing. */
  | { readonly kind: 'apply'; readonly upTo: LogIndex }
  /** Proposals at and above this index were truncated away on this node. */
  | { readonly kind: 'abort'; readonly from: LogIndex }
  /** The log reaches what was owed (obligation.ts), durably: the note of it on the disk may go. */
  | { readonly kind: 'obligationMet' }
  /**
   * No voter has what this node owed, up to `owed`: the longest of all logs ends with (term, index), and so many voters have
   * lost something that entries which were committed may be on no disk any more.
   */
  | {
      readonly kind: 'entriesLost'
      readonly term: Term
      readonly index: LogIndex
      readonly owed: { readonly term: Term; readonly index: LogIndex }
    }
  /** The `propose` event of this step was not appended. */
  | { readonly kind: 'refused'; readonly reason: ProposeRefusal; readonly leader: NodeId | null }
  /**
   * That read and all before it may be answered from a state in which everything up to `index` is applied. `limboFrom`: of the
   * entries `[limboFrom, index]` this leader cannot know whether they are committed, and may have to wait until it does; what
   * they cannot touch may be answered from a state in which all before them is applied. Null: there are none such.
   */
  | { readonly kind: 'readReady'; readonly id: number; readonly index: LogIndex; readonly limboFrom: LogIndex | null }
  /** That read and all before it which have no answer get none: to be asked again, if they still want one. */
  | { readonly kind: 'readFailed'; readonly id: number; readonly reason: ReadFailure }
  /** The `changeMembership` event of this step appended nothing. */
  | { readonly kind: 'changeRefused'; readonly reason: ChangeRefusal; readonly leader: NodeId | null }
  /** What became of a `transfer` event, in its own step or later. */
  | { readonly kind: 'transferEnded'; readonly outcome: TransferOutcome }

/** One AppendEntries with entries that a follower has not answered yet. */
export interface InFlight {
  readonly lastIndex: LogIndex
  /** Record bytes carried: exact at the borders of proposals, estimated inside them and for entries of older terms. */
  readonly bytes: number
  readonly sequence: number
  /** Leader's monotonic ms. */
  readonly sentAt: Millis
}

/**
 * A follower's progress as the leader knows it (paper Figure 2: nextIndex, matchIndex). Between any two steps (`checkState`,
 * check.ts, asserts each); `lastIndex` and `sequence` are the leader's:
 *
 * - `nextIndex` lies in `[matchIndex + 1, lastIndex + 1]`
 * - `answered` lies in `[0, the leader’s sequence]`
 * - `followed` lies in `[0, answered]`
 * - the number of messages in flight lies in `[0, inFlightMessagesMax]`
 * - the `lastIndex` of messages in flight rises within `[matchIndex + 1, lastIndex]`
 * - in probe mode, the number of messages in flight lies in `[0, 1]`, unless it `voted` and `nextIndex` is `firstOwnIndex`
 * - in snapshot mode, no message is in flight, and `nextIndex` lies in `[matchIndex + 1, trail.snapshotIndex]`
 * - in replicate mode, `nextIndex` is one above the newest `lastIndex` in flight, or above `matchIndex`
 */
export interface Progress {
  /** Highest index known to be durable on the follower; 0 until a match is found. */
  readonly matchIndex: LogIndex
  readonly nextIndex: LogIndex
  /**
   * probe: one message at a time until a match is found; replicate: optimistic pipelining; snapshot: the log begins above
   * `nextIndex`, and the follower is offered a snapshot with every heartbeat until it has one.
   */
  readonly mode: 'probe' | 'replicate' | 'snapshot'
  /** It voted for this leader: its first probe is followed by more (`lastToSend`). */
  readonly voted: boolean
  /** Messages with entries in flight, oldest first. */
  readonly inFlight: readonly InFlight[]
  /**
   * Send time (leader's monotonic ms) of the newest message that this follower has answered; moved on by the time in which
   * the leader's own process was held up (`withoutAbsence`).
   */
  readonly lastContact: Millis
  /** By how much it was moved on since the last answer, ms. */
  readonly forgivenMs: Millis
  /** Highest sequence answered. */
  readonly answered: number
  /** Highest sequence answered by anything but a refusal: by a node that follows this leader (`isConfirmed`, read-index.ts). */
  readonly followed: number
  /** Highest commit index that a message to this follower has carried. */
  readonly sentCommit: LogIndex
  /** The leader's sequence when this progress began: an answer up to that is of the disk which had this id before. */
  readonly since: number
}
