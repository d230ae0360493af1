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
 * What came of a dead letter that was to be moved. It stays one where its session has ended, a newer request of its key waits
 * (`newerWaits`) or there is no room; `unknown`: there is none of that number (any more).
 */
export type LetterOutcome = 'redriven' | 'discarded' | 'unknown' | 'sessionEnded' | 'newerWaits' | 'outboxFull'
