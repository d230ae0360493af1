import { HOUR_MS } from '../../../base/time.ts'
import { PRICE_MINOR_MAX } from '../facts/payment-bounds.ts'
import type { MpesaCallback } from './mpesa.ts'
import { parseStkCallback } from './mpesa.ts'
import { bodiesOf } from './replay-bodies.ts'

/**
 * What to do with a replay file, computed from the file alone (domain.md §3.13). Bookings are independent of each other;
 * the steps of one booking are done in order, each after the one before it was answered.
 */
export interface ReplayPlan {
  /** Bodies that were looked at: usually one per line, none for an empty one. */
  readonly received: number
  readonly bookings: readonly ReplayBooking[]
  readonly malformed: readonly MalformedBody[]
}

/** A body that does not parse: it is reported, nothing is sent for it, and the rest goes on. */
export interface MalformedBody {
  /** From 1, empty lines counted. */
  readonly line: number
  /** From 1 within the line. */
  readonly body: number
  readonly field: string
  readonly reason: string
}

/** One booking that the file refers to, and everything that happens to it. */
export interface ReplayBooking {
  /** What the file calls it. */
  readonly key: string
  /** From 1, in order of first appearance. */
  readonly number: number
  /** Principals of its lane. Bookings of one lane have their own slots, so that none collides with another. */
  readonly clientId: string
  readonly therapistId: string
  /** Start of the appointment, in ms after the moment that the replayer calls now. */
  readonly startsAfterMs: number
  readonly durationMin: number
  /** The amount of the first success, in whole shillings and one at least; `PRICE_UNKNOWN_MINOR` when the file has none. */
  readonly priceMinor: number
  readonly currency: string
  readonly steps: readonly ReplayStep[]
}

/**
 * `attempt`: the client calls `initiatePayment {id, phone}` (before attempt 1: `requestBooking` by the client and
 * `approve` by the therapist), and the worker completes the attempt's `payment.stk_push` task with
 * `{checkoutRequestId, merchantRequestId}`. `callback`: the worker sends `paymentCallback` with exactly `callback`.
 * An attempt after the first stands behind the failure that made it necessary; if it is refused all the same, the
 * replayer goes on with the next step.
 */
export type ReplayStep =
  | {
      readonly kind: 'attempt'
      /** From 1 within the booking. */
      readonly no: number
      readonly phone: string
      readonly checkoutRequestId: string
      readonly merchantRequestId: string
    }
  | { readonly kind: 'callback'; readonly line: number; readonly callback: MpesaCallback }

/** How bookings are spread and named. */
export interface PlanOptions {
  /** Client and therapist pairs that the bookings are spread over. Default 16. */
  readonly lanes?: number
  /** Goes into the principals' names, so that two runs on one cluster have their own. Default `replay`. */
  readonly run?: string
}

/** The price of a booking whose pushes all failed: 1,000 shillings. */
export const PRICE_UNKNOWN_MINOR = 100_000

/** Prices are whole shillings: a payment with cents, or of nothing, is another amount than any price. */
const SHILLING_MINOR = 100

/** Slots begin a week ahead: no timer before the appointment, such as a lapse, is due while a replay runs. */
const FIRST_SLOT_AFTER_MS = 7 * 24 * HOUR_MS
const SLOT_MS = HOUR_MS
const DURATION_MIN = 60

interface Draft {
  readonly key: string
  priceMinor: number | null
  readonly pushes: Set<string>
  readonly steps: ReplayStep[]
}

/**
 * Reads the lines of a replay file, in order. A push is its CheckoutRequestID alone, whatever else its callbacks name, and
 * each is one attempt, set up right before its first callback. Pushes of the very same MerchantRequestID are attempts of
 * one booking; ids that merely look alike are strangers', as they are made of counters and of random digits.
 */
export function planReplay(lines: Iterable<string>, options: PlanOptions = {}): ReplayPlan {
  const drafts = new Map<string, Draft>()
  const owners = new Map<string, Draft>()
  const malformed: MalformedBody[] = []
  let line = 0
  let received = 0
  for (const text of lines) {
    line += 1
    for (const [index, body] of bodiesOf(text).entries()) {
      received += 1
      const parsed = parseStkCallback(body)
      if (parsed.ok) addCallback(draftOf(parsed.callback, drafts, owners), line, parsed.callback)
      else malformed.push({ line, body: index + 1, field: parsed.field, reason: parsed.reason })
    }
  }
  const bookings = [...drafts.values()].map((draft, index) => bookingOf(draft, index, options))
  return { received, bookings, malformed }
}

/** The booking of a callback: whoever had its CheckoutRequestID first, else that of its MerchantRequestID. */
function draftOf(callback: MpesaCallback, drafts: Map<string, Draft>, owners: Map<string, Draft>): Draft {
  const owner = owners.get(callback.checkoutRequestId)
  if (owner !== undefined) return owner
  const key = callback.merchantRequestId
  const draft = drafts.get(key) ?? { key, priceMinor: null, pushes: new Set<string>(), steps: [] }
  drafts.set(key, draft)
  owners.set(callback.checkoutRequestId, draft)
  return draft
}

function addCallback(draft: Draft, line: number, callback: MpesaCallback): void {
  const { checkoutRequestId, merchantRequestId } = callback
  if (!draft.pushes.has(checkoutRequestId)) {
    draft.pushes.add(checkoutRequestId)
    const no = draft.pushes.size
    draft.steps.push({ kind: 'attempt', no, phone: phoneOf(no), checkoutRequestId, merchantRequestId })
  }
  if (callback.amountMinor !== undefined) draft.priceMinor ??= priceOf(callback.amountMinor)
  draft.steps.push({ kind: 'callback', line, callback })
}

function priceOf(amountMinor: number): number {
  return Math.min(PRICE_MINOR_MAX, Math.max(SHILLING_MINOR, amountMinor - (amountMinor % SHILLING_MINOR)))
}

function bookingOf(draft: Draft, index: number, options: PlanOptions): ReplayBooking {
  const lanes = options.lanes ?? 16
  const run = options.run ?? 'replay'
  const lane = (index % lanes) + 1
  return {
    key: draft.key,
    number: index + 1,
    clientId: `user:${run}-client-${lane}`,
    therapistId: `user:${run}-therapist-${lane}`,
    startsAfterMs: FIRST_SLOT_AFTER_MS + Math.floor(index / lanes) * SLOT_MS,
    durationMin: DURATION_MIN,
    priceMinor: draft.priceMinor ?? PRICE_UNKNOWN_MINOR,
    currency: 'KES',
    steps: draft.steps,
  }
}

/** Any number that the provider would take: the file's own are not needed and stay out of the state. */
function phoneOf(no: number): string {
  return `2547${String(no).padStart(8, '0')}`
}
