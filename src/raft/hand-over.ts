import type { Millis, NodeId } from '../base/brand.ts'
import { becomeFollower } from './become.ts'
import { type Leader, otherVotersOf, type RaftState } from './state.ts'
import { advanceElectionDraw, reluctanceMs } from './timer.ts'
import { sendTimeoutNow } from './transfer.ts'
import type { Turn } from './turn.ts'

/**
 * This process serves nobody from now on. A leader hands over as soon as it can; all others let those who can serve
 * campaign first, an election that is under way included. Votes and pre-votes are given as before: a cluster needs them.
 */
export function halt(turn: Turn): void {
  if (turn.state.halted) return
  turn.state = { ...turn.state, halted: true }
  const { role, config } = turn.state
  if (role.kind === 'leader') maybeHandOver(turn)
  else {
    const electionDeadline = role.electionDeadline + reluctanceMs(config)
    turn.state = { ...turn.state, role: { ...role, electionDeadline } }
  }
}

/** Other voters have halted, or serve again. */
export function setHaltedVoters(turn: Turn, haltedVoters: readonly NodeId[]): void {
  turn.state = { ...turn.state, haltedVoters }
  maybeHandOver(turn)
}

/** This process serves again: it is as reluctant to campaign as anybody, and a leader stays one. */
export function resume(turn: Turn): void {
  if (!turn.state.halted) return
  turn.state = { ...turn.state, halted: false }
  const { role } = turn.state
  if (role.kind === 'leader') turn.state = { ...turn.state, role: { ...role, helpUntil: null } }
  else {
    const electionDeadline = Math.min(role.electionDeadline, advanceElectionDraw(turn, turn.now))
    turn.state = { ...turn.state, role: { ...role, electionDeadline } }
  }
}

/**
 * A halted leader asks a voter that holds its whole log to lead, and steps down at once, unless it helps another
 * (`isHelping`); says whether it did. Unlike a transfer it does not wait for a leader, for it serves nobody meanwhile. The
 * commit index is not enough: with a third voter down, the one that lacks uncommitted entries would not get this node’s vote
 * (paper §5.4.1), which would have to lead again for every few of them. The whole log is not far: nothing is appended to it
 * any more. Asked at every answer of a follower, those to heartbeats included: whom nobody hears from cannot be handed over
 * to.
 *
 * Stepping down is always safe: it is what a crash does that loses nothing, and no rule of Raft rests on a leader staying
 * one. Term, vote and log stay as they are, so this node gives no second vote in its term and acknowledges nothing new; what
 * it committed is on a majority, of which every later leader has the vote of one (paper §5.4.3). It costs an election.
 */
export function maybeHandOver(turn: Turn): boolean {
  const { state, now } = turn
  const { role } = state
  if (!state.halted || role.kind !== 'leader') return false
  const [first] = heirs(state, role)
  if (first === undefined || isHelping(state, role, now)) return false
  sendTimeoutNow(turn, first)
  becomeFollower(turn, null)
  return true
}

/**
 * Whether a leader that was elected halted still brings a voter up to its log. It cannot tell who of the others has halted,
 * but whoever has its whole log and serves would have campaigned long before it, unless it was away. Without this:
 *
 *   1. n1 and n2 have halted, n3 has not and lacks 20,000 entries. n1 is elected with the vote of n2, which has all.
 *   2. n2 acknowledges the first heartbeat, n1 hands over; n3 got one probe, 64 entries (`PROBE_ENTRIES_MAX`).
 *   3. n3 campaigns and gets no vote, for its log is behind; after the timeouts of the reluctant n2 is elected. Back to 1,
 *      more than 300 times.
 *
 * One that halted in office does not wait: until then nobody knew, so that whoever has its log most likely serves. It is
 * bounded by `helpUntil`, for a voter may be in contact and never reach the end (a slow disk, a long log), while another that
 * serves has come back with the whole of it: that one waits no longer. A slow one goes on under the next leader, where it was.
 */
function isHelping(state: RaftState, leader: Leader, now: Millis): boolean {
  if (leader.helpUntil === null || now >= leader.helpUntil) return false
  return otherVotersOf(state).some((voter) => {
    const progress = leader.progress.get(voter)
    if (progress === undefined || progress.matchIndex === state.lastIndex) return false
    return now - progress.lastContact < state.config.electionTimeoutMinMs
  })
}

/** Those of them that are not known to have halted as well: where all have, a leader stays that can be turned to. */
export function heirs(state: RaftState, leader: Leader): readonly NodeId[] {
  return caughtUp(state, leader).filter((voter) => !state.haltedVoters.includes(voter))
}

/** The other voters that are known to hold the leader’s whole log: each of those would get every voter’s vote. */
function caughtUp(state: RaftState, leader: Leader): readonly NodeId[] {
  return otherVotersOf(state).filter((voter) => leader.progress.get(voter)?.matchIndex === state.lastIndex)
}
