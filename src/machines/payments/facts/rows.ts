import { z } from 'zod'
import { id, millis, minor, outcome, role } from './fields.ts'
import { PAYMENT_STATES, SESSION_STATES, VIDEO_STATES } from './states.ts'

/** Schemas of the rows that payments stores (domain.md §3.1). A row whose id is its key does not repeat it. */

const ATTEMPT_OUTCOMES = ['SUCCESS', 'FAILED', 'SUPERSEDED'] as const
const attemptOutcome = z.enum(ATTEMPT_OUTCOMES)
/** How an attempt ended. SUPERSEDED: the money of an older one paid. */
export type AttemptOutcome = (typeof ATTEMPT_OUTCOMES)[number]

const presence = z.object({ joinedAt: millis.nullable(), leftAt: millis.nullable() })

/** What few bookings have: one field of the row while there is none of it. */
export const rareFacts = z.object({
  verbalConsent: z.object({ by: z.string(), at: millis }).nullable(),
  attendance: z.object({ client: presence, therapist: presence }).nullable(),
  actualStart: millis.nullable(),
  endedAt: millis.nullable(),
  cancel: z.object({ by: z.string(), role, reason: z.string(), at: millis }).nullable(),
  therapistReview: z.boolean(),
  manualReview: z.boolean(),
  /** The timer that fired last, and when it was due; timers after it are still to come (`nextTimer`). */
  fired: z.object({ dueAt: millis, order: z.int() }).nullable(),
})
export type RareFacts = Readonly<z.output<typeof rareFacts>>

/** A booking without any of them. */
export const NOTHING_RARE: RareFacts = Object.freeze({
  verbalConsent: null,
  attendance: null,
  actualStart: null,
  endedAt: null,
  cancel: null,
  therapistReview: false,
  manualReview: false,
  fired: null,
})

/**
 * One appointment: the triple, its terms, and the few facts that commands look at. Attempts and money are rows of
 * their own, but for what a callback changes of the current attempt. PERF: flat, and what is rare in one field: every write
 * walks every field, at about a tenth of a microsecond each.
 */
export const bookingRow = z.object({
  id,
  clientId: z.string(),
  therapistId: z.string(),
  startsAt: millis,
  durationMin: z.int(),
  priceMinor: minor,
  currency: z.string(),
  payment: z.enum(PAYMENT_STATES),
  session: z.enum(SESSION_STATES),
  video: z.enum(VIDEO_STATES),
  /** When each of the three entered its state. */
  paymentAt: millis,
  sessionAt: millis,
  videoAt: millis,
  /** Required forms that are not complete. */
  formsOpen: z.int(),
  /** Attempts made so far; the last one is the current one, and its outcome stands here instead of in its own row. */
  attempts: z.int(),
  attemptId: z.string().nullable(),
  outcome: attemptOutcome.nullable(),
  resultCode: z.string().nullable(),
  /**
   * The transaction whose money paid for this booking, exactly the price, and when; its attempt is the one with outcome
   * SUCCESS. Other captures are rows of `captures`.
   */
  applied: z.string().nullable(),
  appliedAt: millis.nullable(),
  /** All money that arrived, and all that is to go back (refunds but FAILED_MANUAL). refunded ≤ captured. */
  capturedMinor: minor,
  refundedMinor: minor,
  rare: rareFacts.nullable(),
  /** Its last audit group; each group names the one before it. */
  auditGroup: z.int(),
  /** Rises by one with every change. */
  seq: z.int(),
})
export type Booking = Readonly<z.output<typeof bookingRow>>

/** A form of a booking; its content hash is null until it is complete. */
export const formRow = z.object({
  required: z.boolean(),
  completedAt: millis.nullable(),
  contentHash: z.string().nullable(),
})

/** One push. Its outcome is null while it is the current one: then the booking knows it (`attemptOf`). */
export const attemptRow = z.object({
  id,
  bookingId: id,
  no: z.int(),
  /** In full; every read masks it. */
  phone: z.string(),
  amountMinor: minor,
  at: millis,
  checkoutRequestId: z.string().nullable(),
  merchantRequestId: z.string().nullable(),
  outcome: attemptOutcome.nullable(),
  resultCode: z.string().nullable(),
})
export type Attempt = Readonly<z.output<typeof attemptRow>>

/** What a push was made for. */
export const checkoutRow = z.object({ attemptId: z.string(), bookingId: z.string() })

/** Money that arrived and could not be applied: it goes back. */
export const captureRow = z.object({ attemptId: z.string(), amountMinor: minor, at: millis })

const REFUND_REASONS = [
  'CANCELLED',
  'THERAPIST_NO_SHOW',
  'BOTH_ABSENT',
  'MID_SESSION',
  'ORPHAN',
  'ADMIN',
  'FORMS_LAPSED',
  'SYSTEM_LAPSE',
  'SUSPENSE',
] as const
/** From the decision to the money (domain.md §3.4); NOT_DUE and SETTLED are the last, FAILED_MANUAL is left to people. */
export const REFUND_STATUSES = ['NOT_DUE', 'AWAITING_APPROVAL', 'QUEUED', 'SENT', 'SETTLED', 'FAILED_MANUAL'] as const
/**
 * Status → statuses that it may go to: by a decision of an administrator, by the worker's answer, or because it failed. Beside
 * it, one that was not sent becomes NOT_DUE when its money turns out to be other money (`take-back.ts`).
 */
