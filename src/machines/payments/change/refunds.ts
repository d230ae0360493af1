import type { TaskHandlers } from '../../../machine/define/define-machine.ts'
import { Change } from './change.ts'
import { Journal } from './journal.ts'
import { masked } from '../facts/fields.ts'
import { PROVIDER_CURRENCY } from '../facts/payment-bounds.ts'
import { REFUND_APPROVAL_ABOVE_MINOR, refundAmount } from '../rules/refund-policy.ts'
import type { Refund } from '../facts/rows.ts'
import type { PaymentsContext, paymentsSchema } from '../facts/payments-schema.ts'

/** What is to go back, of which money, and to whom. */
export interface RefundPlan extends Pick<Refund, 'transactionId' | 'receipt' | 'amountMinor' | 'pct' | 'reason'> {
  readonly currency: string
  /** The payer's number in full; null when nobody knows it. */
  readonly payer: string | null
}

/**
 * Money that goes back: the decision is final when it is made, the movement has a status of its own (domain.md §3.3
 * A5, A6).
 */
export function createRefund(change: Change, plan: RefundPlan): void {
  const { ctx, journal, booking } = change
  const refund = newRefund(journal, booking.id, plan)
  change.draft.refundedMinor += plan.amountMinor
  notifyStatus(ctx, refund, booking.clientId)
}

/** The same for money that no booking is known for. */
export function newRefund(journal: Journal, bookingId: string | null, plan: RefundPlan): Refund {
  const { ctx } = journal
  const { transactionId, receipt, amountMinor, pct, reason } = plan
  const number = journal.next('refunds')
  const id = `ref-${number}`
  const status = firstStatus(amountMinor)
  const money = { transactionId, receipt, amountMinor, pct, reason }
  const refund: Refund = { id, bookingId, ...money, status, tries: 0, providerRef: null, at: ctx.now }
  ctx.state.refunds.set(id, refund)
  if (bookingId !== null) ctx.state.refundsOf.set([bookingId, number], id)
  journal.note({ entity: 'refund', from: null, to: status, reason, ref: id })
  journal.count('refunds', 'minor', amountMinor)
  journal.count('refund', status, 1)
  journal.count('refundMinor', status, amountMinor)
  journal.count('money', 'kept.minor', -amountMinor)
  if (status === 'QUEUED') queueRefund(ctx, refund, plan)
  return refund
}

/** A share of the price goes back, out of the money that paid for the booking. */
export function refundPrice(change: Change, pct: number, reason: Refund['reason']): void {
  const { ctx, booking } = change
  const { applied: transactionId, priceMinor, currency } = booking
  const amountMinor = refundAmount(priceMinor, pct)
  const receipt = transactionId === null ? null : (ctx.state.callbacks.get(transactionId)?.receipt ?? null)
  const payer = payerOf(ctx, transactionId)
  createRefund(change, { transactionId, receipt, currency, payer, amountMinor, pct, reason })
}

/** The number that the push of a transaction went to; null when there was none, or nobody knows whose money it is. */
function payerOf(ctx: PaymentsContext, transactionId: string | null): string | null {
  const record = transactionId === null ? undefined : ctx.state.callbacks.get(transactionId)
  // Money that a person found the booking for came from nobody knows whom: the booking's client may be somebody else.
  const attemptId = record === undefined || record.matched ? null : record.attemptId
  const phone = attemptId === null ? '' : (ctx.state.attempts.get(attemptId)?.phone ?? '')
  return phone === '' ? null : phone
}

/** Nothing to pay, a sum that somebody must approve, or straight to the provider (domain.md §3.4). */
function firstStatus(amountMinor: number): Refund['status'] {
  if (amountMinor === 0) return 'NOT_DUE'
  return amountMinor > REFUND_APPROVAL_ABOVE_MINOR ? 'AWAITING_APPROVAL' : 'QUEUED'
}

/** The task has all that the provider must be told, so that the worker asks nobody. */
function queueRefund(
  ctx: PaymentsContext,
  refund: Refund,
  { currency, payer }: Pick<RefundPlan, 'currency' | 'payer'>,
): void {
  const { id: refundId, bookingId, transactionId, receipt, amountMinor } = refund
  ctx.task('payment.refund', refundId, {
    refundId,
    bookingId,
    transactionId,
    receipt,
    amountMinor,
    currency,
    payer,
    payerMasked: payer === null ? null : masked(payer),
    idempotencyKey: `${ctx.incarnation}-${refundId}`,
  })
}

