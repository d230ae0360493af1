import { assert } from '../base/assert.ts'
import { indexPlus, indexAfter } from '../base/brand.ts'
import { hasRecentQuorum } from './check-quorum.ts'
import { replicate } from './replicate.ts'
import { uncommittedBytes, withProposal } from './sizes.ts'
import { leaderOf, type RaftState } from './state.ts'
import type { Turn } from './turn.ts'
import type { ProposeRefusal, RaftEvent } from './types.ts'

type Proposal = Extract<RaftEvent, { kind: 'propose' }>

/**
 * Commands from clients (paper Figure 2, Leaders): appended to the leader's log and sent at once, in parallel with its own
 * write; refused, with the leader if known, anywhere else.
 */
export function propose(turn: Turn, proposal: Proposal): void {
  assert(proposal.count > 0, 'a proposal has at least one entry', { ...proposal })
  const refusal = checkProposal(turn.state, turn.now, proposal)
  // A halted leader is nobody to turn to.
  if (refusal !== null) return turn.refuse(refusal, refusal === 'HALTED' ? null : leaderOf(turn.state))
  const first = indexAfter(turn.state.lastIndex)
  const last = indexPlus(turn.state.lastIndex, proposal.count)
  turn.append([{ first, last, term: turn.state.currentTerm, source: { kind: 'proposed' } }])
  const { role } = turn.state
  assert(role.kind === 'leader', 'only a leader accepts proposals', { role: role.kind })
  const sizes = withProposal(role.sizes, { lastIndex: last, bytes: proposal.bytes })
  turn.state = { ...turn.state, role: { ...role, sizes } }
  replicate(turn, null)
}

/** Why not, or null. Whatever its size, a proposal passes when nothing else is uncommitted: no batch can get stuck. */
function checkProposal(state: RaftState, now: number, proposal: Proposal): ProposeRefusal | null {
  const { role, config, commitIndex } = state
  if (role.kind !== 'leader') return 'NOT_LEADER'
  if (state.halted && proposal.whileHalted !== true) return 'HALTED'
  if (state.stalled) return 'STORAGE_STALLED'
  if (role.transfer !== null) return 'TRANSFERRING'
  if (!hasRecentQuorum(state, now)) return 'NO_QUORUM'
  const waiting = uncommittedBytes(role.sizes, commitIndex)
  if (waiting > 0 && waiting + proposal.bytes > config.uncommittedBytesMax) return 'OVERLOADED'
  return null
}
