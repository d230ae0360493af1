import type { Change } from './change.ts'
import { createRefund } from './refunds.ts'
import type { Attempt, CallbackResult } from './rows.ts'

/** What a provider transaction says, once its attempt is known. */
export interface Told {
  readonly transactionId: string
  readonly outcome: 'success' | 'failure'
  /** There in every success. */
  readonly amountMinor: number | null
  readonly receipt: string | null
  readonly resultCode: string
}

/**
 * The table of domain 3.5: what a transaction that was never seen before does to its booking. Changes the booking, the
 * attempt and the money; the caller keeps the CallbackRecord and commits.
 */
export function settle(change: Change, attempt: Attempt, told: Told): CallbackResult {
  return told.outcome === 'success' ? settleSuccess(change, attempt, told) : settleFailure(change, attempt, told)
}

function settleFailure(change: Change, attempt: Attempt, told: Told): CallbackResult {
  const { booking } = change
  // A failure never confirms, and one that speaks of an older push or a settled payment says nothing new.
  if (booking.payment !== 'initiated' || attempt.id !== booking.attemptId) return 'IGNORED_STALE'
  failAttempt(change, attempt, told.resultCode)
  return 'APPLIED'
}

function settleSuccess(change: Change, attempt: Attempt, told: Told): CallbackResult {
  const { booking } = change
  const amountMinor = told.amountMinor ?? 0
  const awaited = booking.session === 'payment_pending'
  if (!awaited) return orphan(change, attempt, { ...told, amountMinor }, 'ORPHANED')
  if (amountMinor !== booking.priceMinor) {
    const result = orphan(change, attempt, { ...told, amountMinor }, 'REJECTED_AMOUNT')
    if (booking.payment === 'initiated' && attempt.id === booking.attemptId) failAttempt(change, attempt, 'AMOUNT')
    return result
  }
  const late = booking.payment === 'failed'
  capture(change, { ...told, amountMinor }, 'captures.applied')
  change.take(late ? 'confirmLate' : 'confirm')
  change.set({ applied: { transactionId: told.transactionId, attemptId: attempt.id, at: change.ctx.now } })
  supersede(change, attempt)
  change.ctx.state.attempts.set(attempt.id, { ...attempt, outcome: 'SUCCESS', resultCode: told.resultCode })
  const body = { bookingId: booking.id, amountMinor, currency: booking.currency }
  change.ctx.notify(booking.clientId, 'payment.confirmed', body)
  change.ctx.notify(booking.therapistId, 'payment.confirmed', body)
  return late ? 'APPLIED_LATE' : 'APPLIED'
}

/** The money of an older push paid: the current one is no longer awaited. */
function supersede(change: Change, paid: Attempt): void {
  const { ctx, booking } = change
  if (booking.attemptId === null || booking.attemptId === paid.id) return
  const current = ctx.state.attempts.get(booking.attemptId)
  if (current?.outcome === null) ctx.state.attempts.set(current.id, { ...current, outcome: 'SUPERSEDED' })
}

/** P→failed for the current attempt (K3); the client is told to try again. */
export function failAttempt(change: Change, attempt: Attempt, reason: string): void {
  const { ctx, booking } = change
  change.take('failPayment', reason)
  ctx.state.attempts.set(attempt.id, { ...attempt, outcome: 'FAILED', resultCode: reason })
  ctx.notify(booking.clientId, 'payment.retry_needed', { bookingId: booking.id, reason })
}

type Money = Told & { readonly amountMinor: number }

/** Money that the payment cannot take: it is kept as a capture of its own and goes back in full (A6). */
function orphan(change: Change, attempt: Attempt, money: Money, result: CallbackResult): CallbackResult {
  const { ctx, booking } = change
  const { transactionId, amountMinor } = money
  capture(change, money, 'captures.orphan')
  ctx.state.captures.set([booking.id, transactionId], { attemptId: attempt.id, amountMinor, at: ctx.now })
  createRefund(change, { transactionId, amountMinor, pct: 100, reason: 'ORPHAN' })
  return result
}

/** Money arrived: its receipt is taken, and it is counted. */
function capture(change: Change, money: Money, total: 'captures.applied' | 'captures.orphan'): void {
  const { ctx, journal, booking } = change
  const { transactionId, receipt, amountMinor } = money
  if (receipt !== null) ctx.state.receipts.set(receipt, transactionId)
  change.set({ capturedMinor: booking.capturedMinor + amountMinor })
  journal.count(total, 1)
  journal.count(`${total}.minor`, amountMinor)
}
