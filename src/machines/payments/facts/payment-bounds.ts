/** Bounds of the machine payments, in one place (domain.md §0.2). */

/** 10^12 minor units: refund arithmetic and the sums over 9,000 such bookings stay exact in a double. */
export const PRICE_MINOR_MAX = 1_000_000_000_000
/**
 * Most that one callback may carry: fifteen digits, since every such decimal survives a double and comes back as its
 * shortest text.
 */
export const CAPTURE_MINOR_MAX = 999_999_999_999_999
/** No booking has a higher price, so nobody can mean more: such money is kept for a person, and never counted. */
export const MONEY_MINOR_MAX = PRICE_MINOR_MAX
/**
 * All money together: 9·10^15 is below 2^53, so no sum leaves the integers that a double holds exactly. It takes 9,000
 * payments of the highest price; what comes after them is kept for a person as well.
 */
export const RECEIVED_MINOR_MAX = 9_000_000_000_000_000
/** The last moment that a `Date` holds, ms since the Unix epoch: a day more or less is still an exact integer. */
export const MOMENT_MAX = 8_640_000_000_000_000
/** What M-Pesa pays in: a callback names no currency of its own. */
export const PROVIDER_CURRENCY = 'KES'
/** The provider moves whole shillings: a price has no cents. */
export const PROVIDER_UNIT_MINOR = 100
/** Ids, principals' names and the provider's references, in UTF-16 units. */
export const ID_LENGTH_MAX = 128
/** Notes and descriptions. */
export const TEXT_LENGTH_MAX = 256
/** Forms of one booking. */
export const FORMS_MAX = 32
/** A session lasts 15 minutes to 4 hours. */
export const DURATION_MIN_MIN = 15
export const DURATION_MIN_MAX = 240
/** Callbacks that one `paymentStarted` judges again at most; a provider sends one per push. */
export const WAITING_MAX = 1000
/** Steps of one `transition`: more than the way through all three tables takes. */
export const TRANSITION_STEPS_MAX = 32
/** Rejected audit records kept (domain.md §3.1). */
export const REJECTED_RING = 1000
/** Rows that one query answers at most. */
export const PAGE_MAX = 100
/** Rows of one booking that a query reads at most: attempts, captures, refunds. */
export const PER_BOOKING_MAX = 1000
/** Open bookings that `stuck` looks at in one call. */
export const STUCK_SCAN_MAX = 10_000
