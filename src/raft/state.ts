import { assert } from '../base/assert.ts'
import { type LogIndex, type Millis, indexAfter, type NodeId, type Term, type WriteNumber } from '../base/brand.ts'
import type { Durability } from './durability.ts'
import type { Survey } from './owed.ts'
import type { Sizes } from './sizes.ts'
import { lastIndexOf, type Trail, trailFrom, trailTermAt } from './trail.ts'
import type {
  Agreed,
  Configuration,
  ConfigurationEntry,
  Obligation,
  Progress,
  RaftConfig,
  Reads,
  Restored,
} from './types.ts'

/** No deadline: `wakeAt` of a node that waits for an event other than the passing of time. */
export const NEVER: Millis = Number.POSITIVE_INFINITY

/** Reads of a node that has none. */
export const NO_READS: Reads = { waiting: [], round: null }

/** Follows a leader, or waits for one. */
export interface Follower {
  readonly kind: 'follower'
  /** The leader of `currentTerm`, once it has been heard. */
  readonly leader: NodeId | null
  /** Monotonic ms at which this node starts an election; `NEVER` before the `start` event. */
  readonly electionDeadline: Millis
}

/** Asks whether it could win an election in `currentTerm + 1`, without having started it (thesis §9.6). */
export interface PreCandidate {
  readonly kind: 'preCandidate'
  /** Who would grant their vote, this node included. */
  readonly granted: readonly NodeId[]
  readonly electionDeadline: Millis
}

/** Has voted for itself in `currentTerm` and asks the others (paper §5.2). */
export interface Candidate {
  readonly kind: 'candidate'
  /** Who granted their vote, this node excluded: its own counts once `voteWrite` is durable. */
  readonly granted: readonly NodeId[]
  /** The write that holds this term and the vote for itself. */
  readonly voteWrite: WriteNumber
  /** Monotonic ms, before anybody was asked for a vote. */
  readonly startedAt: Millis
  /** The leader of the term before asked it to campaign, and answers no read by a lease any more (lease.ts). */
  readonly released: boolean
  /** A voter has refused in this term: it may be that nobody wins it. */
  readonly refused: boolean
  /** Ends this candidacy: an ordinary election timeout. */
  readonly giveUpAt: Millis
  /** `giveUpAt`, or before it, where the leader's process is gone, the moment to ask again. */
  readonly electionDeadline: Millis
}

/** One round of catching up: over once the learner holds what the leader held when it began. */
export interface Round {
  readonly target: LogIndex
  /** Leader's monotonic ms. */
  readonly startedAt: Millis
}

/** A transfer of leadership that is under way (thesis §3.10). */
export interface Transfer {
  readonly to: NodeId
  /** Monotonic ms at which this node gives it up and takes proposals again. */
  readonly deadline: Millis
  /** The target holds the whole log and was told to campaign. */
  readonly asked: boolean
}

/** Why this node need not wait an election timeout: no leader is there, as connections told (raft.md §4). */
export interface Hurry {
  /** The leader whose process is gone; null: this process has not heard of any since it started. */
  readonly lost: NodeId | null
  /** Until then, monotonic ms, attempts follow each other by short timeouts; 0: no peer is reachable yet. */
  readonly until: Millis
  /** Rounds of pre-votes that this node has asked for since: each waits longer than the one before. */
  readonly asked: number
}

/** What a leader knows of leases, its own and those of leaders before it (lease.ts). */
export interface LeaderLease {
  /**
   * Marks of when it appended: every own entry at or above `first` was appended at or after `at`, monotonic ms. Rising; only
   * what a lease can rest on, now or once it is committed. Empty while there are no leases.
   */
  readonly appended: readonly { readonly first: LogIndex; readonly at: Millis }[]
  /** Until then an earlier leader may answer reads by its lease: nothing of the own term is committed. Null: none may. */
  readonly deferUntil: Millis | null
  /** Until then it answers reads by what earlier leases cover; null: it does not. */
  readonly inheritedUntil: Millis | null
  /** Entries up to here are no ground for a lease: it asked another to lead. */
  readonly releasedTo: LogIndex
}

