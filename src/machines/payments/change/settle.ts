import { endAttempt } from './attempts.ts'
import type { Change } from './change.ts'
import { PROVIDER_CURRENCY } from '../facts/payment-bounds.ts'
import { createRefund } from './refunds.ts'
import { openReview } from './reviews.ts'
import type { CallbackResult } from '../facts/rows.ts'

/** What a provider transaction says, once its attempt is known. */
export interface Told {
  readonly transactionId: string
  readonly outcome: 'success' | 'failure'
  /** There in every success. */
  readonly amountMinor: number | null
  readonly receipt: string | null
  readonly resultCode: string
  readonly merchantRequestId: string | null
  /** An administrator found its booking: who paid is not known. */
  readonly matched: boolean
}

/**
 * The table of domain.md §3.5: what a transaction that was never seen before does to its booking. Changes the booking, the
 * attempt and the money; the caller keeps the CallbackRecord and commits.
 */
export function settle(change: Change, attemptId: string, told: Told): CallbackResult {
  return told.outcome === 'success' ? settleSuccess(change, attemptId, told) : settleFailure(change, attemptId, told)
}

function settleFailure(change: Change, attemptId: string, told: Told): CallbackResult {
  const { booking } = change
  // A failure never confirms, and one that speaks of an older push or a settled payment says nothing new.
  if (booking.payment !== 'initiated' || attemptId !== booking.attemptId) return 'IGNORED_STALE'
  failAttempt(change, attemptId, told.resultCode)
  return 'APPLIED'
}

function settleSuccess(change: Change, attemptId: string, told: Told): CallbackResult {
  const { booking, draft } = change
  const amountMinor = told.amountMinor ?? 0
  const awaited = booking.session === 'payment_pending'
  if (!awaited) return orphan(change, attemptId, told, 'ORPHANED')
  // A callback's currency is the provider's, whatever the booking's is.
  if (amountMinor !== booking.priceMinor || booking.currency !== PROVIDER_CURRENCY) {
    const result = orphan(change, attemptId, told, 'REJECTED_AMOUNT')
    if (booking.payment === 'initiated' && attemptId === booking.attemptId) failAttempt(change, attemptId, 'AMOUNT')
    return result
  }
  const late = booking.payment === 'failed'
  capture(change, told, 'applied')
  change.take(late ? 'confirmLate' : 'confirm')
  draft.applied = told.transactionId
  draft.appliedAt = change.ctx.now
  // The money of an older push paid: the current one is no longer awaited.
  if (attemptId !== draft.attemptId && draft.outcome === null) draft.outcome = 'SUPERSEDED'
  endAttempt(change, attemptId, 'SUCCESS', told.resultCode)
  const body = { bookingId: booking.id, amountMinor, currency: booking.currency }
  change.ctx.notify(booking.clientId, 'payment.confirmed', body)
  change.ctx.notify(booking.therapistId, 'payment.confirmed', body)
  return late ? 'APPLIED_LATE' : 'APPLIED'
}

/** The payment of the current attempt fails (domain.md §3.4 K3); the client is told to try again. */
export function failAttempt(change: Change, attemptId: string, reason: string): void {
  const { ctx, booking } = change
  change.take('failPayment', reason)
  endAttempt(change, attemptId, 'FAILED', reason)
  ctx.notify(booking.clientId, 'payment.retry_needed', { bookingId: booking.id, reason })
}

/** Money that the payment cannot take: it is kept as a capture of its own and goes back in full (domain.md §3.3 A6). */
export function orphan(change: Change, attemptId: string, told: Told, result: CallbackResult): CallbackResult {
  const { ctx, booking } = change
  const { transactionId, receipt } = told
  const amountMinor = told.amountMinor ?? 0
  capture(change, told, 'orphan')
  ctx.state.captures.set([booking.id, transactionId], { attemptId, amountMinor, at: ctx.now })
  // An administrator's attempt has an empty number: nobody was asked by a push.
  const payer = told.matched ? null : ctx.state.attempts.get(attemptId)?.phone || null
  const capturedMoney = { transactionId, receipt, amountMinor, currency: PROVIDER_CURRENCY, payer }
  createRefund(change, { ...capturedMoney, pct: 100, reason: 'ORPHAN' })
  return result
}

/** Money arrived: its receipt is taken, and it is counted. Without one a person must look at it, until a repeat has one. */
function capture(change: Change, told: Told, kind: 'applied' | 'orphan'): void {
  const { ctx, journal, draft } = change
  const { transactionId, receipt } = told
  const amountMinor = told.amountMinor ?? 0
  if (receipt !== null) ctx.state.receipts.set(receipt, transactionId)
  else openReview(ctx, 'RECEIPT_MISSING', { transactionId, bookingId: draft.id, amountMinor, receipt })
  draft.capturedMinor += amountMinor
  journal.count('captures', kind, 1)
  journal.count('captures', `${kind}.minor`, amountMinor)
  journal.count('money', 'received', 1)
  journal.count('money', 'received.minor', amountMinor)
  journal.count('money', 'kept.minor', amountMinor)
}
