import { z } from 'zod'
import { query } from '../../../machine/define/command.ts'
import { isAdmin } from '../change/access.ts'
import { PAGE_MAX, PROVIDER_CURRENCY } from '../facts/payment-bounds.ts'
import type { PaymentsQueryContext, PaymentsView, Refusal } from '../facts/payments-schema.ts'
import { REVIEW_KINDS, reviewRow, suspenseRow } from '../facts/rows.ts'

/** What administrators ask of money that waits for a person (domain.md §3.9). */

/** Money of pushes that nobody started, in order of transaction; `after` is the last one of the page before. */
export const suspense = query(
  {
    input: z.object({
      after: z.string().max(1024).default(''),
      limit: z.int().min(1).max(PAGE_MAX).default(PAGE_MAX),
    }),
    output: z.object({
      money: z.array(suspenseRow.extend({ transactionId: z.string(), currency: z.string() })),
      next: z.string().nullable(),
    }),
  },
  (view: PaymentsView, input, context: PaymentsQueryContext) => {
    const refusal = administratorsOnly(context)
    if (refusal !== null) return refusal
    // The one that ended the page before may be there again: one more is read.
    const rows = view.suspense
      .range({ from: input.after, limit: input.limit + 1 })
      .filter(([transactionId]) => transactionId !== input.after)
      .slice(0, input.limit)
    const money = rows.map(([transactionId, row]) => ({ transactionId, currency: PROVIDER_CURRENCY, ...row }))
    return { money, next: rows.length < input.limit ? null : (rows.at(-1)?.[0] ?? null) }
  },
)

const reviewKey = z.object({ kind: z.enum(REVIEW_KINDS), transactionId: z.string().max(1024) })

/**
 * Transactions that a person must look at, in order of kind and transaction; `closeReview` takes one out. `after` is the last
 * one of the page before.
 */
export const reviews = query(
  {
    input: z.object({
      after: reviewKey.nullable().default(null),
      limit: z.int().min(1).max(PAGE_MAX).default(PAGE_MAX),
    }),
    output: z.object({ reviews: z.array(reviewRow.extend(reviewKey.shape)), next: reviewKey.nullable() }),
  },
  (view: PaymentsView, { after, limit }, context: PaymentsQueryContext) => {
    const refusal = administratorsOnly(context)
    if (refusal !== null) return refusal
    const from = after === null ? {} : { from: [after.kind, after.transactionId] as const }
    const rows = view.reviews
      .range({ ...from, limit: limit + 1 })
      .filter(([[kind, transactionId]]) => kind !== after?.kind || transactionId !== after.transactionId)
      .slice(0, limit)
      .map(([[kind, transactionId], row]) => ({ kind, transactionId, ...row }))
    const last = rows.at(-1)
    const more = rows.length === limit && last !== undefined
    return { reviews: rows, next: more ? { kind: last.kind, transactionId: last.transactionId } : null }
  },
)

/** Why this asker is refused; null for an administrator. */
export function administratorsOnly(context: PaymentsQueryContext): Refusal | null {
  const asker = context.session?.principal
  if (asker === undefined) return context.reject('UNAUTHENTICATED')
  return isAdmin(asker) ? null : context.reject('FORBIDDEN')
}
