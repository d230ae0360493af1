import type { TaskHandlers } from '../../../machine/define/define-machine.ts'
import { Change } from './change.ts'
import { REFUND_APPROVAL_ABOVE_MINOR } from '../../payments/rules/refund-policy.ts'
import type { Refund } from '../facts/rows.ts'
import type { PaymentsContext, paymentsSchema } from '../facts/payments-schema.ts'

/**
 * Money that goes back: the decision is final when it is made, the movement has a status of its own (domain.md §3.3
 * A5, A6).
 */
export function createRefund(
  change: Change,
  plan: Pick<Refund, 'transactionId' | 'amountMinor' | 'pct' | 'reason'>,
): void {
  const { ctx, journal, booking } = change
  const number = journal.next('refunds')
  const id = `ref-${number}`
  const status = firstStatus(plan.amountMinor)
  const refund: Refund = { id, bookingId: booking.id, ...plan, status, tries: 0, providerRef: null, at: ctx.now }
  ctx.state.refunds.set(id, refund)
  ctx.state.refundsOf.set([booking.id, number], id)
  change.draft.refundedMinor += plan.amountMinor
  journal.note({ entity: 'refund', from: null, to: status, reason: plan.reason, ref: id })
  journal.count('refunds', 'minor', plan.amountMinor)
  journal.count('refund', status, 1)
  if (status === 'QUEUED') queueRefund(ctx, refund, booking.currency)
  notifyStatus(ctx, refund, booking.clientId)
}

/** Nothing to pay, a sum that somebody must approve, or straight to the provider (domain.md §3.4). */
function firstStatus(amountMinor: number): Refund['status'] {
  if (amountMinor === 0) return 'NOT_DUE'
  return amountMinor > REFUND_APPROVAL_ABOVE_MINOR ? 'AWAITING_APPROVAL' : 'QUEUED'
}

function queueRefund(ctx: PaymentsContext, refund: Refund, currency: string): void {
  const { id: refundId, bookingId, transactionId, amountMinor } = refund
  const idempotencyKey = `${ctx.incarnation}-${refundId}`
  ctx.task('payment.refund', refundId, { refundId, bookingId, transactionId, amountMinor, currency, idempotencyKey })
}

/** The task `payment.refund`: settled by the worker's answer, or left to people after the third failure. */
export const refundTask: TaskHandlers<typeof paymentsSchema, 'payment.refund'> = {
  onResult(ctx, task, { providerRef }) {
    const refund = ctx.state.refunds.get(task.ref)
    if (refund?.status !== 'QUEUED') return { status: refund?.status ?? null }
    moveRefund(ctx, { ...refund, providerRef, tries: task.attempt }, ['SENT', 'SETTLED'])
    return { status: 'SETTLED' }
  },
  onFailed(ctx, task, reason) {
    const refund = ctx.state.refunds.get(task.ref)
    if (refund?.status !== 'QUEUED') return
    moveRefund(ctx, { ...refund, tries: task.attempt }, ['FAILED_MANUAL'])
    ctx.alert('REFUND_FAILED', {
      refundId: refund.id,
      bookingId: refund.bookingId,
      amountMinor: refund.amountMinor,
      reason,
    })
  },
}

/** Takes a refund through its statuses, one audit group. A failed one no longer counts against what was captured. */
function moveRefund(ctx: PaymentsContext, refund: Refund, path: readonly Refund['status'][]): void {
  const booking = ctx.state.bookings.get(refund.bookingId)
  if (booking === undefined) return
  const change = new Change(ctx, 'payment.refund', booking)
  let status = refund.status
  for (const to of path) {
    change.journal.note({ entity: 'refund', from: status, to, ref: refund.id })
    change.journal.count('refund', status, -1)
    change.journal.count('refund', to, 1)
    status = to
  }
  ctx.state.refunds.set(refund.id, { ...refund, status })
  if (status === 'FAILED_MANUAL') change.draft.refundedMinor -= refund.amountMinor
  change.commit()
  notifyStatus(ctx, { ...refund, status }, booking.clientId)
}

function notifyStatus(ctx: PaymentsContext, refund: Refund, clientId: string): void {
  const { id: refundId, bookingId, status, amountMinor } = refund
  ctx.notify(clientId, 'refund.status', { bookingId, refundId, status, amountMinor })
}
