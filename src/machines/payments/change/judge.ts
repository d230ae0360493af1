import { type CallbackAnswer, newRecord, ownerOf, responseOf } from './callback-records.ts'
import { Change } from './change.ts'
import { Journal, receivedMinor } from './journal.ts'
import { openReview } from './reviews.ts'
import { orphan, settle, type Told } from './settle.ts'
import { release, suspend } from './suspense.ts'
import { MONEY_MINOR_MAX, RECEIVED_MINOR_MAX, WAITING_MAX } from '../facts/payment-bounds.ts'
import type { Attempt, CallbackRecord, CallbackResponse, CallbackResult } from '../facts/rows.ts'
import type { PaymentsContext } from '../facts/payments-schema.ts'

/** What comes of a transaction that is judged: the table of domain.md §3.5, and what stands before it. */

/** A transaction, and the attempt that it speaks of. */
export interface Judged {
  readonly bookingId: string
  readonly attemptId: string
  readonly told: Told
  /** Told as a second success of another transaction: it pays for nothing. */
  readonly other?: boolean
  readonly reason?: string | null
  readonly rest?: Partial<CallbackRecord>
}

/** Judges a transaction that was not told before, keeps its record and answers. */
export function judgeNew(ctx: PaymentsContext, action: string, judged: Judged): CallbackAnswer {
  const { bookingId, attemptId, told, rest } = judged
  const { change, result, told: before } = judge(ctx, action, { ...judged, absurd: isAbsurd(ctx, told) })
  countReplaced(change.journal, told.transactionId)
  const { payment, session } = change.booking
  const became = { result, bookingId, attemptId, payment, session }
  ctx.state.callbacks.set(told.transactionId, newRecord(ctx, told, became, { ...rest, response: before }))
  change.commit()
  return before === null ? became : { ...before, duplicate: true }
}

/** Judges money that was in suspense, or a failure that came too early. The answer that was given stays that of repeats. */
export function judgeKept(
  ctx: PaymentsContext,
  action: string,
  record: CallbackRecord,
  judged: Judged,
): CallbackResult {
  const { bookingId, attemptId, told } = judged
  const { change, result } = judge(ctx, action, { ...judged, absurd: false })
  release(ctx, change.journal, told.transactionId)
  change.journal.countResult('UNKNOWN_ATTEMPT', -1)
  const response = responseOf(record)
  const { payment, session } = change.booking
  const became = { result, bookingId, attemptId, payment, session, response, matched: told.matched }
  ctx.state.callbacks.set(told.transactionId, { ...record, ...became })
  change.commit()
  return result
}

/**
 * Applies the table, unless the receipt is that of other money: then it is the same, told twice, and there is neither capture
 * nor refund. The callback's own record stands last in its audit group. The change is not committed yet.
 */
function judge(ctx: PaymentsContext, action: string, judged: Judged & { readonly absurd: boolean }) {
  const { bookingId, attemptId, told, other = false, reason = null, absurd } = judged
  const booking = ctx.state.bookings.get(bookingId)
  if (booking === undefined) throw new Error(`attempt ${attemptId} has no booking ${bookingId}`)
  const change = new Change(ctx, action, booking)
  const before = sameReceipt(ctx, told, bookingId)
  const result = before !== null ? 'SAME_RECEIPT' : decide(change, { attemptId, told, other, absurd })
  change.journal.note({ entity: 'callback', from: null, to: result, reason, ref: told.transactionId })
  change.journal.countResult(result, 1)
  return { change, result, told: before }
}

function decide(
  change: Change,
  { attemptId, told, other, absurd }: Pick<Judged, 'attemptId' | 'told'> & { other: boolean; absurd: boolean },
): CallbackResult {
  if (absurd) return keepAbsurd(change.ctx, told, change.booking.id)
  if (!other) return settle(change, attemptId, told)
  const { transactionId, amountMinor, receipt } = told
  change.ctx.alert('OTHER_MONEY', { transactionId, bookingId: change.booking.id, amountMinor, receipt })
  return orphan(change, attemptId, told, 'ORPHANED')
}

/** More money than any booking costs, or than the sums hold: whatever the provider meant, this it did not. */
function isAbsurd(ctx: PaymentsContext, { outcome, amountMinor }: Told): boolean {
  if (outcome === 'failure' || amountMinor === null) return false
  return amountMinor > MONEY_MINOR_MAX || receivedMinor(ctx) + amountMinor > RECEIVED_MINOR_MAX
}

