import type { LogIndex, Millis, NodeId, Term } from '../base/brand.ts'
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
  if (configurationOf(state) === null) return rejected('notBootstrapped')
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
  if (configurationOf(state) === null) return rejected('notBootstrapped')
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

/** Up to date: the last term is higher, or the same and the log at least as long (paper §5.4.1). */
function isUpToDate(state: RaftState, request: VoteRequest): boolean {
  const lastTerm = lastTermOf(state.trail)
  if (request.lastLogTerm !== lastTerm) return request.lastLogTerm > lastTerm
  return request.lastLogIndex >= state.lastIndex
}

/** A refusal with its reason. */
export function rejected(reason: RejectVoteReason): VoteVerdict {
  return { granted: false, reason }
}
