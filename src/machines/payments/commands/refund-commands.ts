import { z } from 'zod'
import { command } from '../../../machine/define/command.ts'
import { isRejection } from '../../../machine/define/rejection.ts'
import { isAdmin } from '../change/access.ts'
import { type About, refused } from '../change/refusals.ts'
import { decideRefund, payoutOf } from '../change/refunds.ts'
import { bringReceipt } from '../change/repeats.ts'
import { id, receipt as receiptNumber, text } from '../facts/fields.ts'
import type { PaymentsContext, Refusal } from '../facts/payments-schema.ts'
import { type Refund, REFUND_STATUSES, REFUND_TRANSITIONS } from '../facts/rows.ts'

/** What administrators decide about refunds: large ones, of money without a receipt, and those that failed (domain.md §3.4). */

const input = z.object({ refundId: id, note: text.default('') })
/** `receipt`: of the money that goes back, where it has none yet. */
const sendInput = input.extend({ receipt: receiptNumber.min(1).optional() })
const output = z.object({ refundId: id, status: z.enum(REFUND_STATUSES) })

/**
 * A refund that awaits approval goes to the provider. Money without a receipt cannot be undone: `receipt` names it, from the
 * provider's statement, and is taken as if the provider had told it. If it is that of money known before, nothing goes back.
 */
export const approveRefund = command({ input: sendInput, output }, (ctx: PaymentsContext, sent) =>
  sendRefund(ctx, { action: 'approveRefund', from: ['AWAITING_APPROVAL'] }, sent),
)

/** A refund that failed goes to the provider once more, with the idempotency key that it had; `receipt` as above. */
export const retryRefund = command({ input: sendInput, output }, (ctx: PaymentsContext, sent) =>
  sendRefund(ctx, { action: 'retryRefund', from: ['FAILED_MANUAL'] }, sent),
)

function sendRefund(
  ctx: PaymentsContext,
  { action, from }: Pick<Asked, 'action' | 'from'>,
  sent: z.output<typeof sendInput>,
) {
  const { refundId, note } = sent
  const receipt = sent.receipt ?? null
  const asked = { action, refundId, from, to: 'QUEUED' } as const
  const found = findRefund(ctx, asked)
  if (isRejection(found)) return found
  const { transactionId } = found
  const brought = receipt !== null && found.receipt === null && transactionId !== null
  if (brought) bringReceipt(ctx, action, transactionId, receipt)
  const refund = ctx.state.refunds.get(refundId) ?? found
  // Sent for the receipt alone, no money of its own after all, or beyond recall: an alert says so.
  if (brought && (refund.status !== found.status || refund.receipt === null)) {
    return { refundId, status: refund.status }
  }
  const reason = conflictOf(refund, receipt)
  if (reason !== null) return refused(ctx, ctx.reject('CONFLICT', { reason, refundId }), aboutRefund(found, asked))
  return { refundId, status: decideRefund(ctx, refund, { action, to: 'QUEUED', reason: note }) }
}

/** Why a refund may not be sent; null when it may. */
function conflictOf(refund: Refund, receipt: string | null): string | null {
  if (refund.receipt === null) return 'RECEIPT_MISSING'
  return receipt === null || receipt === refund.receipt ? null : 'OTHER_RECEIPT'
}

/**
 * A refund that awaits approval, or waits to be carried out, does not go to the provider: it is left to people, as one that
 * failed. What a worker was given may be paid already: the statement says so.
 */
export const rejectRefund = command({ input, output }, (ctx: PaymentsContext, { refundId, note }) => {
  const action = 'rejectRefund'
  const refund = findRefund(ctx, { action, refundId, from: ['AWAITING_APPROVAL', 'QUEUED'], to: 'FAILED_MANUAL' })
  if (isRejection(refund)) return refund
  return { refundId, status: decideRefund(ctx, refund, { action, to: 'FAILED_MANUAL', reason: note }) }
})

/** A refund that failed was paid by hand: `reference` is the provider's or the bank's number of that payment. */
export const settleRefundManually = command(
  { input: input.extend({ reference: receiptNumber.min(1) }), output },
  (ctx: PaymentsContext, { refundId, reference: providerRef, note }) => {
    const action = 'settleRefundManually'
    const asked = { action, refundId, from: ['FAILED_MANUAL'], to: 'SETTLED' } as const
    const refund = findRefund(ctx, asked)
    if (isRejection(refund)) return refund
    if (payoutOf(ctx, providerRef) !== null) {
      const rejection = ctx.reject('CONFLICT', { reason: 'REFERENCE_TAKEN', refundId })
      return refused(ctx, rejection, aboutRefund(refund, asked))
    }
    return { refundId, status: decideRefund(ctx, refund, { action, to: 'SETTLED', providerRef, reason: note }) }
  },
)

interface Asked {
  readonly action: string
  readonly refundId: string
  readonly from: readonly Refund['status'][]
  readonly to: Refund['status']
}

function findRefund(ctx: PaymentsContext, asked: Asked): Refund | Refusal {
  const { action, refundId, from, to } = asked
  const refund = ctx.state.refunds.get(refundId)
  const about = aboutRefund(refund, asked)
  if (refund === undefined) return refused(ctx, ctx.reject('NOT_FOUND', { refundId }), about)
  if (!isAdmin(ctx.principal)) return refused(ctx, ctx.reject('FORBIDDEN', { refundId }), about)
  if (from.includes(refund.status)) return refund
  const allowed: readonly string[] = REFUND_TRANSITIONS[refund.status]
  const details = { entity: 'refund', from: refund.status, to, event: action, allowed }
  return refused(ctx, ctx.reject('INVALID_STATE_TRANSITION', details), about)
}

function aboutRefund(refund: Refund | undefined, { action, refundId, to }: Asked): About {
  const from = refund?.status ?? null
  return { action, bookingId: refund?.bookingId ?? null, entity: 'refund', from, to, ref: refundId }
}
