import { unreachable } from '../../../base/assert.ts'
import { queryPush } from '../change/attempts.ts'
import { endBooking } from '../change/end-booking.ts'
import { completeSession, endAbsent } from '../change/end-session.ts'
import { armTimer, Change } from '../change/change.ts'
import { route } from './form-commands.ts'
import { type Booking, NOTHING_RARE } from '../facts/rows.ts'
import type { CancelReason } from '../facts/fields.ts'
import type { PaymentsContext } from '../facts/payments-schema.ts'
import { failAttempt } from '../change/settle.ts'
import { hasAttended, isPresent, PARTIES, principalOf } from '../rules/attendance.ts'
import { nextTimer, type TimerKind } from '../rules/timers.ts'

/**
 * The booking's timer fired (domain.md §3.8): runs every rule that is due, in order, and arms the next. A rule that
 * fires is noted in the booking first, so that none fires twice.
 */
export function fireTimers(ctx: PaymentsContext, bookingId: string): void {
  let booking = ctx.state.bookings.get(bookingId)
  while (booking !== undefined) {
    const next = nextTimer(booking)
    if (next === null || next.dueAt > ctx.now) break
    const rare = { ...(booking.rare ?? NOTHING_RARE), fired: { dueAt: next.dueAt, order: next.order } }
    const fired: Booking = { ...booking, rare }
    ctx.state.bookings.set(bookingId, fired)
    fire(ctx, next.kind, fired)
    booking = ctx.state.bookings.get(bookingId)
  }
  if (booking !== undefined) armTimer(ctx, booking, null)
}

function fire(ctx: PaymentsContext, kind: TimerKind, booking: Booking): void {
  const { id: bookingId, clientId, therapistId } = booking
  const expire = (reason: CancelReason): void => {
    endBooking(ctx, { booking, role: 'system', action: kind, reason })
  }
  switch (kind) {
    case 'request-alert':
      return ctx.notify(therapistId, 'booking.requested', { bookingId, reminder: true })
    case 'request-expiry':
      return expire('request_expired')
    case 'approve-remind':
      return ctx.notify(clientId, 'booking.approved', { bookingId, reminder: true })
    case 'approve-expiry':
    case 'failed-expiry':
      return expire('payment_expired')
    case 'payment-query':
      return askProvider(ctx, booking)
    case 'payment-timeout':
      return timeOut(ctx, booking)
    case 'auto-route':
      route(ctx, booking, 'auto-route')
      return
    case 'forms-remind':
      ctx.notify(clientId, 'booking.forms_required', { bookingId, open: booking.formsOpen, urgent: true })
      return ctx.notify(therapistId, 'booking.forms_required', { bookingId, open: booking.formsOpen, urgent: true })
    case 'lapse':
      return expire(booking.session === 'paid' ? 'system_lapse' : 'forms_lapsed')
    case 'no-show':
      return noShow(ctx, booking)
    case 'waiting-alert':
      return alertWaiting(ctx, booking)
    case 'overrun':
      completeSession(ctx, booking, kind)
      return
    default:
      return unreachable(kind)
  }
}

/**
 * The time to come is over (domain.md §3.8 C36). Who stayed away alone is marked; when nobody came, or both came and never
 * met, it is nobody's fault alone: everything goes back, and somebody looks at it.
 */
function noShow(ctx: PaymentsContext, booking: Booking): void {
  const action = 'no-show'
  const client = hasAttended(booking, 'client')
  const therapist = hasAttended(booking, 'therapist')
  if (client !== therapist) {
    endAbsent(ctx, booking, { who: client ? 'therapist' : 'client', action })
    return
  }
  const reason = client ? 'system_lapse' : 'both_absent'
  endBooking(ctx, { booking, role: 'system', action, reason, manualReview: true })
}

/** Somebody waits, or the call is tried again and nobody has come: both are told. */
function alertWaiting(ctx: PaymentsContext, booking: Booking): void {
  const who = PARTIES.find((party) => isPresent(booking, party)) ?? null
  const body = { bookingId: booking.id, who, reminder: true }
  for (const party of PARTIES) ctx.notify(principalOf(booking, party), 'video.waiting', body)
}

/** The callback is overdue: a worker asks the provider. */
function askProvider(ctx: PaymentsContext, booking: Booking): void {
  const attempt = booking.attemptId === null ? undefined : ctx.state.attempts.get(booking.attemptId)
  // No push was sent for an administrator's attempt: there is nothing to ask about.
  if (attempt !== undefined && attempt.phone !== '') queryPush(ctx, attempt, booking.currency)
}

function timeOut(ctx: PaymentsContext, booking: Booking): void {
  const attempt = booking.attemptId === null ? undefined : ctx.state.attempts.get(booking.attemptId)
  if (attempt === undefined) return
  const change = new Change(ctx, 'payment-timeout', booking)
  failAttempt(change, attempt.id, 'TIMEOUT')
  change.commit()
  ctx.alert('PAYMENT_TIMEOUT', { bookingId: booking.id, attemptId: attempt.id })
}
