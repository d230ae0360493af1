import { unreachable } from '../../../base/assert.ts'
import { endBooking } from '../change/end-booking.ts'
import { armTimer, Change } from '../change/change.ts'
import { route } from './form-commands.ts'
import { type Booking, NOTHING_RARE } from '../facts/rows.ts'
import type { CancelReason } from '../facts/fields.ts'
import type { PaymentsContext } from '../facts/payments-schema.ts'
import { failAttempt } from '../change/settle.ts'
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
      // Nobody can have joined yet: joining is planned, and with it K8 and K9 (domain.md §3.4, §3.8 C36).
      return expire('both_absent')
    default:
      return unreachable(kind)
  }
}

/** The callback is overdue: a worker asks the provider. */
function askProvider(ctx: PaymentsContext, booking: Booking): void {
  const attempt = booking.attemptId === null ? undefined : ctx.state.attempts.get(booking.attemptId)
  if (attempt === undefined) return
  const { id: attemptId, bookingId, checkoutRequestId, amountMinor } = attempt
  const { currency } = booking
  ctx.task('payment.query', attemptId, { bookingId, attemptId, checkoutRequestId, amountMinor, currency })
}

function timeOut(ctx: PaymentsContext, booking: Booking): void {
  const attempt = booking.attemptId === null ? undefined : ctx.state.attempts.get(booking.attemptId)
  if (attempt === undefined) return
  const change = new Change(ctx, 'payment-timeout', booking)
  failAttempt(change, attempt.id, 'TIMEOUT')
  change.commit()
  ctx.alert('PAYMENT_TIMEOUT', { bookingId: booking.id, attemptId: attempt.id })
}
