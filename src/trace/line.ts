/**
 * What a node writes down of its consensus, a line per step: what happened, what was written and sent, and what state that
 * led to. Numbers are indexes, terms and numbers of writes as in the Raft paper; names of messages and fields are those of
 * its Figure 2.
 */

/** Entries `[first, last]`, all of one term. */
export interface TracedRun {
  readonly first: number
  readonly last: number
  readonly term: number
}

/** The members as one entry says; `index` is that entry's, 0 of what a snapshot or the first start holds. */
export interface TracedConfiguration {
  readonly index: number
  readonly voters: readonly string[]
  readonly learners: readonly string[]
  /** Voters of the configuration before, while a change is joint (thesis §4.3). */
  readonly outgoing: readonly string[]
  /** Reads may be answered by a lease. */
  readonly lease: boolean
}

export type TracedRole = 'follower' | 'preCandidate' | 'candidate' | 'leader'

/** A node's state after a step. */
export interface TracedState {
  readonly role: TracedRole
  readonly term: number
  readonly vote: string | null
  /** Index and term of the entry before the first one that the log holds; 0, 0 where it holds all. */
  readonly base: number
  readonly baseTerm: number
  readonly last: number
  readonly lastTerm: number
  readonly commit: number
  /** The newest in the log; null before there is one. */
  readonly configuration: TracedConfiguration | null
}

/** One numbered write to the log; writes reach the disk in their order, each wholly or not at all. */
export interface TracedWrite {
  readonly number: number
  /** Null: as before. */
  readonly hardState: { readonly term: number; readonly vote: string | null } | null
  /** Entries from here on are dropped first; null: none. */
  readonly truncateFrom: number | null
  readonly runs: readonly TracedRun[]
  /** The log is given up for a snapshot that ends with this entry; null: it is not. */
  readonly restart: { readonly index: number; readonly term: number } | null
}

type VoteVerdict = { readonly granted: boolean }

export type TracedMessage =
  | {
      readonly kind: 'preVoteRequest'
      readonly term: number
      readonly lastLogIndex: number
      readonly lastLogTerm: number
    }
  | {
      readonly kind: 'preVoteResponse'
      readonly term: number
      readonly requestTerm: number
      readonly verdict: VoteVerdict
    }
  | { readonly kind: 'logEnd'; readonly term: number; readonly requestTerm: number }
  | { readonly kind: 'requestVote'; readonly term: number; readonly lastLogIndex: number; readonly lastLogTerm: number }
  | { readonly kind: 'requestVoteResponse'; readonly term: number; readonly verdict: VoteVerdict }
  | TracedAppendEntries
  | {
      readonly kind: 'appendEntriesResponse'
      readonly term: number
      readonly sequence: number
      readonly result: { readonly success: true; readonly matchIndex: number } | { readonly success: false }
    }
  | {
      readonly kind: 'installSnapshot'
      readonly term: number
      readonly lastIncludedIndex: number
      readonly lastIncludedTerm: number
      readonly sequence: number
    }
  | {
      readonly kind: 'installSnapshotResponse'
      readonly term: number
      readonly sequence: number
      readonly matchIndex: number
    }
  | { readonly kind: 'timeoutNow'; readonly term: number }
  | { readonly kind: 'readIndex'; readonly term: number; readonly life: number; readonly id: number }
  | {
      readonly kind: 'readIndexResponse'
      readonly term: number
      readonly life: number
      readonly id: number
      readonly index: number
    }

export interface TracedAppendEntries {
  readonly kind: 'appendEntries'
  readonly term: number
  readonly prevLogIndex: number
  readonly prevLogTerm: number
  readonly runs: readonly TracedRun[]
  readonly leaderCommit: number
  readonly sequence: number
}

export type TracedEvent =
  | { readonly kind: 'receive'; readonly from: string; readonly message: TracedMessage }
  | { readonly kind: 'persisted'; readonly write: number }
  | { readonly kind: 'bootstrapped'; readonly configuration: TracedConfiguration }
  | { readonly kind: 'read'; readonly id: number }
  | { readonly kind: 'snapshotted'; readonly index: number }
  | {
      readonly kind: 'snapshotInstalled'
      readonly index: number
      readonly term: number
      readonly configuration: TracedConfiguration | null
    }
  | { readonly kind: OtherEventKind }

/** Events that carry nothing which the specification asks about. */
export type OtherEventKind =
  | 'start'
  | 'tick'
  | 'propose'
  | 'campaign'
  | 'halted'
  | 'resumed'
  | 'votersHalted'
  | 'transfer'
  | 'reachable'
  | 'unreachable'
  | 'stalled'
  | 'changeMembership'
  | 'setLease'

export interface TracedSend {
  readonly to: string
  readonly message: TracedMessage
  /** The write that it waits for; null: none. */
  readonly after: number | null
}

/** A process has opened its log: the first line of each. */
export interface OpenedLine {
  readonly kind: 'opened'
  readonly node: string
  /** Of the disk: another one under the same name has another. */
  readonly instance: string
  readonly term: number
  readonly vote: string | null
  readonly base: number
  readonly baseTerm: number
  readonly runs: readonly TracedRun[]
  /** In the order of their indexes: that of the snapshot, and those in the log. */
  readonly configurations: readonly TracedConfiguration[]
  /** Its log was found damaged, and it knows. */
  readonly owes: boolean
}

/** That write, and all before it, are on disk: said before anything leaves that waits for it. */
export interface WrittenLine {
  readonly kind: 'written'
  readonly node: string
  readonly write: number
}

/** One step, written before any of its effects begins. */
export interface StepLine {
  readonly kind: 'step'
  readonly node: string
  readonly event: TracedEvent
  readonly write: TracedWrite | null
  readonly sends: readonly TracedSend[]
  /** Reads of this node that may be answered now, each with all before it. */
  readonly reads: readonly { readonly id: number; readonly index: number }[]
  readonly state: TracedState
}

export type TraceLine = OpenedLine | WrittenLine | StepLine

/** Takes the lines of a node in their order; each is written once it returns. */
export type WriteTrace = (line: TraceLine) => void
