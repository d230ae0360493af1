import type { Millis } from '../base/brand.ts'
import { reachedByQuorum } from './quorum.ts'
import { configurationOf, type Leader, type RaftState } from './state.ts'

/**
 * Since when, at the latest, a quorum is known to have heard this leader: the send time of what they
 * answered. The leader hears itself. Null when it does not lead.
 */
function quorumContact(state: RaftState, now: Millis): Millis | null {
  const { role, config } = state
  if (role.kind !== 'leader') return null
  return reachedByQuorum(configurationOf(state), 0, (voter) =>
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

/**
 * A leader that comes to its heartbeats late was itself away: in that time it asked nobody, so nobody owes it an answer.
 * Contacts are moved on by as much, else a busy process would depose itself although every follower answers everything. One
 * absence counts whole; several, between which nothing was answered, together no more than an election timeout: whoever is
 * late again and again has asked again and again, and is not heard.
 */
export function withoutAbsence(state: RaftState, leader: Leader, away: { now: Millis; ms: Millis }): Leader {
  const progress = new Map(leader.progress)
  for (const [id, known] of leader.progress) {
    const { lastContact, forgivenMs: before } = known
    const forgivenMs =
      before === 0 ? away.ms : Math.max(before, Math.min(before + away.ms, state.config.electionTimeoutMaxMs))
    progress.set(id, { ...known, forgivenMs, lastContact: Math.min(away.now, lastContact + forgivenMs - before) })
  }
  return { ...leader, progress }
}
