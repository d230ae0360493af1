import { z } from 'zod'
import { query } from '../../../machine/define/command.ts'
import { isRejection } from '../../../machine/define/rejection.ts'
import { isAdmin, roleOf } from '../change/access.ts'
import { cancelPct, isCancellable } from '../change/end-booking.ts'
import { attemptOf } from '../change/attempts.ts'
import { bookingFacts, factsOf } from '../facts/booking-facts.ts'
import { joinCheck } from '../rules/join.ts'
import { discreetAttempt, discreetCancel, discreetRefund } from './discretion.ts'
import { PAGE_MAX, PER_BOOKING_MAX } from '../facts/payment-bounds.ts'
import type { Role } from '../rules/refund-policy.ts'
import { refundAmount } from '../rules/refund-policy.ts'
import type { Attempt, Booking } from '../facts/rows.ts'
import { attemptRow, bookingRow, captureRow, formRow, refundRow } from '../facts/rows.ts'
import { CANCEL_REASONS, SYSTEM_CANCEL_REASONS, id, masked as maskedNumber, millis, minor } from '../facts/fields.ts'
import type { PaymentsQueryContext, PaymentsView, Refusal } from '../facts/payments-schema.ts'

/** What people ask about bookings (domain.md §3.9). Phone numbers are masked in every answer. */

const bookingView = bookingFacts.extend({
  forms: z.array(formRow.extend({ formId: id })),
  attemptList: z.array(attemptRow),
  captures: z.array(
    captureRow.extend({
      transactionId: z.string().nullable(),
      applied: z.boolean(),
      receipt: z.string().nullable(),
    }),
  ),
  refunds: z.array(refundRow),
})

/** Everything of one booking; client and therapist without the provider's names of its money, and without notes. */
export const get = query(
  { input: z.object({ id }), output: bookingView },
  (view: PaymentsView, input, context: PaymentsQueryContext) => {
    const found = findVisible(view, context, input.id)
    if (isRejection(found)) return found
    const { booking, role } = found
    const all = role === 'admin'
    const prefix = [input.id] as const
    const limit = PER_BOOKING_MAX
    const attemptList = view.attemptsOf
      .range({ prefix, limit })
      .flatMap(([, attemptId]) => masked(booking, view.attempts.get(attemptId)))
    const facts = factsOf(booking)
    return {
      ...facts,
      cancel: all ? facts.cancel : discreetCancel(facts.cancel, [...CANCEL_REASONS, ...SYSTEM_CANCEL_REASONS]),
      forms: view.forms.range({ prefix, limit }).map(([[, formId], form]) => ({ formId, ...form })),
      attemptList: all ? attemptList : attemptList.map(discreetAttempt),
      captures: capturesOf(view, booking, attemptList).map(({ transactionId, ...capture }) => {
        const receipt = view.callbacks.get(transactionId)?.receipt ?? null
        return { ...capture, transactionId: all ? transactionId : null, receipt: all ? receipt : null }
      }),
      refunds: view.refundsOf
        .range({ prefix, limit })
        .flatMap(([, refundId]) => view.refunds.get(refundId) ?? [])
        .map((refund) => (all ? refund : discreetRefund(refund))),
    }
  },
)

/** The capture that paid for the booking, if any, then those that go back. */
function capturesOf(view: PaymentsView, booking: Booking, attempts: readonly Attempt[]) {
  const orphans = view.captures
    .range({ prefix: [booking.id], limit: PER_BOOKING_MAX })
    .map(([[, transactionId], row]) => ({ transactionId, ...row, applied: false }))
  const { applied: transactionId, appliedAt: at, priceMinor: amountMinor } = booking
  const paid = attempts.find(({ outcome }) => outcome === 'SUCCESS')
  if (transactionId === null || at === null || paid === undefined) return orphans
  return [{ transactionId, attemptId: paid.id, amountMinor, at, applied: true }, ...orphans]
}

function masked(booking: Booking, row: Attempt | undefined): Attempt[] {
  if (row === undefined) return []
  return [{ ...attemptOf(booking, row), phone: maskedNumber(row.phone) }]
}

const summary = bookingRow.pick({
  id: true,
  clientId: true,
  therapistId: true,
  startsAt: true,
  durationMin: true,
  priceMinor: true,
  currency: true,
  payment: true,
  session: true,
  video: true,
})

