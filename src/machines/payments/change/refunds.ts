import type { TaskHandlers } from '../../../machine/define/define-machine.ts'
import { Change } from './change.ts'
import { Journal } from './journal.ts'
import { masked, normalReceipt } from '../facts/fields.ts'
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
  const status = firstStatus(amountMinor, receipt)
  const money = { transactionId, receipt, amountMinor, pct, reason }
  const refund: Refund = { id, bookingId, ...money, status, tries: 0, providerRef: null, at: ctx.now }
  ctx.state.refunds.set(id, refund)
  if (bookingId !== null) ctx.state.refundsOf.set([bookingId, number], id)
  if (transactionId !== null) ctx.state.refundOf.set(transactionId, id)
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

/**
 * Nothing to pay, a sum that somebody must approve, or straight to the provider (domain.md §3.4). Without a receipt nothing is
 * sent: the provider could not tell which payment to undo, and it may turn out to be money that was told before.
 */
function firstStatus(amountMinor: number, receipt: string | null): Refund['status'] {
  if (amountMinor === 0) return 'NOT_DUE'
  return receipt === null || amountMinor > REFUND_APPROVAL_ABOVE_MINOR ? 'AWAITING_APPROVAL' : 'QUEUED'
}

/** The refund of a transaction's money, where it has one. */
export function refundOf(ctx: PaymentsContext, transactionId: string): Refund | undefined {
  const id = ctx.state.refundOf.get(transactionId)
  return id === undefined ? undefined : ctx.state.refunds.get(id)
}

/** The receipt of a refund's money became known: what waited for nothing else is sent, and its task names it. */
export function giveReceipt(ctx: PaymentsContext, action: string, refund: Refund, receipt: string): void {
  const known = { ...refund, receipt }
  const next = firstStatus(refund.amountMinor, receipt)
  if (refund.status === 'AWAITING_APPROVAL' && next === 'QUEUED') {
    decideRefund(ctx, known, { action, to: 'QUEUED', reason: 'RECEIPT' })
    return
  }
  ctx.state.refunds.set(refund.id, known)
  // A task that a worker has goes on as it is: two of one refund would be two payments to a worker that looks at neither.
  if (refund.status === 'QUEUED' && withdrawTask(ctx, refund.id)) queueRefund(ctx, known, planOf(ctx, known))
}

/** Ends the task of a refund, unless a worker was ever given it. True when the money is certainly not on its way now. */
export function withdrawTask(ctx: PaymentsContext, refundId: string): boolean {
  const [task] = ctx.openTasks('payment.refund', refundId)
  return task !== undefined && !task.given && ctx.cancelTask(task.taskId)
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
    const tried = { ...refund, tries: task.attempt }
    const other = payoutOf(ctx, providerRef)
    if (other !== null) {
      // One payment settles one refund: this one was not paid, or under a number that nobody told.
      moveRefund(ctx, ACTION, { refund: tried, path: ['FAILED_MANUAL'] })
      const { id: refundId, bookingId, amountMinor } = refund
      ctx.alert('REFERENCE_TAKEN', { refundId, bookingId, amountMinor, providerRef, other })
      return { status: 'FAILED_MANUAL' }
    }
    moveRefund(ctx, ACTION, { refund: { ...tried, providerRef }, path: ['SENT', 'SETTLED'] })
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

/** The refund that a payment of the provider settled, by its number however it is typed; null when there is none. */
export function payoutOf(ctx: PaymentsContext, providerRef: string): string | null {
  return ctx.state.payouts.get(normalReceipt(providerRef)) ?? null
}

/** What an administrator decides about a refund. */
export type RefundDecision = { readonly action: string; readonly reason: string } & (
  | { readonly to: 'QUEUED' | 'FAILED_MANUAL' }
  /** It was paid by hand; the reference says where that is written. */
  | { readonly to: 'SETTLED'; readonly providerRef: string }
)

/**
 * A refund goes to the provider, for the first time or once more, is kept from it, so that people see to it, or they say that
 * they did. Sent once more it has the idempotency key that it had: the provider pays once.
 */
export function decideRefund(ctx: PaymentsContext, refund: Refund, decision: RefundDecision): Refund['status'] {
  const { action, to, reason } = decision
  if (to === 'QUEUED') queueRefund(ctx, refund, planOf(ctx, refund))
  const decided =
    to === 'SETTLED'
      ? { ...refund, providerRef: decision.providerRef }
      : to === 'FAILED_MANUAL'
        ? stopTask(ctx, refund)
        : refund
  moveRefund(ctx, action, { refund: decided, path: [to], reason })
  return to
}

/**
 * Ends the task of a refund that is not to be carried out. A worker that has it is told so when it reports; what it has sent by
 * then stands in the statement, so it counts as tried.
 */
function stopTask(ctx: PaymentsContext, refund: Refund): Refund {
  const [task] = ctx.openTasks('payment.refund', refund.id)
  if (task === undefined) return refund
  ctx.cancelTask(task.taskId)
  return task.given ? { ...refund, tries: refund.tries + 1 } : refund
}

/** Ends a task of a refund that is queued, and makes one with all that is known now, under the same idempotency key. */
export function renewTask(ctx: PaymentsContext, refund: Refund, taskId: string): void {
  ctx.cancelTask(taskId)
  queueRefund(ctx, refund, planOf(ctx, refund))
}

/** In which currency and to whom a refund goes, as it was when it was made. */
function planOf(ctx: PaymentsContext, refund: Refund): Pick<RefundPlan, 'currency' | 'payer'> {
  const booking = refund.bookingId === null ? undefined : ctx.state.bookings.get(refund.bookingId)
  // Money that no booking took is the provider's, in its currency.
  const currency = refund.reason === 'ORPHAN' || booking === undefined ? PROVIDER_CURRENCY : booking.currency
  return { currency, payer: payerOf(ctx, refund.transactionId) }
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
  if (refund.providerRef !== null) ctx.state.payouts.set(normalReceipt(refund.providerRef), refund.id)
  if (change === null || booking === undefined) {
    journal.endGroup(0)
    return
  }
  if (refund.status === 'FAILED_MANUAL') change.draft.refundedMinor += refund.amountMinor
  if (status === 'FAILED_MANUAL') change.draft.refundedMinor -= refund.amountMinor
  change.commit()
  notifyStatus(ctx, { ...refund, status }, booking.clientId)
}

export function notifyStatus(ctx: PaymentsContext, refund: Refund, clientId: string): void {
  const { id: refundId, bookingId, status, amountMinor } = refund
  ctx.notify(clientId, 'refund.status', { bookingId, refundId, status, amountMinor })
}
