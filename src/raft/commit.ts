import { BEFORE_LOG } from '../base/brand.ts'
import { isDeferring } from './lease.ts'
import { reachedByQuorum } from './quorum.ts'
import { withCommitted } from './sizes.ts'
import { configurationOf } from './state.ts'
import type { Turn } from './turn.ts'

/**
 * Advances the commit index to the highest entry of the leader's own term that is durable on a majority; earlier entries
 * are committed with it (paper Figure 2, Leaders; §5.4.2). The leader counts itself only for what its own disk holds, in
 * parallel with its followers' disks (thesis §10.2.1). While an earlier leader may answer by its lease nothing is. Says whether
 * it advanced.
 */
export function maybeAdvanceCommit(turn: Turn): boolean {
  const { state } = turn
  const { role, config, disk } = state
  if (role.kind !== 'leader') return false
  const index = reachedByQuorum(configurationOf(state), BEFORE_LOG, (voter) =>
    voter === config.self ? disk.durableIndex : (role.progress.get(voter)?.matchIndex ?? BEFORE_LOG),
  )
  if (index <= state.commitIndex) return false
  // The paper asks for log[N].term = currentTerm. A leader appends entries of its own term alone and removes none, so these
  // are exactly [firstOwnIndex, lastIndex], and `index` ≤ lastIndex: comparing indexes compares the terms. It must, for a
  // majority alone does not make an entry of an earlier term safe (paper Figure 8; golden scripts 06 and 07):
  //   1. s1 leads term 2, appends 2@2, sends it to s2 alone, and crashes.
  //   2. s5 leads term 3 with the votes of s3 and s4, appends 2@3, sends it to nobody, and crashes.
  //   3. s1 leads term 4, appends 3@4 (so firstOwnIndex is 3), and sends s3 no more than 2@2: a majority holds index 2.
  //   4. s1 crashes. s5 leads term 5, for 2@3 is newer than 2@2, and overwrites 2@2 everywhere.
  // Had step 3 committed index 2, step 4 would have removed a committed entry. Once a majority holds 3@4, s5 cannot win any
  // more, and index 2 is committed with it.
  if (index < role.firstOwnIndex) return false
  if (isDeferring(role, turn.now)) return false
  turn.commit(index)
  const lease = role.lease.deferUntil === null ? role.lease : { ...role.lease, deferUntil: null }
  turn.state = { ...turn.state, role: { ...role, lease, sizes: withCommitted(role.sizes, index) } }
  return true
}
