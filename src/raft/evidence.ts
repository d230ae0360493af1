import type { NodeId } from '../base/brand.ts'
import { advanceElectionDraw } from './timer.ts'
import type { Turn } from './turn.ts'

/**
 * The connection to a peer was reset or refused: its process is gone. If it led, this node waits no election timeout: it no
 * longer counts as having heard a leader (a voter that did would refuse), and asks for pre-votes after a few milliseconds,
 * again and again until a leader is heard or a minimum election timeout has passed (raft.md §4). It remains a question: a
 * majority that hears the leader refuses the pre-vote, and no vote is given for it. Told once of each leader.
 */
export function receiveUnreachable(turn: Turn, peer: NodeId): void {
  const { state, now } = turn
  const { role, config } = state
  if (role.kind !== 'follower' || role.leader !== peer) return
  const lostLeader = { id: peer, until: now + config.electionTimeoutMinMs, asked: 0 }
  turn.state = { ...state, heardLeaderAt: null, lostLeader, role: { ...role, leader: null } }
  // A halted node leaves it to those who serve.
  if (state.halted) return
  const electionDeadline = Math.min(role.electionDeadline, advanceElectionDraw(turn, now))
  turn.state = { ...turn.state, role: { kind: 'follower', leader: null, electionDeadline } }
}
