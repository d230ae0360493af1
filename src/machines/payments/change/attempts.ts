import type { Change } from './change.ts'
import type { PaymentsContext } from '../facts/payments-schema.ts'
import type { Attempt, AttemptOutcome, Booking } from '../facts/rows.ts'

/**
 * The outcome of a booking's current attempt stands in the booking, that of an older one in its own row. PERF: so the
 * callback that settles a payment writes one row less; the row is brought up to date when another attempt follows.
 */

/** The attempt as it is, whichever row knows its outcome. */
export function attemptOf(booking: Booking, row: Attempt): Attempt {
  if (row.id !== booking.attemptId) return row
  return { ...row, outcome: booking.outcome, resultCode: booking.resultCode }
}

/** Notes what became of an attempt of the booking. */
export function endAttempt(change: Change, attemptId: string, outcome: AttemptOutcome, resultCode: string): void {
  const { ctx, draft } = change
  if (attemptId === draft.attemptId) {
    draft.outcome = outcome
    draft.resultCode = resultCode
    return
  }
  const row = ctx.state.attempts.get(attemptId)
  if (row !== undefined) ctx.state.attempts.set(attemptId, { ...row, outcome, resultCode })
}

/** Makes a new attempt the current one. `phone`: empty for one that no push is sent for. */
export function beginAttempt(change: Change, phone: string): Attempt {
  const { ctx, booking, journal } = change
  const attempt: Attempt = {
    id: `att-${journal.next('attempts')}`,
    bookingId: booking.id,
    no: booking.attempts + 1,
    phone,
    amountMinor: booking.priceMinor,
    at: ctx.now,
    checkoutRequestId: null,
    merchantRequestId: null,
    outcome: null,
    resultCode: null,
  }
  followAttempt(change, attempt)
  return attempt
}

function followAttempt(change: Change, attempt: Attempt): void {
  const { ctx, draft } = change
  const last = draft.attemptId === null ? undefined : ctx.state.attempts.get(draft.attemptId)
  if (last !== undefined) ctx.state.attempts.set(last.id, attemptOf(draft, last))
  ctx.state.attempts.set(attempt.id, attempt)
  ctx.state.attemptsOf.set([draft.id, attempt.no], attempt.id)
  draft.attempts = attempt.no
  draft.attemptId = attempt.id
  draft.outcome = null
  draft.resultCode = null
}

/** Asks the provider what became of a push, whose callback is overdue. */
export function queryPush(ctx: PaymentsContext, attempt: Attempt, currency: string): void {
  const { id: attemptId, bookingId, checkoutRequestId, amountMinor } = attempt
  ctx.task('payment.query', attemptId, { bookingId, attemptId, checkoutRequestId, amountMinor, currency })
}
