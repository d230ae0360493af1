import { assert } from '../base/assert.ts'
import { type Millis, type NodeId, term } from '../base/brand.ts'
import { isVoter, type RaftState } from './state.ts'
import { ask, askedBy, type EndOfLog, isOwnQuestion, reaches } from './survey.ts'
import { advanceElectionDraw } from './timer.ts'
import { trailTermAt } from './trail.ts'
import type { Turn } from './turn.ts'

/**
 * What a node owes whose log was damaged (raft.md §2.11, storage.md §3): until it is met, also over restarts, it does not
 * campaign, and votes for nobody whose log ends before what it had, for what it lost may be what a majority with it had
 * committed. Without it: n1 and n2 commit 5@3, n2 loses 5@3 to its disk and votes for n3, which never had it, and 5@3 is
 * overwritten.
 *
 * So it votes by the order of paper §5.4.1 as if it had its whole log, and every leader that is elected meanwhile holds all
 * that this node helped to commit, as if nothing had been lost. Once the own log reaches what it had, by the same order, this
 * node is as good a voter as before. What is on no disk any more is given up: survey.ts.
 */
export function campaignOwing(turn: Turn, anchor: Millis): void {
  const electionDeadline = advanceElectionDraw(turn, anchor, 'preVotes')
  turn.state = { ...turn.state, role: { kind: 'follower', leader: null, electionDeadline } }
  const { obligation, survey } = turn.state
  if (obligation?.kind === 'census' || isVoter(turn.state)) ask(turn, survey.before)
}

/** Whether a log that ends with that entry holds what this node owes: then it may vote for its owner. */
export function holdsOwed({ obligation }: RaftState, last: EndOfLog): boolean {
  if (obligation === null) return true
  return obligation.kind === 'reach' && reaches(last, obligation)
}

/**
 * Whether this node may say that it holds entries of the sender. One that lost its newest write knows no term that it was in:
 * a leader deposed by others could count it, for an entry that they have overwritten.
 */
export function mayAcknowledge({ obligation }: RaftState): boolean {
  return obligation?.kind !== 'census'
}

/** Terms that can have come and gone without a trace: every one costs a sector, of which a segment has 131,072. */
const LOST_TERMS = 2 ** 20

/**
 * A voter has told its term, in an answer to a question, which changes nothing on its side. A vote that this node lost was
 * asked for by a voter that is in that term at least: once all others have told theirs, a term above all of them is one that
 * it never voted in. It is adopted, which deposes an older leader, and an entry of it or of a later one is owed. `lostTerm`:
 * that voter may have been in later terms than it knows; then a term is adopted that cannot have been reached.
 */
export function receiveTerm(turn: Turn, from: NodeId, told: { requestTerm: number; lostTerm: boolean }): void {
  const { state } = turn
  const { obligation, survey, role } = state
  // An answer to an earlier process may be older than a vote of it: the term asked for names this one.
  if (obligation?.kind !== 'census' || !isOwnQuestion(state, term(told.requestTerm))) return
  const known = obligation.told.includes(from) ? obligation.told : [...obligation.told, from]
  const unsure = survey.unsure || told.lostTerm
  turn.state = { ...state, obligation: { kind: 'census', told: known }, survey: { ...survey, unsure } }
  const others = askedBy(state)
  if (others.length === 0 || !others.every((voter) => known.includes(voter))) return
  assert(role.kind === 'follower', 'a node with an obligation is a follower', { role })
  const currentTerm = term(state.currentTerm + (unsure ? LOST_TERMS : 1))
  const reach = { kind: 'reach', term: currentTerm, index: state.lastIndex } as const
  turn.state = { ...turn.state, currentTerm, votedFor: null, obligation: reach, role: { ...role, leader: null } }
}

/** Whether the durable log reaches what is owed: the obligation ends, for good. */
export function maybeMeetObligation(turn: Turn): void {
  const { obligation, disk, trail } = turn.state
  if (obligation === null || obligation.kind === 'census') return
  const last = { term: trailTermAt(trail, disk.durableIndex) ?? 0, index: disk.durableIndex }
  if (!reaches(last, obligation)) return
  turn.state = { ...turn.state, obligation: null }
  turn.meetObligation()
}
