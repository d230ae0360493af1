import { DAY_MS, HOUR_MS, MINUTE_MS, SECOND_MS } from '../../../base/time.ts'

/** Every bound of the machine reconciler (domain.md §4). Lengths are UTF-16 units after trimming, times ms. */

export const ID_LENGTH_MAX = 128
export const STATEMENT_LENGTH_MAX = 1_200
export const SUGGESTION_LENGTH_MAX = 1_000
export const INSTRUCTION_LENGTH_MAX = 500
export const FEEDBACK_LENGTH_MAX = 1_000
export const REASON_LENGTH_MAX = 500

/** Of a result: its lists, one of their items, and its other texts. */
export const FINDINGS_MAX = 20
export const FINDING_LENGTH_MAX = 300
export const RATIONALE_LENGTH_MAX = 2_000
export const GUIDANCE_LENGTH_MAX = 300
export const SCORE_MAX = 100

/** How much of the subject's own words of one stage an analysis is given: the latest. */
export const WORDS_MAX = 20
/** An equal message is looked for among so many of the latest ones of its reader. */
export const EQUAL_SCAN_MAX = 50

/** An offer that nobody answers goes after this. */
export const OFFER_TTL_MS = 7 * DAY_MS
/** The subject is reminded of what was revealed after this. */
export const REMINDER_MS = 72 * HOUR_MS

export const ANALYSIS_LEASE_MS = MINUTE_MS
export const ANALYSIS_BACKOFF_MS = [5 * SECOND_MS, 15 * SECOND_MS]

/** Steps of one page of the audit. */
export const AUDIT_PAGE_MAX = 200
