import { BEFORE_LOG, type LogIndex, type Millis, type NodeId, type Term } from '../base/brand.ts'
import { holdsOwed } from './obligation.ts'
import { configurationOf, type RaftState } from './state.ts'
import { lastTermOf } from './trail.ts'
import type { RejectVoteReason, VoteVerdict } from './types.ts'

/** What a voter looks at in a RequestVote or pre-vote request. */
export interface VoteRequest {
  readonly candidate: NodeId
  readonly term: Term
  readonly lastLogIndex: LogIndex
  readonly lastLogTerm: Term
}

const GRANTED: VoteVerdict = { granted: true }

/** Whether to vote for the candidate in a term that this node has adopted (paper Figure 2, RequestVote 1–2). */
export function checkVote(state: RaftState, request: VoteRequest): VoteVerdict {
  const votedForOther = state.votedFor !== null && state.votedFor !== request.candidate
  if (!isNamedVoter(state, request)) return rejected('notBootstrapped')
  if (!holdsOwed(state, lastOf(request))) return rejected('notVoter')
  if (request.term < state.currentTerm) return rejected('staleTerm')
  if (votedForOther) return rejected('votedForOther')
  if (!isUpToDate(state, request)) return rejected('logBehind')
  return GRANTED
}

/**
 * Whether this node would vote for the candidate if it started an election in `request.term` (thesis §9.6): the term must
 * be newer than its own, the log up to date, and no leader heard within the minimum election timeout.
 */
export function checkPreVote(state: RaftState, now: Millis, request: VoteRequest): VoteVerdict {
  if (!isNamedVoter(state, request)) return rejected('notBootstrapped')
  if (!holdsOwed(state, lastOf(request))) return rejected('notVoter')
  if (request.term <= state.currentTerm) return rejected('staleTerm')
  if (isLeaderAlive(state, now)) return rejected('leaderAlive')
  if (!isUpToDate(state, request)) return rejected('logBehind')
  return GRANTED
}

/** True on a leader, and within a minimum election timeout of having heard one (thesis §4.2.3). */
export function isLeaderAlive(state: RaftState, now: Millis): boolean {
  if (state.role.kind === 'leader') return true
  return state.heardLeaderAt !== null && now - state.heardLeaderAt < state.config.electionTimeoutMinMs
}

/**
 * Whether this node's vote may count. One without a Configuration knows no voters, and not even whether it is one: its disk
 * may have replaced a voter's, whose vote in this term it would give a second time. A candidate that has a log proves the
 * contrary: a log begins with the Configuration, and who has one addresses a voter by the instance that it binds
 * (`Peers.raft`). So this very disk is the voter's and holds every vote and every entry that it ever answered for, and the
 * vote is as safe as that of a node whose log is merely short. No proof is in an empty log, whose candidate knows the voters
 * by their greetings: two replaced disks could elect each other beside a third node that holds the history.
 */
function isNamedVoter(state: RaftState, request: VoteRequest): boolean {
  return configurationOf(state) !== null || request.lastLogIndex > BEFORE_LOG
}

/** Up to date: the last term is higher, or the same and the log at least as long (paper §5.4.1). */
function isUpToDate(state: RaftState, request: VoteRequest): boolean {
  const lastTerm = lastTermOf(state.trail)
  if (request.lastLogTerm !== lastTerm) return request.lastLogTerm > lastTerm
  return request.lastLogIndex >= state.lastIndex
}

function lastOf({ lastLogTerm: term, lastLogIndex: index }: VoteRequest): { term: Term; index: LogIndex } {
  return { term, index }
}

/** A refusal with its reason. */
export function rejected(reason: RejectVoteReason): VoteVerdict {
  return { granted: false, reason }
}
