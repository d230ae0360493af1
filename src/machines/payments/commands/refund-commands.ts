import { z } from 'zod'
import { command } from '../../../machine/define/command.ts'
import { isRejection } from '../../../machine/define/rejection.ts'
import { isAdmin } from '../change/access.ts'
import { refused } from '../change/refusals.ts'
import { decideRefund } from '../change/refunds.ts'
import { id, text } from '../facts/fields.ts'
import type { PaymentsContext, Refusal } from '../facts/payments-schema.ts'
import { type Refund, REFUND_STATUSES } from '../facts/rows.ts'

/** What administrators decide about large refunds (domain.md §3.4). */

const input = z.object({ refundId: id, note: text.default('') })
const output = z.object({ refundId: id, status: z.enum(REFUND_STATUSES) })

/** A refund that awaits approval goes to the provider. */
export const approveRefund = command({ input, output }, (ctx: PaymentsContext, { refundId, note }) => {
  const action = 'approveRefund'
  const refund = findAwaiting(ctx, { action, refundId, to: 'QUEUED' })
  if (isRejection(refund)) return refund
  return { refundId, status: decideRefund(ctx, refund, { action, approved: true, reason: note }) }
})

/** A refund that awaits approval does not go to the provider: it is left to people, as one that failed. */
export const rejectRefund = command({ input, output }, (ctx: PaymentsContext, { refundId, note }) => {
  const action = 'rejectRefund'
  const refund = findAwaiting(ctx, { action, refundId, to: 'FAILED_MANUAL' })
  if (isRejection(refund)) return refund
  return { refundId, status: decideRefund(ctx, refund, { action, approved: false, reason: note }) }
})

function findAwaiting(
  ctx: PaymentsContext,
  asked: { readonly action: string; readonly refundId: string; readonly to: Refund['status'] },
): Refund | Refusal {
  const { action, refundId, to } = asked
  const refund = ctx.state.refunds.get(refundId)
  const from = refund?.status ?? null
  const about = { action, bookingId: refund?.bookingId ?? null, entity: 'refund', from, to, ref: refundId } as const
  if (refund === undefined) return refused(ctx, ctx.reject('NOT_FOUND', { refundId }), about)
  if (!isAdmin(ctx.principal)) return refused(ctx, ctx.reject('FORBIDDEN', { refundId }), about)
  if (refund.status === 'AWAITING_APPROVAL') return refund
  const details = { entity: 'refund', from: refund.status, to, event: action, allowed: [] }
  return refused(ctx, ctx.reject('INVALID_STATE_TRANSITION', details), about)
}
