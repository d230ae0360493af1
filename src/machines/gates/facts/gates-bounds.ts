import { MINUTE_MS, SECOND_MS } from '../../../base/time.ts'

/** Every bound of the machine gates (domain.md §2). Lengths are UTF-16 units after trimming, times ms. */

export const ID_LENGTH_MAX = 128
export const EVENT_LENGTH_MAX = 2_000
export const BOUNDARY_LENGTH_MAX = 500
export const EMOTIONS_MAX = 10
export const EMOTION_LENGTH_MAX = 50
export const NOTE_LENGTH_MAX = 500
export const DRAFT_LENGTH_MAX = 1_200
export const NEED_LENGTH_MAX = 200
export const ADJUSTMENT_LENGTH_MAX = 300
export const CONSENT_LENGTH_MAX = 1_000
export const PLAN_LENGTH_MAX = 800
export const DURATION_LENGTH_MAX = 100
export const MEASURE_LENGTH_MAX = 300

/** Per person and dialogue. */
export const EVENTS_MAX = 200
export const BOUNDARIES_MAX = 50
export const NEEDS_MAX = 20
/** Requests for a consent that wait for their owner, and decided ones that are kept, the latest. */
export const REQUESTS_MAX = 100
export const REQUESTS_KEPT_MAX = 100
/** Consents of one owner that are active, and revoked ones that are kept, the latest. */
export const CONSENTS_MAX = 200
export const CONSENTS_KEPT_MAX = 100
/** Of both. */
export const CONSENT_ROWS_MAX = 2 * (CONSENTS_MAX + CONSENTS_KEPT_MAX)
/** Per dialogue. Common ground that rests on a revoked need does not count, and goes when another item comes. */
export const COMMON_GROUND_MAX = 20
export const STRATEGIES_MAX = 50
/** Agreements that are proposed or agreed, and abandoned ones that are kept, the latest. */
export const AGREEMENTS_MAX = 50
export const AGREEMENTS_KEPT_MAX = 50
export const AGREEMENT_ROWS_MAX = AGREEMENTS_MAX + AGREEMENTS_KEPT_MAX
/** Retrievals for one person in a dialogue, and refusals of one issuer, that are kept, the latest. */
export const RETRIEVALS_MAX = 1_000
export const REFUSALS_MAX = 100

/** Of one task's result. */
export const SYNTHESIZED_MIN = 2
export const SYNTHESIZED_MAX = 8
export const EVIDENCE_MAX = 5
export const ANALYZED_MAX = 5
export const SUGGESTIONS_MAX = 5
/** How many are asked for when nobody says. */
export const SUGGESTIONS_DEFAULT = 3
export const NEEDS_ADDRESSED_MAX = 3
/** How much of a person's own words a task that looks for needs is given: the latest of each kind. */
export const OWN_WORDS_MAX = 20
/** Shared needs of each that a search for common ground is given, the latest: a payload has an end. */
export const ANALYZED_NEEDS_MAX = 40

/** Queries of one `retrieve`, items of one of them, and dialogues of one relationship that it looks at. */
export const RETRIEVE_QUERIES_MAX = 20
export const RETRIEVE_ITEMS_MAX = 50
export const RETRIEVE_DIALOGUES_MAX = 20
/** Of a query that is kept. */
export const QUERY_TEXT_MAX = 300

/** Ranks that count for the overlap. */
export const OVERLAP_RANKS = 3

export const ANALYSIS_LEASE_MS = 2 * MINUTE_MS
export const SUGGEST_LEASE_MS = MINUTE_MS
export const ANALYSIS_BACKOFF_MS = [5 * SECOND_MS, 15 * SECOND_MS]
