import { becomeFollower } from './become.ts'
import { leavesOffice } from './state.ts'
import { maybeTransferAway } from './transfer.ts'
import type { Turn } from './turn.ts'

/**
 * The oldest log write of this node is outstanding for longer than an election timeout, or no longer (raft.md §5; the driver's
 * watchdog). A leader whose disk hangs would go on sending heartbeats, and keep the others from electing one that can write
 * (hashicorp/raft #503, #612): it takes no proposals, sends no heartbeat, and asks the best voter to lead; where none was heard
 * lately it steps down. A follower neither campaigns nor answers pre-votes: a vote of its own would never be on disk. A sole
 * voter has nobody to make way for, and waits. What follows the stall is a follower's life.
 */
export function setStalled(turn: Turn, stalled: boolean): void {
  if (turn.state.stalled === stalled) return
  turn.state = { ...turn.state, stalled }
  if (!stalled) return
  const { role } = turn.state
  if (role.kind === 'preCandidate' || role.kind === 'candidate') return becomeFollower(turn, null)
  if (role.kind === 'leader' && leavesOffice(turn.state) && !maybeTransferAway(turn)) becomeFollower(turn, null)
}