/** The one leader of `currentTerm`. */
export interface Leader {
  readonly kind: 'leader'
  /** Index of its first entry: only from here on does it count replicas (paper §5.4.2). */
  readonly firstOwnIndex: LogIndex
  /** Of every other member of the configuration, sorted by id. */
  readonly progress: ReadonlyMap<NodeId, Progress>
  /** Sequence of the newest AppendEntries sent in this term, to whomever. */
  readonly sequence: number
  /**
   * Marks of send times, rising: every message with a sequence ≥ `sequence` was sent at or after `at`. They date an answer
   * by when its request left, never later than it really did.
   */
  readonly sendTimes: readonly { readonly sequence: number; readonly at: Millis }[]
  readonly sizes: Sizes
  readonly heartbeatDeadline: Millis
  /** Monotonic ms at which followers hear of a commit index that nothing has carried to them by then; `NEVER`: no news. */
  readonly newsDeadline: Millis
  /** Of each learner that is to become a voter: the round in which it is caught up (thesis §4.2.1). */
  readonly rounds: ReadonlyMap<NodeId, Round>
  /** Of a leader that had halted when it was elected: until when it helps a voter that is behind; null at any other. */
  readonly helpUntil: Millis | null
  /** While it runs, no proposal is taken. */
  readonly transfer: Transfer | null
  readonly lease: LeaderLease
  /** For how many rounds of reads it has asked others, in this term. */
  readonly readRounds: number
}

/** What a node is at any time (paper §5.1), each with only its own fields. */
export type Role = Follower | PreCandidate | Candidate | Leader

/**
 * The whole state of one node's consensus: immutable, a few hundred bytes, no payload. Between any two steps (`checkState`,
 * check.ts, asserts each):
 *
 * - `lastIndex` is the last index of the trail
 * - the last entry’s term lies in `[0, currentTerm]`
 * - `commitIndex` lies in `[trail.snapshotIndex, lastIndex]`
 * - the runs of the trail cover `[snapshotIndex + 1, lastIndex]` without gap
 * - a run `[first, last]` holds at least one entry
 * - terms rise from run to run
 * - `disk.durableIndex` lies in `[0, lastIndex]`
 * - `disk.hardStateWrite` lies in `[0, disk.lastWrite]`
 * - `disk.outstanding` holds the writes `[disk.durableWrite + 1, disk.lastWrite]`, in order
 * - an outstanding write’s `lastIndex` lies in `[the one before’s, lastIndex]`, the first’s in
 *   `[disk.durableIndex, lastIndex]`
 * - an outstanding write’s `lastTerm` is the log’s at its `lastIndex`, unless the snapshot covers that
 * - every entry of `[disk.durableIndex + 1, lastIndex]` is in an outstanding write
 * - `configurations` rise in index
 * - a configuration’s index lies in `[0, lastIndex]`
 * - a configuration has at least one voter
 * - a follower does not follow itself
 * - a node with an obligation is a follower
 * - a pre-candidate or candidate is a voter of its effective configuration, or of the one before
 * - a pre-candidate’s or candidate’s disk does not hang
 * - a candidate or leader has voted for itself in `currentTerm`
 * - a candidate’s `voteWrite` lies in `[1, disk.lastWrite]`
 * - a leader’s `disk.hardStateWrite` lies in `[0, disk.durableWrite]`
 * - a leader’s last entry is of `currentTerm`
 * - a leader’s entries of `currentTerm` are `[firstOwnIndex, lastIndex]`, less what the snapshot covers
 * - no other voter that serves is known to hold the whole log of a leader that halted in office
 * - not all other voters are known to serve and to hold the whole log of a leader elected halted
 * - a transfer’s target is another voter
 * - a leader whose disk hangs hands over, or is the sole voter
 * - a leader that defers has committed nothing of its own term
 * - marks of a leader’s appends rise within `[firstOwnIndex, lastIndex]`
 * - reads wait where a leader is known
 * - at most one read of a node waits
 * - a round of reads is a leader’s
 * - a round’s index lies in `[firstOwnIndex − 1, max(commitIndex, firstOwnIndex − 1)]`
 * - a round’s sequence lies in `[0, the leader’s sequence]`
 */