export const REFUND_TRANSITIONS: {
  readonly [Status in (typeof REFUND_STATUSES)[number]]: readonly (typeof REFUND_STATUSES)[number][]
} = {
  NOT_DUE: [],
  AWAITING_APPROVAL: ['QUEUED', 'FAILED_MANUAL'],
  QUEUED: ['SENT', 'FAILED_MANUAL'],
  SENT: ['SETTLED'],
  SETTLED: [],
  FAILED_MANUAL: ['QUEUED', 'SETTLED'],
}
/** Money that goes back. */
export const refundRow = z.object({
  id,
  /** Null: money that no booking was ever found for. */
  bookingId: id.nullable(),
  /** The capture that the money goes back from; null when none is known. */
  transactionId: z.string().nullable(),
  /** The receipt of that capture, where it was known when the refund was made. */
  receipt: z.string().nullable(),
  amountMinor: minor,
  pct: z.int(),
  reason: z.enum(REFUND_REASONS),
  status: z.enum(REFUND_STATUSES),
  tries: z.int(),
  providerRef: z.string().nullable(),
  at: millis,
})
export type Refund = Readonly<z.output<typeof refundRow>>

/**
 * What became of a provider transaction (domain.md §3.5). SAME_RECEIPT: the money of another transaction, told again.
 * AMOUNT_ABSURD: more than anything costs; nothing was done with it.
 */
export const CALLBACK_RESULTS = [
  'APPLIED',
  'APPLIED_LATE',
  'REJECTED_AMOUNT',
  'IGNORED_STALE',
  'ORPHANED',
  'UNKNOWN_ATTEMPT',
  'SAME_RECEIPT',
  'AMOUNT_ABSURD',
] as const
export type CallbackResult = (typeof CALLBACK_RESULTS)[number]

/** The first answer to a transaction; repeats get it again, plus `duplicate: true`. */
export const callbackResponse = z.object({
  result: z.enum(CALLBACK_RESULTS),
  bookingId: z.string().nullable(),
  attemptId: z.string().nullable(),
  payment: z.enum(PAYMENT_STATES).nullable(),
  session: z.enum(SESSION_STATES).nullable(),
})
export type CallbackResponse = Readonly<z.output<typeof callbackResponse>>

/**
 * One per provider transaction, for ever, and one more for each other money that is told under the same transaction. What
 * a repeat is compared with stands first; `result` is what came of it in the end.
 */
export const callbackRow = z.object({
  outcome,
  /** Null in a failure that names none. */
  amountMinor: minor.nullable(),
  resultCode: z.string(),
  /** Null until a repeat brings one. */
  receipt: z.string().nullable(),
  merchantRequestId: z.string().nullable(),
  bookingId: z.string().nullable(),
  attemptId: z.string().nullable(),
  result: z.enum(CALLBACK_RESULTS),
  /** The booking's states when it was answered; null when there was no booking. */
  payment: z.enum(PAYMENT_STATES).nullable(),
  session: z.enum(SESSION_STATES).nullable(),
  at: millis,
  /** Log index of the entry that answered it first. */
  index: z.int(),
  /** The first answer where the fields above do not tell it: judged later, or the money of another transaction. */
  response: callbackResponse.nullable(),
  /** The failure that was told before this success, and how it was answered. */
  failed: z.object({ resultCode: z.string(), response: callbackResponse }).nullable(),
  /** The transaction under which this money was told as a second success; null for a transaction of its own. */
  of: z.string().nullable(),
  /** Other money told under this transaction: its records are `<transaction>#2` and so on. */
  others: z.int(),
  /** An administrator said which booking it is for: nobody knows who paid, least of all the push of that booking. */
  matched: z.boolean(),
})
export type CallbackRecord = Readonly<z.output<typeof callbackRow>>

/** Money of a push that nobody started, until it is judged, matched or refunded (domain.md §3.5). */
export const suspenseRow = z.object({
  checkoutRequestId: z.string().nullable(),
  amountMinor: minor,
  receipt: z.string().nullable(),
  at: millis,
})

/** Why a person must look at a transaction: each is an alert as well, but the first. */
export const REVIEW_KINDS = ['RECEIPT_MISSING', 'RECEIPT_OTHER_BOOKING', 'RECEIPT_TAKEN', 'AMOUNT_ABSURD'] as const
/** What is to be looked at, until the missing receipt comes or an administrator closes it. */
export const reviewRow = z.object({
  bookingId: z.string().nullable(),
  amountMinor: minor,
  receipt: z.string().nullable(),
  at: millis,
})

/** What audit records are about. */
export const AUDIT_ENTITIES = ['payment', 'session', 'video', 'refund', 'callback', 'form'] as const
/**
 * The steps of one command, keyed by the seq of the first, which is their group; seqs count on from it. The JSON of an
 * `AuditGroup`. PERF: it is written once and seldom read; as a text it is one value to walk and to keep instead
 * of thirty.
 */
export const auditGroupRow = z.string()
/** One refused command, keyed by seq modulo the ring's size. */
export const auditRejectedRow = z.object({
  seq: z.int(),
  at: millis,
  bookingId: z.string().nullable(),
  entity: z.enum(AUDIT_ENTITIES),
  action: z.string(),
  from: z.string().nullable(),
  to: z.string().nullable(),
  by: z.string(),
  ref: z.string().nullable(),
  code: z.string(),
  prevHash: z.string(),
  hash: z.string(),
})

/** The one row that every command changes: the end of the chain of applied records, and the running totals. */
export const ledgerRow = z.object({
  /** Of the last record; 0 and 64 zeros before the first. */
  seq: z.int(),
  hash: z.string(),
  /** In the order of `TOTAL_NAMES`, 8 bytes each. */
  totals: z.instanceof(Uint8Array),
})
export type Ledger = Readonly<z.output<typeof ledgerRow>>
