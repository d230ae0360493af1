import { BEFORE_LOG, type LogIndex, type Millis } from '../base/brand.ts'
import type { Progress } from './types.ts'

/**
 * Progress of a follower of which nothing is known: an election has just been held, or it has just become a member. `next`:
 * what it is asked for first. `since`: the leader's sequence by now, `voted`: in the election (`Progress`).
 */
export function newProgress(known: { next: LogIndex; now: Millis; since: number; voted: boolean }): Progress {
  const { next, now, since, voted } = known
  return {
    matchIndex: BEFORE_LOG,
    nextIndex: next,
    mode: 'probe',
    voted,
    inFlight: [],
    lastContact: now,
    forgivenMs: 0,
    answered: 0,
    followed: 0,
    sentCommit: BEFORE_LOG,
    since,
  }
}
