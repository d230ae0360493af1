import { z } from 'zod'
import { command } from '../../../machine/define/command.ts'
import { isRejection } from '../../../machine/define/rejection.ts'
import { isAdmin } from '../change/access.ts'
import { refused } from '../change/refusals.ts'
import { decideRefund } from '../change/refunds.ts'
import { id, receipt, text } from '../facts/fields.ts'
import type { PaymentsContext, Refusal } from '../facts/payments-schema.ts'
import { type Refund, REFUND_STATUSES, REFUND_TRANSITIONS } from '../facts/rows.ts'

/** What administrators decide about refunds: large ones, and those that failed (domain.md §3.4). */

const input = z.object({ refundId: id, note: text.default('') })
const output = z.object({ refundId: id, status: z.enum(REFUND_STATUSES) })

/** A refund that awaits approval goes to the provider. */
export const approveRefund = command({ input, output }, (ctx: PaymentsContext, { refundId, note }) => {
  const action = 'approveRefund'
  const refund = findRefund(ctx, { action, refundId, from: 'AWAITING_APPROVAL', to: 'QUEUED' })
  if (isRejection(refund)) return refund
  return { refundId, status: decideRefund(ctx, refund, { action, to: 'QUEUED', reason: note }) }
})

/** A refund that awaits approval does not go to the provider: it is left to people, as one that failed. */
export const rejectRefund = command({ input, output }, (ctx: PaymentsContext, { refundId, note }) => {
  const action = 'rejectRefund'
  const refund = findRefund(ctx, { action, refundId, from: 'AWAITING_APPROVAL', to: 'FAILED_MANUAL' })
  if (isRejection(refund)) return refund
  return { refundId, status: decideRefund(ctx, refund, { action, to: 'FAILED_MANUAL', reason: note }) }
})

/** A refund that failed goes to the provider once more, with the idempotency key that it had. */
export const retryRefund = command({ input, output }, (ctx: PaymentsContext, { refundId, note }) => {
  const action = 'retryRefund'
  const refund = findRefund(ctx, { action, refundId, from: 'FAILED_MANUAL', to: 'QUEUED' })
  if (isRejection(refund)) return refund
  return { refundId, status: decideRefund(ctx, refund, { action, to: 'QUEUED', reason: note }) }
})

/** A refund that failed was paid by hand: `reference` is the provider's or the bank's number of that payment. */
export const settleRefundManually = command(
  { input: input.extend({ reference: receipt.min(1) }), output },
  (ctx: PaymentsContext, { refundId, reference: providerRef, note }) => {
    const action = 'settleRefundManually'
    const refund = findRefund(ctx, { action, refundId, from: 'FAILED_MANUAL', to: 'SETTLED' })
    if (isRejection(refund)) return refund
    return { refundId, status: decideRefund(ctx, refund, { action, to: 'SETTLED', providerRef, reason: note }) }
  },
)

function findRefund(
  ctx: PaymentsContext,
  asked: {
    readonly action: string
    readonly refundId: string
    readonly from: Refund['status']
    readonly to: Refund['status']
  },
): Refund | Refusal {
  const { action, refundId, to } = asked
  const refund = ctx.state.refunds.get(refundId)
  const from = refund?.status ?? null
  const about = { action, bookingId: refund?.bookingId ?? null, entity: 'refund', from, to, ref: refundId } as const
  if (refund === undefined) return refused(ctx, ctx.reject('NOT_FOUND', { refundId }), about)
  if (!isAdmin(ctx.principal)) return refused(ctx, ctx.reject('FORBIDDEN', { refundId }), about)
  if (refund.status === asked.from) return refund
  const allowed: readonly string[] = REFUND_TRANSITIONS[refund.status]
  const details = { entity: 'refund', from: refund.status, to, event: action, allowed }
  return refused(ctx, ctx.reject('INVALID_STATE_TRANSITION', details), about)
}
