import type { PaymentsContext } from '../facts/payments-schema.ts'
import type { REVIEW_KINDS } from '../facts/rows.ts'

/** Why a person must look at a transaction. */
export type ReviewKind = (typeof REVIEW_KINDS)[number]

/** What a person must look at; `transactionId` names the record that tells it. */
export interface Review {
  readonly transactionId: string
  readonly bookingId: string | null
  readonly amountMinor: number
  readonly receipt: string | null
}

/** Leaves a task for a person, once per kind and transaction, and calls the administrators unless it may mend itself. */
export function openReview(ctx: PaymentsContext, kind: ReviewKind, review: Review): void {
  const { transactionId, bookingId, amountMinor, receipt } = review
  if (ctx.state.reviews.has([kind, transactionId])) return
  ctx.state.reviews.set([kind, transactionId], { bookingId, amountMinor, receipt, at: ctx.now })
  if (kind !== 'RECEIPT_MISSING') ctx.alert(kind, { transactionId, bookingId, amountMinor, receipt })
}
