import { type Found, responseOf } from './callback-records.ts'
import { Change } from './change.ts'
import { Journal } from './journal.ts'
import { notifyStatus, refundOf, withdrawTask } from './refunds.ts'
import { release } from './suspense.ts'
import type { Refund } from '../facts/rows.ts'
import type { PaymentsContext } from '../facts/payments-schema.ts'

/** Money that turns out to be other money, told again: it is counted no more (domain.md §3.5). */

/**
 * Sees to it that one of two transactions can be taken back, and says which: one in suspense first, because nothing was done
 * with it; else one that only waits to go back, whose refund no worker is given any more. Null: both have paid for a booking,
 * or left.
 */
export function stopOneOf(ctx: PaymentsContext, keys: readonly string[]): string | null {
  const suspended = keys.find((key) => ctx.state.suspense.has(key))
  return suspended ?? keys.find((key) => stopRefund(ctx, refundOf(ctx, key))) ?? null
}

/** Of an orphan: true when nobody has carried out its refund, nor will. */
function stopRefund(ctx: PaymentsContext, refund: Refund | undefined): boolean {
  if (refund === undefined || (refund.reason !== 'ORPHAN' && refund.reason !== 'SUSPENSE')) return false
  // Tried once, it may have been paid, whatever was said of it since.
  if (refund.tries > 0 || refund.status === 'SENT' || refund.status === 'SETTLED') return false
  return refund.status !== 'QUEUED' || withdrawTask(ctx, refund.id)
}

/** Makes a transaction SAME_RECEIPT: its money was never its own. The answer that was given stays that of its repeats. */
export function takeBack(ctx: PaymentsContext, action: string, { key, record }: Found, receipt: string): void {
  const refund = refundOf(ctx, key)
  const booking =
    refund === undefined || refund.bookingId === null ? undefined : ctx.state.bookings.get(refund.bookingId)
  const change = booking === undefined ? null : new Change(ctx, action, booking)
  const journal = change?.journal ?? new Journal(ctx, action, null)
  release(ctx, journal, key)
  if (refund !== undefined) uncapture(journal, key, refund)
  if (change !== null && refund !== undefined) {
    change.draft.capturedMinor -= refund.amountMinor
    // One that was stopped counts as nothing that goes back already.
    if (refund.status !== 'FAILED_MANUAL') change.draft.refundedMinor -= refund.amountMinor
  }
  journal.note({ entity: 'callback', from: record.result, to: 'SAME_RECEIPT', reason: receipt, ref: key })
  journal.countResult(record.result, -1)
  journal.countResult('SAME_RECEIPT', 1)
  const row = ctx.state.callbacks.get(key) ?? record
  ctx.state.callbacks.set(key, { ...row, result: 'SAME_RECEIPT', receipt, response: responseOf(record) })
  ctx.state.reviews.delete(['RECEIPT_MISSING', key])
  if (change === null || booking === undefined) journal.endGroup(0)
  else {
    change.commit()
    if (refund !== undefined) notifyStatus(ctx, { ...refund, amountMinor: 0, status: 'NOT_DUE' }, booking.clientId)
  }
}

/** The capture and its refund come to nothing. The refund's row stays, since its id was told. */
function uncapture(journal: Journal, key: string, refund: Refund): void {
  const { ctx } = journal
  const { id, bookingId, status, amountMinor } = refund
  if (bookingId !== null) ctx.state.captures.delete([bookingId, key])
  journal.note({ entity: 'refund', from: status, to: 'NOT_DUE', reason: 'SAME_RECEIPT', ref: id })
  ctx.state.refunds.set(id, { ...refund, amountMinor: 0, status: 'NOT_DUE' })
  journal.count('refund', status, -1)
  journal.count('refund', 'NOT_DUE', 1)
  journal.count('refunds', 'minor', -amountMinor)
  journal.count('refundMinor', status, -amountMinor)
  journal.count('captures', 'orphan', -1)
  journal.count('captures', 'orphan.minor', -amountMinor)
  journal.count('money', 'received', -1)
  journal.count('money', 'received.minor', -amountMinor)
}
