import { z } from 'zod'
import { command } from '../../../machine/define/command.ts'
import { isRejection } from '../../../machine/define/rejection.ts'
import { findBooking, isAdmin } from '../change/access.ts'
import { type CallbackAnswer, type Found, responseOf, transactionKey } from '../change/callback-records.ts'
import { judgeKept, judgeNew, toldBy } from '../change/judge.ts'
import { Journal } from '../change/journal.ts'
import { newRefund } from '../change/refunds.ts'
import { refused, refusedCurrency, refusedState } from '../change/refusals.ts'
import { bringReceipt } from '../change/repeats.ts'
import { openReview } from '../change/reviews.ts'
import type { Told } from '../change/settle.ts'
import { release } from '../change/suspense.ts'
import { id, minor, money as moneyMinor, moneyId, receipt as receiptNumber, text } from '../facts/fields.ts'
import { PROVIDER_CURRENCY } from '../facts/payment-bounds.ts'
import type { PaymentsContext, Refusal } from '../facts/payments-schema.ts'
import { type Booking, REVIEW_KINDS } from '../facts/rows.ts'
import { callbackOutput, conflict } from './callback-commands.ts'

/** What administrators do about money that no callback settles (domain.md §3.4, §3.5). */

/**
 * An administrator vouches for money that was seen elsewhere: a success whose receipt is `transactionId`. Money that is
 * known by that receipt is the same: where it is in suspense it is matched, else it only gets its answer again.
 */
export const verifyPaymentManually = command(
  {
    input: z.object({ id, transactionId: receiptNumber.min(1), amountMinor: moneyMinor, note: text }),
    output: callbackOutput,
  },
  (ctx: PaymentsContext, input) => {
    const action = 'verifyPaymentManually'
    const found = findBooking(ctx, { action, id: input.id, roles: ['admin'] })
    if (isRejection(found)) return found
    const { booking } = found
    const { amountMinor, note } = input
    const receipt = input.transactionId
    const known = knownMoney(ctx, receipt)
    if (known !== null && known.record.outcome === 'success') {
      return verifyKnown(ctx, { booking, known, amountMinor, receipt, note })
    }
    if (booking.session !== 'payment_pending') return refusedState(ctx, booking, action, 'paid')
    const otherCurrency = refusedCurrency(ctx, booking, action)
    if (otherCurrency !== null) return otherCurrency
    const told: Told = {
      transactionId: transactionKey(ctx, receipt),
      outcome: 'success',
      amountMinor,
      receipt,
      resultCode: '0',
      merchantRequestId: null,
      matched: true,
    }
    // Under that very id a failure may have been told: it is answered as before, and its money is new.
    const failed = known === null ? null : { resultCode: known.record.resultCode, response: responseOf(known.record) }
    const rest = { failed, others: known?.record.others ?? 0 }
    return judgeNew(ctx, action, { ...attemptOf(booking), told, reason: note, rest })
  },
)

/** The money that has this receipt. */
function knownMoney(ctx: PaymentsContext, receipt: string): Found | null {
  const key = ctx.state.receipts.get(receipt) ?? transactionKey(ctx, receipt)
  const record = ctx.state.callbacks.get(key)
  return record === undefined ? null : { key, record }
}

function verifyKnown(
  ctx: PaymentsContext,
  verified: { booking: Booking; known: Found; amountMinor: number; receipt: string; note: string },
): CallbackAnswer | Refusal {
  const { booking, amountMinor, receipt, note } = verified
  const { key } = verified.known
  const action = 'verifyPaymentManually'
  if (verified.known.record.amountMinor !== amountMinor) return conflict(ctx, action, key, booking.id)
  // Known by its transaction alone: that is its receipt as well, or the callback that brings it would be other money.
  if (verified.known.record.result !== 'SAME_RECEIPT') bringReceipt(ctx, action, key, receipt)
  const known = knownMoney(ctx, receipt) ?? verified.known
  const { record } = known
  if (ctx.state.suspense.has(key) && booking.session === 'payment_pending') {
    return awaitsOther(ctx, action, booking, known) ?? match(ctx, action, { booking, known, note })
  }
  if (record.bookingId !== booking.id) {
    openReview(ctx, 'RECEIPT_OTHER_BOOKING', { transactionId: key, bookingId: booking.id, amountMinor, receipt })
  }
  const { result, bookingId, attemptId, payment, session } = record
  const answer = ctx.state.suspense.has(key) ? responseOf(record) : { result, bookingId, attemptId, payment, session }
  return { ...answer, duplicate: true }
}

/** Null: the booking awaits exactly this money. Else a mistyped booking would lose its payment, and the money be refunded. */
function awaitsOther(ctx: PaymentsContext, action: string, booking: Booking, { key, record }: Found): Refusal | null {
  const otherCurrency = refusedCurrency(ctx, booking, action)
  if (otherCurrency !== null) return otherCurrency
  if (record.amountMinor === booking.priceMinor) return null
  const details = { field: 'amountMinor', expected: booking.priceMinor, actual: record.amountMinor }
  const refusal = { action, bookingId: booking.id, entity: 'callback', ref: key } as const
  return refused(ctx, ctx.reject('STALE_STATE', details), refusal)
}