/** A person looks at it; it is no capture, owed to nobody, and its receipt is free for what it turns out to be. */
function keepAbsurd(ctx: PaymentsContext, told: Told, bookingId: string | null): 'AMOUNT_ABSURD' {
  const { transactionId, amountMinor, receipt } = told
  openReview(ctx, 'AMOUNT_ABSURD', { transactionId, bookingId, amountMinor: amountMinor ?? 0, receipt })
  return 'AMOUNT_ABSURD'
}

/** The answer that the money of this receipt got before; null when it is new. Told for another booking, people must look. */
function sameReceipt(ctx: PaymentsContext, told: Told, bookingId: string | null): CallbackResponse | null {
  const owner = ownerOf(ctx, told, told.transactionId)
  if (owner === null) return null
  const { transactionId, amountMinor, receipt } = told
  if (owner.record.bookingId !== bookingId || owner.record.amountMinor !== amountMinor) {
    openReview(ctx, 'RECEIPT_OTHER_BOOKING', { transactionId, bookingId, amountMinor: amountMinor ?? 0, receipt })
  }
  return responseOf(owner.record)
}

const UNKNOWN: CallbackResponse = {
  result: 'UNKNOWN_ATTEMPT',
  bookingId: null,
  attemptId: null,
  payment: null,
  session: null,
}

/**
 * Nobody made such an attempt, or its `paymentStarted` is still on the way. What it told is kept; money is in suspense until
 * it is judged, matched or refunded, and the administrators are told of it.
 */
export function keepUnknown(
  ctx: PaymentsContext,
  action: string,
  unknown: { readonly told: Told; readonly checkoutRequestId: string | null; readonly rest?: Partial<CallbackRecord> },
): CallbackAnswer {
  const { told, checkoutRequestId, rest } = unknown
  const { transactionId, amountMinor, receipt, outcome } = told
  const before = sameReceipt(ctx, told, null)
  const absurd = before === null && isAbsurd(ctx, told)
  const result = before !== null ? 'SAME_RECEIPT' : absurd ? keepAbsurd(ctx, told, null) : 'UNKNOWN_ATTEMPT'
  const journal = new Journal(ctx, action, null)
  countReplaced(journal, transactionId)
  ctx.state.callbacks.set(transactionId, newRecord(ctx, told, { ...UNKNOWN, result }, { ...rest, response: before }))
  if (result === 'UNKNOWN_ATTEMPT') {
    if (checkoutRequestId !== null) ctx.state.waiting.set([checkoutRequestId, transactionId], null)
    const money = { transactionId, checkoutRequestId, amountMinor: amountMinor ?? 0, receipt }
    if (outcome === 'success') suspend(ctx, journal, money)
    ctx.alert('UNKNOWN_ATTEMPT', outcome === 'success' ? { ...money, at: ctx.now } : { transactionId })
  }
  journal.note({ entity: 'callback', from: null, to: result, ref: transactionId })
  journal.countResult(result, 1)
  journal.endGroup(0)
  return before === null ? { ...UNKNOWN, result } : { ...before, duplicate: true }
}

/** A failure of an unknown attempt that money follows is not waited for any more, unless it was judged in between. */
function countReplaced(journal: Journal, transactionId: string): void {
  const replaced = journal.ctx.state.callbacks.get(transactionId)
  if (replaced?.result === 'UNKNOWN_ATTEMPT') journal.countResult('UNKNOWN_ATTEMPT', -1)
}

/** `paymentStarted` has named a push: callbacks that overtook it are judged now. */
export function judgeWaiting(ctx: PaymentsContext, attempt: Attempt, checkoutRequestId: string): void {
  for (const [key] of ctx.state.waiting.range({ prefix: [checkoutRequestId], limit: WAITING_MAX })) {
    const [, transactionId] = key
    const record = ctx.state.callbacks.get(transactionId)
    ctx.state.waiting.delete(key)
    if (record?.result !== 'UNKNOWN_ATTEMPT') continue
    const { bookingId, id: attemptId } = attempt
    const told = toldBy(record, transactionId)
    judgeKept(ctx, 'paymentStarted', record, { bookingId, attemptId, told, other: record.of !== null })
  }
}

/** What a record says was told. */
export function toldBy(record: CallbackRecord, transactionId: string): Told {
  const { outcome, amountMinor, resultCode, receipt, merchantRequestId, matched } = record
  return { transactionId, outcome, amountMinor, resultCode, receipt, merchantRequestId, matched }
}
