import { OperatorError } from '../../client/operator/ask-leader.ts'
import { fetchMembers, type MemberList } from '../../client/operator/members.ts'

/** How long to look for a leader, ms: without a word, and in all; `told` hears once that it takes longer. */
export interface Patience {
  readonly quietMs: number
  readonly waitMs: number
  told(why: string): void
}

/**
 * The members as the leader knows them. A cluster may have none for a while: its nodes are being started, or a majority is
 * away. Rejects with OperatorError: `NO_LEADER` once that lasted too long.
 */
export async function findMembers(endpoints: readonly string[], patience: Patience): Promise<MemberList> {
  const { quietMs, waitMs, told } = patience
  const first = Math.min(quietMs, waitMs)
  try {
    return await fetchMembers(endpoints, first)
  } catch (error) {
    if (!(error instanceof OperatorError) || error.code !== 'NO_LEADER' || first >= waitMs) throw error
    told(error.message)
    return await fetchMembers(endpoints, waitMs - first)
  }
}
