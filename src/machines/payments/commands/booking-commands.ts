import { z } from 'zod'
import { MINUTE_MS } from '../../../base/time.ts'
import { command } from '../../../machine/define/command.ts'
import type { Parsed } from '../../../machine/define/schema.ts'
import { findBooking } from '../change/access.ts'
import { isRejection } from '../../../machine/define/rejection.ts'
import { Change, statusOf } from '../change/change.ts'
import { notPayable, refused, refusedState } from '../change/refusals.ts'
import { lastNumber } from '../change/journal.ts'
import { DURATION_MIN_MAX, PROVIDER_CURRENCY, PROVIDER_UNIT_MINOR } from '../facts/payment-bounds.ts'
import type { Booking } from '../facts/rows.ts'
import {
  cancelReason,
  currency,
  durationMin,
  formsInput,
  id,
  minor,
  moment,
  priceMinor,
  userPrincipal,
} from '../facts/fields.ts'
import type { PaymentsContext, Refusal } from '../facts/payments-schema.ts'
import { INITIAL_TRIPLE, PAYMENT_STATES, SESSION_STATES, VIDEO_STATES } from '../facts/states.ts'
import { endBooking, isCancellable } from '../change/end-booking.ts'

/** Commands that make, approve and end a booking (domain.md §3.4). */

/** What most commands answer. */
export const bookingStatus = z.object({
  id,
  payment: z.enum(PAYMENT_STATES),
  session: z.enum(SESSION_STATES),
  video: z.enum(VIDEO_STATES),
})

const requestInput = z.object({
  therapistId: userPrincipal,
  startsAt: moment,
  durationMin,
  priceMinor,
  currency,
  forms: formsInput,
})

/** A user books a therapist. Refused when a field does not fit, or when either has another booking then (SLOT_TAKEN). */
export const requestBooking = command({ input: requestInput, output: bookingStatus }, (ctx: PaymentsContext, input) => {
  const refusal = checkRequest(ctx, input)
  if (refusal !== null) return refusal
  const number = lastNumber(ctx, 'bookings') + 1
  const bookingId = `bkg-${number}`
  const booking = newBooking(ctx, bookingId, input)
  const change = new Change(ctx, 'requestBooking', booking)
  for (const { formId, required } of input.forms) {
    ctx.state.forms.set([bookingId, formId], { required, completedAt: null, contentHash: null })
  }
  for (const principal of [booking.clientId, booking.therapistId]) {
    const slot = { bookingId, endsAt: endOf(input), client: principal === booking.clientId }
    ctx.state.slots.set([principal, input.startsAt], slot)
    ctx.state.bookingsOf.set([principal, number], bookingId)
  }
  const { journal } = change
  journal.count('bookings', 'all', 1)
  for (const entity of ['payment', 'session', 'video'] as const) {
    journal.note({ entity, from: null, to: booking[entity] })
    journal.enter(entity, booking[entity])
  }
  change.commit()
  const { startsAt } = input
  ctx.notify(input.therapistId, 'booking.requested', { bookingId, startsAt, durationMin: input.durationMin })
  return statusOf(change.booking)
})

/** What a request looks like once it is parsed: frozen, like every input. */
type RequestInput = Parsed<typeof requestInput>

function checkRequest(ctx: PaymentsContext, input: RequestInput): Refusal | null {
  const action = 'requestBooking'
  const refuse = (rejection: Refusal): Refusal =>
    refused(ctx, rejection, { action, bookingId: null, ref: input.therapistId })
  if (!ctx.principal.startsWith('user:')) return refuse(ctx.reject('FORBIDDEN'))
  if (input.startsAt <= ctx.now) return refuse(ctx.reject('VALIDATION_ERROR', { field: 'startsAt', after: ctx.now }))
  // A callback's money is the provider's currency: a booking in another could be pushed for, and never be paid.
  if (input.currency !== PROVIDER_CURRENCY) return refuse(ctx.reject('VALIDATION_ERROR', notPayable(input.currency)))
  if (input.priceMinor % PROVIDER_UNIT_MINOR !== 0) {
    return refuse(ctx.reject('VALIDATION_ERROR', { field: 'priceMinor', multipleOf: PROVIDER_UNIT_MINOR }))
  }
  if (input.therapistId === ctx.principal) return refuse(ctx.reject('VALIDATION_ERROR', { field: 'therapistId' }))
  if (new Set(input.forms.map(({ formId }) => formId)).size !== input.forms.length) {
    return refuse(ctx.reject('VALIDATION_ERROR', { field: 'forms' }))
  }
  const taken = [input.therapistId, ctx.principal].some((principal) => overlaps(ctx, principal, input))
  return taken ? refuse(ctx.reject('CONFLICT', { reason: 'SLOT_TAKEN' })) : null
}

