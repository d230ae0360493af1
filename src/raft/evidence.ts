import type { NodeId } from '../base/brand.ts'
import { askAgain } from './become.ts'
import { mayCampaign } from './state.ts'
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
  const hurry = { lost: peer, until: now + config.electionTimeoutMinMs, asked: 0 }
  turn.state = { ...state, heardLeaderAt: null, hurry, role: { ...role, leader: null } }
  // A halted node leaves it to those who serve.
  if (state.halted) return
  const electionDeadline = Math.min(role.electionDeadline, advanceElectionDraw(turn, now))
  turn.state = { ...turn.state, role: { kind: 'follower', leader: null, electionDeadline } }
}

/**
 * A connection to the peer is open, and what was sent to it before was lost. Who campaigns asks it at once, not at its next
 * timeout. Who has heard no leader since its process started, and has given no vote since, waits for one heartbeat interval,
 * in which a leader would speak, and asks for pre-votes by the short timeouts of `receiveUnreachable`: where all nodes start
 * at a time, nobody is there to wait for. It is a question here too, and changes nothing where a leader is alive.
 */
export function receiveReachable(turn: Turn, peer: NodeId): void {
  const { state, now } = turn
  if (state.role.kind === 'preCandidate' || state.role.kind === 'candidate') return askAgain(turn, peer)
  const { role, hurry, config, halted } = state
  if (role.kind !== 'follower' || hurry === null || hurry.lost !== null || halted) return
  turn.state = { ...state, hurry: { ...hurry, until: now + config.electionTimeoutMinMs } }
  // One that is not bootstrapped yet draws its timeout when it is.
  if (!mayCampaign(state) || state.obligation !== null) return
  const electionDeadline = Math.min(role.electionDeadline, advanceElectionDraw(turn, now))
  turn.state = { ...turn.state, role: { ...role, electionDeadline } }
}
