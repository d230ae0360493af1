import { assert } from '../base/assert.ts'
import { type Millis, type NodeId, type Term, term } from '../base/brand.ts'
import { type RaftState, votersOf } from './state.ts'
import { advanceElectionDraw } from './timer.ts'
import { lastTermOf, trailTermAt } from './trail.ts'
import type { Turn } from './turn.ts'
import type { Message } from './types.ts'

/**
 * What a node owes whose log was damaged (raft.md §2.11, storage.md §3): until it is met, also over restarts, it neither
 * votes nor campaigns, for what it lost may be what a majority with it had committed. Without it: n1 and n2 commit 5@3, n2
 * loses 5@3 to its disk and votes for n3, which never had it, and 5@3 is overwritten.
 *
 * Every leader that is elected meanwhile has won without this node, so a majority of the others voted, and whoever of them
 * held an entry that this node helped to commit refuses whoever lacks it. So a leader's log holds all of it, and once the
 * own log reaches what it had, by the order of paper §5.4.1, this node is as good a voter as before.
 */
export function campaignOwing(turn: Turn, anchor: Millis): void {
  const { state } = turn
  const electionDeadline = advanceElectionDraw(turn, anchor, 'preVotes')
  turn.state = { ...turn.state, role: { kind: 'follower', leader: null, electionDeadline } }
  if (state.obligation?.kind !== 'census') return
  const { self } = state.config
  const request = {
    kind: 'preVoteRequest',
    term: censusTerm(state),
    lastLogIndex: state.lastIndex,
    lastLogTerm: lastTermOf(state.trail),
  } as const
  for (const voter of votersOf(state)) if (voter !== self) turn.sendAtOnce(voter, request)
}

/**
 * Whether this node may say that it holds entries of the sender. One that lost its newest write knows no term that it was in:
 * a leader deposed by others could count it, for an entry that they have overwritten.
 */
export function mayAcknowledge({ obligation }: RaftState): boolean {
  return obligation?.kind !== 'census'
}

/**
 * A voter has told its term, in the answer to a pre-vote, which changes nothing on its side. A vote that this node lost was
 * asked for by a voter that is in that term at least: once all others have told theirs, a term above all of them is one that
 * it never voted in. It is adopted, which deposes an older leader, and an entry of it or of a later one is owed.
 */
export function receiveTerm(turn: Turn, from: NodeId, response: Extract<Message, { kind: 'preVoteResponse' }>): void {
  const { state } = turn
  const { obligation, config, role } = state
  // An answer to an earlier process may be older than a vote of it: the term asked for names this one.
  if (obligation?.kind !== 'census' || response.requestTerm !== censusTerm(state)) return
  const told = obligation.told.includes(from) ? obligation.told : [...obligation.told, from]
  turn.state = { ...state, obligation: { kind: 'census', told } }
  const others = votersOf(state).filter((voter) => voter !== config.self)
  if (others.length === 0 || !others.every((voter) => told.includes(voter))) return
  assert(role.kind === 'follower', 'a node with an obligation is a follower', { role })
  const currentTerm = term(state.currentTerm + 1)
  const reach = { kind: 'reach', term: currentTerm, index: state.lastIndex } as const
  turn.state = { ...state, currentTerm, votedFor: null, obligation: reach, role: { ...role, leader: null } }
}

/** Whether the durable log reaches what is owed: the obligation ends, for good. */
export function maybeMeetObligation(turn: Turn): void {
  const { obligation, disk, trail } = turn.state
  if (obligation?.kind !== 'reach') return
  const { durableIndex } = disk
  const durableTerm = trailTermAt(trail, durableIndex) ?? 0
  const reached = durableTerm > obligation.term || (durableTerm === obligation.term && durableIndex >= obligation.index)
  if (!reached) return
  turn.state = { ...turn.state, obligation: null }
  turn.meetObligation()
}

/** No cluster gets there: the answers to a census are told from those to elections by it, and from those to other processes. */
function censusTerm({ seed }: RaftState): Term {
  return term(2 ** 52 + seed)
}