/**
 * Own bookings, oldest first; administrators name whose (`principal`). `after` is the last `number` of the page
 * before.
 */
export const list = query(
  {
    input: z.object({
      principal: z.string().optional(),
      after: z
        .int()
        .min(0)
        .max(Number.MAX_SAFE_INTEGER - 1)
        .default(0),
      limit: z.int().min(1).max(PAGE_MAX).default(PAGE_MAX),
    }),
    output: z.object({ bookings: z.array(summary), next: z.int().nullable() }),
  },
  (view: PaymentsView, input, context: PaymentsQueryContext) => {
    const asker = context.session?.principal
    if (asker === undefined) return context.reject('UNAUTHENTICATED')
    const principal = input.principal ?? asker
    if (principal !== asker && !isAdmin(asker)) return context.reject('FORBIDDEN')
    const { limit } = input
    const rows = view.bookingsOf.range({ prefix: [principal], from: [principal, input.after + 1], limit })
    const bookings = rows
      .flatMap(([, bookingId]) => view.bookings.get(bookingId) ?? [])
      .map((booking) => ({
        id: booking.id,
        clientId: booking.clientId,
        therapistId: booking.therapistId,
        startsAt: booking.startsAt,
        durationMin: booking.durationMin,
        priceMinor: booking.priceMinor,
        currency: booking.currency,
        payment: booking.payment,
        session: booking.session,
        video: booking.video,
      }))
    const last = rows.at(-1)
    return { bookings, next: rows.length < limit || last === undefined ? null : last[0][1] }
  },
)

/** What `cancel` by the asker would give back now. */
export const refundQuote = query(
  { input: z.object({ id }), output: z.object({ pct: z.int(), amountMinor: minor, currency: z.string() }) },
  (view: PaymentsView, input, context: PaymentsQueryContext) => {
    const found = findVisible(view, context, input.id)
    if (isRejection(found)) return found
    const { booking, role } = found
    if (!isCancellable(booking)) {
      const { session: from } = booking
      return context.reject('INVALID_STATE_TRANSITION', {
        entity: 'session',
        from,
        to: 'cancelled',
        event: 'cancel',
        allowed: [],
      })
    }
    const paid = booking.payment === 'confirmed'
    const pct = paid ? cancelPct(booking, context.now, { role, reason: null }) : 0
    return { pct, amountMinor: paid ? refundAmount(booking.priceMinor, pct) : 0, currency: booking.currency }
  },
)

/** The join rules of domain.md §3.6 for the asker, without effects; `code` is the error that `joinVideo` would give. */
export const canJoin = query(
  {
    input: z.object({ id }),
    output: z.object({
      ok: z.boolean(),
      code: z.string().nullable(),
      opensAt: millis.nullable(),
      closesAt: millis.nullable(),
    }),
  },
  (view: PaymentsView, input, context: PaymentsQueryContext) => {
    const found = findVisible(view, context, input.id)
    if (isRejection(found)) return found
    const { booking, role } = found
    const { session, video, startsAt, formsOpen, rare } = booking
    const verdict = joinCheck({
      participant: role === 'client' || role === 'therapist',
      session,
      video,
      formsOpen: formsOpen > 0 && (rare === null || rare.verbalConsent === null),
      startsAt,
      now: context.now,
    })
    const window = 'opensAt' in verdict ? verdict : { opensAt: null, closesAt: null }
    const code = 'error' in verdict ? verdict.error : null
    return { ok: code === null, code, opensAt: window.opensAt, closesAt: window.closesAt }
  },
)

/** The booking, if the asker may see it: its client, its therapist, administrators. */
export function findVisible(
  view: PaymentsView,
  context: PaymentsQueryContext,
  bookingId: string,
): { readonly booking: Booking; readonly role: Role } | Refusal {
  const asker = context.session?.principal
  if (asker === undefined) return context.reject('UNAUTHENTICATED')
  const booking = view.bookings.get(bookingId)
  if (booking === undefined) return context.reject('NOT_FOUND', { id: bookingId })
  const role = roleOf(booking, asker)
  return role === null ? context.reject('FORBIDDEN', { id: bookingId }) : { booking, role }
}