const endOf = (slot: { readonly startsAt: number; readonly durationMin: number }): number =>
  slot.startsAt + slot.durationMin * MINUTE_MS

/**
 * Does this person have an open booking in [startsAt, end)? PERF: open bookings of one person do not overlap, so the last that
 * begins before `end` ends last as well, and it alone is looked at.
 */
function overlaps(
  ctx: PaymentsContext,
  principal: string,
  slot: { readonly startsAt: number; readonly durationMin: number },
): boolean {
  const from = Math.max(0, slot.startsAt - DURATION_MIN_MAX * MINUTE_MS)
  const last = ctx.state.slots.range({ from: [principal, from], to: [principal, endOf(slot)], limit: 1, reverse: true })
  return last.some(([, { endsAt }]) => endsAt > slot.startsAt)
}

function newBooking(ctx: PaymentsContext, bookingId: string, input: RequestInput): Booking {
  const { therapistId, startsAt, priceMinor: price } = input
  return {
    id: bookingId,
    clientId: ctx.principal,
    therapistId,
    startsAt,
    durationMin: input.durationMin,
    priceMinor: price,
    currency: input.currency,
    ...INITIAL_TRIPLE,
    paymentAt: ctx.now,
    sessionAt: ctx.now,
    videoAt: ctx.now,
    formsOpen: input.forms.filter(({ required }) => required).length,
    attempts: 0,
    attemptId: null,
    outcome: null,
    resultCode: null,
    applied: null,
    appliedAt: null,
    capturedMinor: 0,
    refundedMinor: 0,
    rare: null,
    auditGroup: 0,
    seq: 0,
  }
}

/** The therapist, or an administrator, accepts the booking at the price that was asked (STALE_STATE otherwise). */
export const approve = command(
  { input: z.object({ id, expectPriceMinor: minor }), output: bookingStatus },
  (ctx: PaymentsContext, input) => {
    const found = findBooking(ctx, { action: 'approve', id: input.id, roles: ['therapist', 'admin'] })
    if (isRejection(found)) return found
    const { booking } = found
    if (booking.session !== 'requested') return refusedState(ctx, booking, 'approve', 'approved')
    if (booking.priceMinor !== input.expectPriceMinor) {
      const details = { field: 'priceMinor', expected: input.expectPriceMinor, actual: booking.priceMinor }
      const about = { action: 'approve', bookingId: booking.id, from: booking.session, to: 'approved' }
      return refused(ctx, ctx.reject('STALE_STATE', details), about)
    }
    const change = new Change(ctx, 'approve', booking)
    change.take('approve')
    change.commit()
    ctx.notify(booking.clientId, 'booking.approved', { bookingId: booking.id })
    return statusOf(change.booking)
  },
)

/** The therapist refuses a request (K4 of domain.md §3.4). */
export const decline = command(
  { input: z.object({ id, reason: cancelReason.default('therapist_unavailable') }), output: bookingStatus },
  (ctx: PaymentsContext, input) => {
    const found = findBooking(ctx, { action: 'decline', id: input.id, roles: ['therapist'] })
    if (isRejection(found)) return found
    if (found.booking.session !== 'requested') return refusedState(ctx, found.booking, 'decline', 'cancelled')
    return statusOf(endBooking(ctx, { ...found, action: 'decline', reason: input.reason }))
  },
)

/** Anybody of the booking, or an administrator, ends it before it has begun (K4 or K5 of domain.md §3.4). */
export const cancel = command(
  { input: z.object({ id, reason: cancelReason }), output: bookingStatus },
  (ctx: PaymentsContext, input) => {
    const found = findBooking(ctx, { action: 'cancel', id: input.id, roles: ['client', 'therapist', 'admin'] })
    if (isRejection(found)) return found
    if (!isCancellable(found.booking)) return refusedState(ctx, found.booking, 'cancel', 'cancelled')
    return statusOf(endBooking(ctx, { ...found, action: 'cancel', reason: input.reason }))
  },
)
