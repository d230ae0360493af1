import type { NodeId } from '../base/brand.ts'
import { maybeBecomeLeader } from './become.ts'
import { checkVote, rejected } from './check-vote.ts'
import { advanceElectionDraw } from './timer.ts'
import type { Turn } from './turn.ts'
import type { Message, VoteVerdict } from './types.ts'

type Request = Extract<Message, { kind: 'requestVote' }>
type Response = Extract<Message, { kind: 'requestVoteResponse' }>

/** RequestVote, receiver (paper Figure 2): the term is settled; the vote is durable before the reply leaves. */
export function receiveRequestVote(turn: Turn, from: NodeId, request: Request): void {
  const { term, lastLogIndex, lastLogTerm } = request
  const verdict = checkVote(turn.state, { candidate: from, term, lastLogIndex, lastLogTerm })
  if (verdict.granted) grantVote(turn, from)
  reply(turn, from, verdict)
}

/**
 * A RequestVote that comes while a leader is alive, and not at its own wish: neither its term nor its candidate is considered
 * (thesis §4.2.3), else a node that was cut off, or removed, would depose a leader whom everybody else can hear.
 */
export function rejectDisruptiveVote(turn: Turn, from: NodeId): void {
  reply(turn, from, rejected('leaderAlive'))
}

/**
 * A vote given resets the election timer (paper Figure 2, Followers). A second request of the same candidate finds the vote
 * given already, perhaps even its leadership known: nothing changes.
 */
function grantVote(turn: Turn, candidate: NodeId): void {
  if (turn.state.votedFor === candidate) return
  // An election is on its way: its candidate hurries, this voter waits for it as long as for any.
  turn.state = { ...turn.state, hurry: null }
  const electionDeadline = advanceElectionDraw(turn, turn.now)
  turn.state = { ...turn.state, votedFor: candidate, role: { kind: 'follower', leader: null, electionDeadline } }
}

function reply(turn: Turn, to: NodeId, verdict: VoteVerdict): void {
  turn.sendOnceDurable(to, { kind: 'requestVoteResponse', term: turn.state.currentTerm, verdict })
}

/** A vote, of the current term, or a refusal: a majority of votes makes a leader (paper §5.2). */
export function receiveRequestVoteResponse(turn: Turn, from: NodeId, response: Response): void {
  const { state } = turn
  if (state.role.kind !== 'candidate') return
  if (!response.verdict.granted) {
    turn.state = { ...state, role: { ...state.role, refused: true } }
    return
  }
  if (state.role.granted.includes(from)) return
  turn.state = { ...state, role: { ...state.role, granted: [...state.role.granted, from] } }
  maybeBecomeLeader(turn)
}