/** Money in suspense becomes the payment of a booking that awaits exactly it. */
function match(
  ctx: PaymentsContext,
  action: string,
  { booking, known, note }: { readonly booking: Booking; readonly known: Found; readonly note: string },
): CallbackAnswer {
  const { key, record } = known
  const told = { ...toldBy(record, key), matched: true }
  const judged = { ...attemptOf(booking), told, reason: note }
  const result = judgeKept(ctx, action, record, judged)
  const { bookingId, attemptId } = judged
  const { payment, session } = ctx.state.bookings.get(bookingId) ?? booking
  return { result, bookingId, attemptId, payment, session }
}

function attemptOf({ id: bookingId, attemptId }: Booking): { readonly bookingId: string; readonly attemptId: string } {
  if (attemptId === null) throw new Error(`${bookingId} awaits a payment without an attempt`)
  return { bookingId, attemptId }
}

/** An administrator says which booking money in suspense is for. It must await a payment of just that amount. */
export const matchSuspense = command(
  { input: z.object({ transactionId: moneyId, bookingId: id, note: text }), output: callbackOutput },
  (ctx: PaymentsContext, input) => {
    const action = 'matchSuspense'
    const { transactionId, bookingId } = input
    const found = findBooking(ctx, { action, id: bookingId, roles: ['admin'] })
    if (isRejection(found)) return found
    const { booking } = found
    const record = ctx.state.callbacks.get(transactionId)
    if (record === undefined || !ctx.state.suspense.has(transactionId)) {
      const refusal = { action, bookingId, entity: 'callback', ref: transactionId } as const
      return refused(ctx, ctx.reject('NOT_FOUND', { transactionId }), refusal)
    }
    if (booking.session !== 'payment_pending') return refusedState(ctx, booking, action, 'paid')
    const known = { key: transactionId, record }
    return awaitsOther(ctx, action, booking, known) ?? match(ctx, action, { booking, known, note: input.note })
  },
)

/** An administrator sends money in suspense back to whoever paid it. */
export const refundSuspense = command(
  {
    input: z.object({ transactionId: moneyId, note: text }),
    output: z.object({ refundId: id, status: z.string(), amountMinor: minor }),
  },
  (ctx: PaymentsContext, input) => {
    const action = 'refundSuspense'
    const { transactionId, note } = input
    const refusal = { action, bookingId: null, entity: 'callback', ref: transactionId } as const
    if (!isAdmin(ctx.principal)) return refused(ctx, ctx.reject('FORBIDDEN'), refusal)
    const money = ctx.state.suspense.get(transactionId)
    const record = ctx.state.callbacks.get(transactionId)
    if (money === undefined || record === undefined) {
      return refused(ctx, ctx.reject('NOT_FOUND', { transactionId }), refusal)
    }
    const { amountMinor, receipt } = money
    const journal = new Journal(ctx, action, null)
    release(ctx, journal, transactionId)
    journal.count('captures', 'orphan', 1)
    journal.count('captures', 'orphan.minor', amountMinor)
    journal.count('money', 'received', 1)
    journal.count('money', 'received.minor', amountMinor)
    journal.count('money', 'kept.minor', amountMinor)
    const capture = { transactionId, receipt, amountMinor, currency: PROVIDER_CURRENCY, payer: null }
    const refund = newRefund(journal, null, { ...capture, pct: 100, reason: 'SUSPENSE' })
    journal.note({ entity: 'callback', from: 'UNKNOWN_ATTEMPT', to: 'ORPHANED', reason: note, ref: transactionId })
    journal.countResult('UNKNOWN_ATTEMPT', -1)
    journal.countResult('ORPHANED', 1)
    journal.endGroup(0)
    ctx.state.callbacks.set(transactionId, { ...record, result: 'ORPHANED', response: responseOf(record) })
    return { refundId: refund.id, status: refund.status, amountMinor }
  },
)

/** An administrator has looked at a transaction that `reviews` named. */
export const closeReview = command(
  {
    input: z.object({ kind: z.enum(REVIEW_KINDS), transactionId: moneyId, note: text }),
    output: z.object({ kind: z.enum(REVIEW_KINDS), transactionId: moneyId }),
  },
  (ctx: PaymentsContext, input) => {
    const action = 'closeReview'
    const { kind, transactionId, note } = input
    const refusal = { action, bookingId: null, entity: 'callback', ref: transactionId } as const
    if (!isAdmin(ctx.principal)) return refused(ctx, ctx.reject('FORBIDDEN'), refusal)
    if (!ctx.state.reviews.delete([kind, transactionId])) {
      return refused(ctx, ctx.reject('NOT_FOUND', { kind, transactionId }), refusal)
    }
    const journal = new Journal(ctx, action, null)
    journal.note({ entity: 'callback', from: kind, to: 'REVIEWED', reason: note, ref: transactionId })
    journal.endGroup(0)
    return { kind, transactionId }
  },
)
