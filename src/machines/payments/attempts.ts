import type { Change } from './change.ts'
import type { Attempt, AttemptOutcome, Booking } from './rows.ts'

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
  const { ctx, booking } = change
  if (attemptId === booking.attemptId) return change.set({ outcome, resultCode })
  const row = ctx.state.attempts.get(attemptId)
  if (row !== undefined) ctx.state.attempts.set(attemptId, { ...row, outcome, resultCode })
}

/** Makes another attempt the current one. */
export function followAttempt(change: Change, attempt: Attempt): void {
  const { ctx, booking } = change
  const last = booking.attemptId === null ? undefined : ctx.state.attempts.get(booking.attemptId)
  if (last !== undefined) ctx.state.attempts.set(last.id, attemptOf(booking, last))
  ctx.state.attempts.set(attempt.id, attempt)
  ctx.state.attemptsOf.set([booking.id, attempt.no], attempt.id)
  change.set({ attempts: attempt.no, attemptId: attempt.id, outcome: null, resultCode: null })
}
