import { DAY_MS, HOUR_MS, MINUTE_MS, SECOND_MS } from '../../../base/time.ts'

/** Every bound of the machine session (domain.md §1). Lengths are UTF-16 units after trimming, times ms. */

/** A dialogue that nobody was invited to goes after this. */
export const CREATION_TTL_MS = 30 * DAY_MS
/** How long an invitation is good for, from when it was sent last. */
export const INVITE_TTL_MS = 7 * DAY_MS
/** An active dialogue without a command of its people goes after this. */
export const INACTIVITY_MS = 90 * DAY_MS
/** When the two are reminded of a pause, and when it has lasted too long. */
export const PAUSE_REMINDER_MS = 7 * DAY_MS
export const PAUSE_MS_MAX = 30 * DAY_MS
/** Least and greatest time in which only whoever paused may resume. */
export const COOLING_MS_MIN = 0
export const COOLING_MS_MAX = 7 * DAY_MS

export const RESENDS_MAX = 3
/** Between two sendings of one invitation. */
export const RESEND_INTERVAL_MS = 24 * HOUR_MS

export const CONTEXT_LENGTH_MAX = 500
export const REASON_LENGTH_MAX = 500
export const MESSAGE_LENGTH_MAX = 4_000
export const EMOTION_CONTEXT_LENGTH_MAX = 200
export const NAME_LENGTH_MAX = 100
export const REF_LENGTH_MAX = 254
export const ID_LENGTH_MAX = 128

/** Between two readings that a person records. */
export const READING_INTERVAL_MS = 30 * SECOND_MS
/** A rise is looked for among the readings of this time, at most so many of them. */
export const READING_WINDOW_MS = 10 * MINUTE_MS
export const READING_SCAN_MAX = 200
/** Readings that a query gives, the latest. */
export const READINGS_MAX = 100

/** Messages of one reader that are looked at, a page at a time, for the words that this person wrote. */
export const OWN_WORDS_PAGE = 100
export const OWN_WORDS_SCAN_MAX = 20 * OWN_WORDS_PAGE

export const LIST_MAX = 50
export const HISTORY_MAX = 100
/** Dialogues that one page of a list looks at; the page ends there with a cursor. */
export const LIST_SCAN_MAX = 200
/** Status changes of one dialogue that a page of its audit gives, and that are kept, the latest. */
export const AUDIT_MAX = 500
export const AUDIT_KEPT_MAX = 1_000
/** Messages of one dialogue, of both, and readings of a person in one that are kept, the latest. */
export const MESSAGES_MAX = 20_000
export const READINGS_KEPT_MAX = 1_000

/** Bytes of texts in one answer: half of what a response may have, so that there is room for everything else. */
export const ANSWER_BYTES_MAX = 512 * 1024