export interface RaftState {
  readonly config: RaftConfig
  /** Latest term this node has seen; never falls (paper Figure 2). */
  readonly currentTerm: Term
  /** Whom it voted for in `currentTerm`. */
  readonly votedFor: NodeId | null
  readonly trail: Trail
  /** Index of the log's last entry; the snapshot's where none follows it. */
  readonly lastIndex: LogIndex
  /** Highest entry known to be committed; never falls while the process lives. */
  readonly commitIndex: LogIndex
  /** Which writes and entries are on disk, and which are on their way there. */
  readonly disk: Durability
  /**
   * The last committed Configuration, then those of later entries, in index order: the newest is the effective one, and
   * truncation rolls back to the one before (raft.md §2.6).
   */
  readonly configurations: readonly ConfigurationEntry[]
  /** What the bootstrap handshake agreed on; its configuration is effective while no entry says another. */
  readonly agreed: Agreed | null
  readonly role: Role
  /** This process serves nobody: it hands leadership over, and campaigns later than others. */
  readonly halted: boolean
  /** Other voters that have said so of themselves, as the driver has heard: a halted leader hands over to none of them. */
  readonly haltedVoters: readonly NodeId[]
  /** The oldest log write is outstanding for longer than an election timeout (`setStalled`). */
  readonly stalled: boolean
  /** From its start, or from when its leader's connection was reset, until a leader is heard or a vote given; else null. */
  readonly hurry: Hurry | null
  /** When this node last heard a leader, monotonic ms; null: never, or it is gone since. Pre-votes leave it alone. */
  readonly heardLeaderAt: Millis | null
  readonly reads: Reads
  /** What this node owes since its log was damaged; null: it votes and campaigns like any other. */
  readonly obligation: Obligation | null
  /** What it has heard of where the logs of the other voters end; while it owes nothing, nothing is asked. */
  readonly survey: Survey
  readonly seed: number
  /** How many election timeouts were drawn from the seed. */
  readonly draws: number
}

const NO_SURVEY: Survey = { round: 0, told: new Map(), before: null, unsure: false }

/**
 * The state of a node that has just opened its log: a follower whose timers are armed by the `start` event. Everything
 * restored is durable; only what the log has let go, below a snapshot, is known to be committed.
 */
export function initialState(config: RaftConfig, restored: Restored): RaftState {
  assertConfig(config)
  const trail = trailFrom({ index: restored.snapshotIndex, term: restored.snapshotTerm }, restored.runs)
  const lastIndex = lastIndexOf(trail)
  return {
    config,
    currentTerm: restored.hardState.currentTerm,
    votedFor: restored.hardState.votedFor,
    trail,
    lastIndex,
    commitIndex: restored.snapshotIndex,
    disk: {
      lastWrite: restored.lastWrite,
      durableWrite: restored.lastWrite,
      hardStateWrite: restored.lastWrite,
      durableIndex: lastIndex,
      outstanding: [],
    },
    configurations: restored.configurations,
    agreed: null,
    role: { kind: 'follower', leader: null, electionDeadline: NEVER },
    halted: false,
    haltedVoters: [],
    stalled: false,
    hurry: { lost: null, until: 0, asked: 0 },
    heardLeaderAt: null,
    reads: NO_READS,
    obligation: restored.obligation,
    survey: NO_SURVEY,
    seed: restored.seed,
    draws: 0,
  }
}

function assertConfig(config: RaftConfig): void {
  assert(config.heartbeatMs > 0, 'the heartbeat interval is positive', { config })
  assert(config.heartbeatMs < config.electionTimeoutMinMs, 'heartbeats are sent within an election timeout', { config })
  assert(config.electionTimeoutMinMs <= config.electionTimeoutMaxMs, 'the timeout range is not empty', { config })
  assert(config.inFlightMessagesMax > 0, 'at least one message may be in flight', { config })
  assert(config.inFlightBytesMax > 0, 'at least one byte may be in flight', { config })
  assert(config.appendEntriesMax > 0, 'a message carries at least one entry', { config })
  assert(config.uncommittedBytesMax > 0, 'at least one byte may be uncommitted', { config })
  assert(config.commitNewsMs >= 0, 'news of a commit waits for no negative time', { config })
}

