import type { LogIndex } from '../base/brand.ts'
import { reachedByMajority } from './quorum.ts'
import { withCommitted } from './sizes.ts'
import { votersOf } from './state.ts'
import type { Turn } from './turn.ts'

/**
 * Advances the commit index to the highest entry of the leader's own term that is durable on a majority; earlier entries
 * are committed with it (paper Figure 2, Leaders; §5.4.2). The leader counts itself only for what its own disk holds, in
 * parallel with its followers' disks (thesis §10.2.1). Says whether it advanced.
 */
export function maybeAdvanceCommit(turn: Turn): boolean {
  const { state } = turn
  const { role, config, disk } = state
  if (role.kind !== 'leader') return false
  const index = reachedByMajority(votersOf(state), (voter) =>
    voter === config.self ? disk.durableIndex : (role.progress.get(voter)?.matchIndex ?? 0),
  ) as LogIndex
  if (index <= state.commitIndex) return false
  if (index < role.firstOwnIndex) return false
  turn.commit(index)
  turn.state = { ...turn.state, role: { ...role, sizes: withCommitted(role.sizes, index) } }
  return true
}
