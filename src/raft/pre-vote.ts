import type { NodeId } from '../base/brand.ts'
import { maybeEndPreVote } from './become.ts'
import { checkPreVote } from './check-vote.ts'
import { receiveTerm } from './obligation.ts'
import type { RaftState } from './state.ts'
import { heedPreVote } from './timer.ts'
import { QUESTIONS, tellLogEnd } from './survey.ts'
import { lastTermOf } from './trail.ts'
import type { Turn } from './turn.ts'
import type { Message } from './types.ts'

type Request = Extract<Message, { kind: 'preVoteRequest' }>
type Response = Extract<Message, { kind: 'preVoteResponse' }>

/**
 * Pre-vote, receiver (thesis §9.6): answers, and changes nothing but its own timer, where its leader's process is gone. A
 * node whose disk hangs does not answer: the vote that it would promise could not be written. The question of a node that owes
 * something (`ask`) comes in the same form, so that every build answers it.
 */
export function receivePreVoteRequest(turn: Turn, from: NodeId, request: Request): void {
  const { state, now } = turn
  if (state.stalled) return
  const { term: requestTerm, lastLogIndex, lastLogTerm } = request
  tellLogEnd(turn, from, requestTerm)
  // One that lost its newest write does not know its term.
  if (requestTerm >= QUESTIONS && state.obligation?.kind === 'census') return
  const verdict = checkPreVote(state, now, { candidate: from, term: requestTerm, lastLogIndex, lastLogTerm })
  turn.sendOnceDurable(from, { kind: 'preVoteResponse', term: state.currentTerm, requestTerm, verdict })
  // Who asks does not campaign.
  if (requestTerm >= QUESTIONS) return
  if (verdict.granted) heedPreVote(turn, from, isAsUpToDate(state, request) ? 'equal' : 'ahead')
  else if (verdict.reason === 'logBehind') heedPreVote(turn, from, 'behind')
}

/**
 * An answer to a pre-vote. One from a newer term was settled before: it has made this node a follower in that term, from
 * where it tries again. A grant for another term than the one it asks for now is stale.
 */
export function receivePreVoteResponse(turn: Turn, from: NodeId, response: Response): void {
  receiveTerm(turn, from, { requestTerm: response.requestTerm, lostTerm: false })
  const { state } = turn
  if (state.role.kind !== 'preCandidate') return
  if (response.requestTerm !== state.currentTerm + 1) return
  if (!response.verdict.granted) return
  if (state.role.granted.includes(from)) return
  turn.state = { ...state, role: { ...state.role, granted: [...state.role.granted, from] } }
  maybeEndPreVote(turn)
}

function isAsUpToDate({ lastIndex, trail }: RaftState, { lastLogIndex, lastLogTerm }: Request): boolean {
  return lastLogTerm === lastTermOf(trail) && lastLogIndex === lastIndex
}