const ACTION = 'payment.refund'

/** The task `payment.refund`: settled by the worker's answer, or left to people after the third failure. */
export const refundTask: TaskHandlers<typeof paymentsSchema, 'payment.refund'> = {
  onResult(ctx, task, { providerRef }) {
    const refund = ctx.state.refunds.get(task.ref)
    if (refund?.status !== 'QUEUED') return { status: refund?.status ?? null }
    moveRefund(ctx, ACTION, { refund: { ...refund, providerRef, tries: task.attempt }, path: ['SENT', 'SETTLED'] })
    return { status: 'SETTLED' }
  },
  onFailed(ctx, task, reason) {
    const refund = ctx.state.refunds.get(task.ref)
    if (refund?.status !== 'QUEUED') return
    moveRefund(ctx, ACTION, { refund: { ...refund, tries: task.attempt }, path: ['FAILED_MANUAL'] })
    ctx.alert('REFUND_FAILED', {
      refundId: refund.id,
      bookingId: refund.bookingId,
      amountMinor: refund.amountMinor,
      reason,
    })
  },
}

/** What an administrator decides about a refund. */
export type RefundDecision = { readonly action: string; readonly reason: string } & (
  | { readonly to: 'QUEUED' | 'FAILED_MANUAL' }
  /** It was paid by hand; the reference says where that is written. */
  | { readonly to: 'SETTLED'; readonly providerRef: string }
)

/**
 * An administrator lets a refund go to the provider, for the first time or once more, keeps it from it, so that people see to
 * it, or says that they did. Sent once more it has the idempotency key that it had: the provider pays once.
 */
export function decideRefund(ctx: PaymentsContext, refund: Refund, decision: RefundDecision): Refund['status'] {
  const { action, to, reason } = decision
  const booking = refund.bookingId === null ? undefined : ctx.state.bookings.get(refund.bookingId)
  // Money that no booking took is the provider's, in its currency.
  const currency = refund.reason === 'ORPHAN' || booking === undefined ? PROVIDER_CURRENCY : booking.currency
  if (to === 'QUEUED') queueRefund(ctx, refund, { currency, payer: payerOf(ctx, refund.transactionId) })
  const decided = to === 'SETTLED' ? { ...refund, providerRef: decision.providerRef } : refund
  moveRefund(ctx, action, { refund: decided, path: [to], reason })
  return to
}

/** A refund, the statuses that it goes through, and why. */
interface RefundMove {
  readonly refund: Refund
  readonly path: readonly Refund['status'][]
  readonly reason?: string | null
}

/** Takes a refund through its statuses, one audit group. A failed one no longer counts against what was captured. */
function moveRefund(ctx: PaymentsContext, action: string, { refund, path, reason = null }: RefundMove): void {
  const booking = refund.bookingId === null ? undefined : ctx.state.bookings.get(refund.bookingId)
  const change = booking === undefined ? null : new Change(ctx, action, booking)
  const journal = change?.journal ?? new Journal(ctx, action, null)
  let status = refund.status
  for (const to of path) {
    journal.note({ entity: 'refund', from: status, to, reason, ref: refund.id })
    journal.count('refund', status, -1)
    journal.count('refund', to, 1)
    journal.count('refundMinor', status, -refund.amountMinor)
    journal.count('refundMinor', to, refund.amountMinor)
    status = to
  }
  ctx.state.refunds.set(refund.id, { ...refund, status })
  if (change === null || booking === undefined) {
    journal.endGroup(0)
    return
  }
  if (refund.status === 'FAILED_MANUAL') change.draft.refundedMinor += refund.amountMinor
  if (status === 'FAILED_MANUAL') change.draft.refundedMinor -= refund.amountMinor
  change.commit()
  notifyStatus(ctx, { ...refund, status }, booking.clientId)
}

function notifyStatus(ctx: PaymentsContext, refund: Refund, clientId: string): void {
  const { id: refundId, bookingId, status, amountMinor } = refund
  ctx.notify(clientId, 'refund.status', { bookingId, refundId, status, amountMinor })
}