/** The node's role, as a word. */
export function role(state: RaftState): Role['kind'] {
  return state.role.kind
}

/** The leader of `currentTerm` as far as this node knows, itself included. */
export function leaderOf(state: RaftState): NodeId | null {
  if (state.role.kind === 'leader') return state.config.self
  return state.role.kind === 'follower' ? state.role.leader : null
}

/** Term of the entry at `index`, or of the snapshot's last; null where the log has none or it is compacted. */
export function termAt(state: RaftState, index: LogIndex): Term | null {
  return trailTermAt(state.trail, index)
}

const NO_PROGRESS: ReadonlyMap<NodeId, Progress> = new Map()

/** What a leader knows of the other members; empty elsewhere. */
export function progressOf(state: RaftState): ReadonlyMap<NodeId, Progress> {
  return state.role.kind === 'leader' ? state.role.progress : NO_PROGRESS
}

/** The effective configuration: the log's newest, else the snapshot's, else the one agreed at bootstrap, else null. */
export function configurationOf(state: RaftState): Configuration | null {
  return state.configurations.at(-1)?.configuration ?? state.agreed?.configuration ?? null
}

/** Who has a vote in the effective configuration, outgoing voters of a joint one too, in order; none before bootstrap. */
export function votersOf(state: RaftState): readonly NodeId[] {
  const configuration = configurationOf(state)
  if (configuration === null) return []
  const { voters, outgoing } = configuration
  return outgoing.length === 0 ? voters : inOrder([...voters, ...outgoing])
}

/** Everybody in the effective configuration but this node, in order. */
export function peersOf(state: RaftState): readonly NodeId[] {
  const configuration = configurationOf(state)
  if (configuration === null) return []
  const { voters, learners, outgoing } = configuration
  return inOrder([...voters, ...learners, ...outgoing]).filter((id) => id !== state.config.self)
}

function inOrder(ids: readonly NodeId[]): readonly NodeId[] {
  return [...new Set(ids)].sort()
}

/** The transfer that a leader has under way, or null. */
export function transferOf(state: RaftState): Transfer | null {
  return state.role.kind === 'leader' ? state.role.transfer : null
}

/** Who else may lead: the voters of the effective configuration without this node, and without those that are going. */
export function otherVotersOf(state: RaftState): readonly NodeId[] {
  return (configurationOf(state)?.voters ?? []).filter((voter) => voter !== state.config.self)
}

/** True on a node that leaves it to the others to lead: its disk hangs, and there are others. */
export function leavesOffice(state: RaftState): boolean {
  return state.stalled && otherVotersOf(state).length > 0
}

/**
 * True when this node may start an election: it is a voter of its own effective configuration, or an outgoing one of the joint
 * one before, while the effective one is not known to be committed (thesis §4.2.2). Its vote counts only where it is a voter.
 * Without it:
 *
 *   1. n1 and n2 are to become n2 alone. n1 leads and commits the joint configuration, appends the new one, and crashes.
 *   2. n1 comes back with an entry more than n2. n2 needs its vote and does not get it, and n1 is no voter of its own log.
 */
export function mayCampaign(state: RaftState): boolean {
  if (isVoter(state)) return true
  const joint = state.configurations.at(-2)?.configuration
  return joint?.outgoing.includes(state.config.self) === true
}

/** True when this node is a voter of its own effective configuration. */
export function isVoter(state: RaftState): boolean {
  return votersOf(state).includes(state.config.self)
}

/** First index above the snapshot: entries from here on can be sent. */
export function firstIndexOf(state: RaftState): LogIndex {
  return indexAfter(state.trail.snapshotIndex)
}
