import type { Millis } from '../base/brand.ts'
import { reachedByMajority } from './quorum.ts'
import { type RaftState, votersOf } from './state.ts'

/**
 * Since when, at the latest, a majority of the voters is known to have heard this leader: the send time of what they
 * answered. The leader hears itself. Null when it does not lead.
 */
export function quorumContact(state: RaftState, now: Millis): Millis | null {
  const { role, config } = state
  if (role.kind !== 'leader') return null
  return reachedByMajority(votersOf(state), (voter) =>
    voter === config.self ? now : (role.progress.get(voter)?.lastContact ?? 0),
  )
}

/** True when a leader may accept proposals: a quorum was in contact within the minimum election timeout. */
export function hasRecentQuorum(state: RaftState, now: Millis): boolean {
  if (!state.config.checkQuorum) return true
  const contact = quorumContact(state, now)
  return contact !== null && now - contact <= state.config.electionTimeoutMinMs
}

/** True when a leader must step down: no quorum for a maximum election timeout (thesis §6.2). */
export function hasLostQuorum(state: RaftState, now: Millis): boolean {
  if (!state.config.checkQuorum) return false
  const contact = quorumContact(state, now)
  return contact !== null && now - contact >= state.config.electionTimeoutMaxMs
}
