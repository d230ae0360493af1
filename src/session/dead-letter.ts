import type { Millis } from '../base/brand.ts'
import type { ServerRequest, SessionInfo } from './user-machine.ts'

/** A server request that ran out of attempts or time, as an operator sees it. */
export interface DeadLetter {
  /** Its number among all dead letters, from 1. */
  readonly letter: number
  readonly target: SessionInfo
  readonly request: ServerRequest
  /** `now` of its burial. */
  readonly at: Millis
  /** It is forgotten at this `now`. */
  readonly until: Millis
}

/**
 * What came of a dead letter that was to be moved. It stays one where its session has ended, a request of its type and key
 * waits that was emitted after it (`newerWaits`) or before it and was redriven (`olderWaits`), or there is no room.
 * `wasRedriven`, `wasDiscarded`: it was moved before, as the last 1,024 moved ones are remembered; `unknown`: there is none of
 * that number (any more).
 */
export type LetterOutcome = MovedBefore | 'redriven' | 'discarded' | 'unknown' | LetterStays

/** Why a letter is still a dead letter. */
type LetterStays = 'sessionEnded' | 'newerWaits' | 'olderWaits' | 'outboxFull'

/** What was done to a letter by an earlier entry. */
export type MovedBefore = 'wasRedriven' | 'wasDiscarded'
