import { becomeFollower } from './become.ts'
import { type Leader, type RaftState, votersOf } from './state.ts'
import { reluctanceMs } from './timer.ts'
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

/**
 * A halted leader steps down once another voter holds its whole log; says whether it did. The commit index is not enough:
 * with a third voter down, the one that lacks uncommitted entries would not get this node’s vote (paper §5.4.1), which
 * would have to lead again for every few of them. The whole log is not far: nothing is appended to it any more.
 *
 * Stepping down is always safe: it is what a crash does that loses nothing, and no rule of Raft rests on a leader staying
 * one. Term, vote and log stay as they are, so this node gives no second vote in its term and acknowledges nothing new; what
 * it committed is on a majority, of which every later leader has the vote of one (paper §5.4.3). It costs an election.
 */
export function maybeHandOver(turn: Turn): boolean {
  const { state } = turn
  const { role } = state
  if (!state.halted || role.kind !== 'leader' || !isCaughtUp(state, role)) return false
  becomeFollower(turn, null)
  return true
}

/** Another voter holds the leader’s whole log: every voter would vote for it. Never so where there is no other voter. */
export function isCaughtUp(state: RaftState, leader: Leader): boolean {
  return votersOf(state).some((voter) => leader.progress.get(voter)?.matchIndex === state.lastIndex)
}
