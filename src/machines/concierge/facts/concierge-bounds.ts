import { DAY_MS, MINUTE_MS, SECOND_MS } from '../../../base/time.ts'

/** Every bound of the machine concierge (domain.md §5). Lengths are UTF-16 units after trimming, times ms. */

export const ID_LENGTH_MAX = 128
export const NAME_LENGTH_MAX = 200
export const TEXT_LENGTH_MAX = 4_000
export const REPLY_LENGTH_MAX = 8_000

/** Steps of a conversation that are kept, the latest. */
export const HISTORY_MAX = 50
/** Changes of a contractor's registrations that are kept, the latest; and how many one page looks at. */
export const AUDIT_KEPT_MAX = 500
export const AUDIT_PAGE_MAX = 200

/** What one entry may have to touch: an event that ends is written into every registration of it. */
export const CONVERSATIONS_MAX = 20
export const REGISTRATIONS_MAX = 100
export const ATTENDEES_MAX = 1_000
/**
 * Conversations that the entry of an event's end tells itself, 20 more at most: each is a step of a chart, 0.3 ms of processor
 * time. 1,000 × 20 of them would stop every node for seconds; the others are told by timers, between which the nodes go on.
 */
export const TOLD_AT_ONCE_MAX = 200

/** A conversation in which nobody writes ends after this. */
export const IDLE_MS = 30 * MINUTE_MS
/** The agent is told that an event has just ended for so long. */
export const JUST_ENDED_MS = DAY_MS
/** A conversation that is idle is dropped so long after its last step. */
export const PURGE_MS = 30 * DAY_MS

export const AGENT_LEASE_MS = MINUTE_MS
export const AGENT_BACKOFF_MS = [2 * SECOND_MS]
export const AGENT_ATTEMPTS = 2

/** The last moment of a date: what is later is no time. */
export const TIME_MAX = 8_640_000_000_000_000
