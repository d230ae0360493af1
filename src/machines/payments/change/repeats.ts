import { type CallbackAnswer, type Found, responseOf } from './callback-records.ts'
import { Change } from './change.ts'
import { Journal } from './journal.ts'
import { giveReceipt, refundOf } from './refunds.ts'
import { openReview } from './reviews.ts'
import type { Told } from './settle.ts'
import { stopOneOf, takeBack } from './take-back.ts'
import type { CallbackRecord } from '../facts/rows.ts'
import type { PaymentsContext } from '../facts/payments-schema.ts'

/** How repeats are answered, and what they add (domain.md §3.5). */

/** Answers a repeat, and keeps what only the repeat brings: the receipt, the merchant's id. */
export function repeat(ctx: PaymentsContext, action: string, { key, record }: Found, told: Told): CallbackAnswer {
  ctx.log('duplicate', { key, firstIndex: record.index })
  const { merchantRequestId, receipt } = told
  if (record.merchantRequestId === null && merchantRequestId !== null) {
    ctx.state.callbacks.set(key, { ...record, merchantRequestId })
  }
  if (receipt !== null) bringReceipt(ctx, action, key, receipt)
  return { ...responseOf(record), duplicate: true }
}

/**
 * Tells the receipt of a transaction whose success named none. It is taken, unless it is that of other money: then the two are
 * one money, told under two transactions before anybody could know.
 */
export function bringReceipt(ctx: PaymentsContext, action: string, key: string, receipt: string): void {
  const record = ctx.state.callbacks.get(key)
  if (record === undefined || record.outcome === 'failure' || record.receipt !== null) return
  // No money stands behind it: its receipt is free for what it turns out to be.
  if (record.result === 'AMOUNT_ABSURD') return
  const owner = ctx.state.receipts.get(receipt)
  if (owner === undefined) takeReceipt(ctx, action, { key, record }, receipt)
  else if (record.result === 'SAME_RECEIPT') ctx.state.callbacks.set(key, { ...record, receipt })
  else unite(ctx, action, { key, owner, receipt })
}

/**
 * Two transactions are one money, which was counted twice until now. One of them was no money of its own: the one that is in
 * suspense, else the one whose refund was not sent. Where both are beyond recall, people must sort it out.
 *
 *   1 a success of a push that nobody started, without a receipt: in suspense
 *   2 an administrator verifies it by hand, by its receipt: that pays for a booking
 *   3 the provider repeats 1 with the receipt: were it kept, it would pay for a second booking, or go back
 */
function unite(
  ctx: PaymentsContext,
  action: string,
  one: { readonly key: string; readonly owner: string; readonly receipt: string },
): void {
  const { key, owner, receipt } = one
  const gone = stopOneOf(ctx, [key, owner])
  const record = ctx.state.callbacks.get(gone ?? key)
  const kept = ctx.state.callbacks.get(gone === owner ? key : owner)
  if (record === undefined || kept === undefined) throw new Error(`${key} and ${owner} have no records`)
  const { bookingId } = record
  const amountMinor = record.amountMinor ?? 0
  if (gone === null) {
    openReview(ctx, 'RECEIPT_TAKEN', { transactionId: key, bookingId, amountMinor, receipt })
    return
  }
  takeBack(ctx, action, { key: gone, record }, receipt)
  ctx.state.reviews.delete(['RECEIPT_TAKEN', key])
  if (gone === owner) takeReceipt(ctx, action, { key, record: kept }, receipt)
  if (kept.bookingId !== bookingId || kept.amountMinor !== record.amountMinor) {
    openReview(ctx, 'RECEIPT_OTHER_BOOKING', { transactionId: gone, bookingId, amountMinor, receipt })
  }
}

function takeReceipt(ctx: PaymentsContext, action: string, { key, record }: Found, receipt: string): void {
  noteReceipt(ctx, action, { key, record }, receipt)
  const money = ctx.state.suspense.get(key)
  if (money !== undefined) ctx.state.suspense.set(key, { ...money, receipt })
  const refund = refundOf(ctx, key)
  if (refund !== undefined) giveReceipt(ctx, action, refund, receipt)
}

function noteReceipt(ctx: PaymentsContext, action: string, { key, record }: Found, receipt: string): void {
  // The row may have learned a merchant's id from this same repeat.
  const row: CallbackRecord = ctx.state.callbacks.get(key) ?? record
  ctx.state.callbacks.set(key, { ...row, receipt })
  ctx.state.receipts.set(receipt, key)
  ctx.state.reviews.delete(['RECEIPT_MISSING', key])
  const step = { entity: 'callback', from: null, to: 'RECEIPT', reason: receipt, ref: key } as const
  const booking = record.bookingId === null ? undefined : ctx.state.bookings.get(record.bookingId)
  if (booking === undefined) {
    const journal = new Journal(ctx, action, null)
    journal.note(step)
    journal.endGroup(0)
    return
  }
  const change = new Change(ctx, action, booking)
  change.journal.note(step)
  change.commit()
}
