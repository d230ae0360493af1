import { z } from 'zod'
import { query } from '../../../machine/define/command.ts'
import { PAGE_MAX, PROVIDER_CURRENCY } from '../facts/payment-bounds.ts'
import { id, millis, minor } from '../facts/fields.ts'
import type { PaymentsQueryContext, PaymentsView } from '../facts/payments-schema.ts'
import { CALLBACK_RESULTS, REFUND_STATUSES } from '../facts/rows.ts'
import { administratorsOnly } from './money-queries.ts'

/** What a provider's statement is compared with: every money that came, and every one that goes back (domain.md §3.9). */

const page = z.object({
  /** The last key of the page before; empty for the first page. */
  after: z.string().max(1024).default(''),
  limit: z.int().min(1).max(PAGE_MAX).default(PAGE_MAX),
})

/** Every money that a provider told of, each once, in order of transaction. */
export const receipts = query(
  {
    input: page,
    output: z.object({
      receipts: z.array(
        z.object({
          transactionId: z.string(),
          /** Null until a repeat brings one. */
          receipt: z.string().nullable(),
          amountMinor: minor,
          currency: z.string(),
          bookingId: z.string().nullable(),
          result: z.enum(CALLBACK_RESULTS),
          at: millis,
        }),
      ),
      next: z.string().nullable(),
    }),
  },
  (view: PaymentsView, input, context: PaymentsQueryContext) => {
    const refusal = administratorsOnly(context)
    if (refusal !== null) return refusal
    const { rows, next } = pageOf(view.callbacks, input)
    const money = rows.flatMap(([transactionId, { outcome, receipt, amountMinor, bookingId, result, at }]) => {
      // A receipt told twice is one money, and its second record none; what nobody can have paid is none either.
      const none = outcome === 'failure' || result === 'SAME_RECEIPT' || result === 'AMOUNT_ABSURD'
      if (none || amountMinor === null || amountMinor === 0) return []
      return [{ transactionId, receipt, amountMinor, currency: PROVIDER_CURRENCY, bookingId, result, at }]
    })
    return { receipts: money, next }
  },
)

/** Every refund that was decided and is not nothing, in order of its id as text. */
export const refunds = query(
  {
    input: page,
    output: z.object({
      refunds: z.array(
        z.object({
          id,
          bookingId: z.string().nullable(),
          transactionId: z.string().nullable(),
          receipt: z.string().nullable(),
          /** The provider's number of the refund; null until it was paid. */
          providerRef: z.string().nullable(),
          amountMinor: minor,
          status: z.enum(REFUND_STATUSES),
          at: millis,
        }),
      ),
      next: z.string().nullable(),
    }),
  },
  (view: PaymentsView, input, context: PaymentsQueryContext) => {
    const refusal = administratorsOnly(context)
    if (refusal !== null) return refusal
    const { rows, next } = pageOf(view.refunds, input)
    const due = rows.flatMap(([, { id, bookingId, transactionId, receipt, providerRef, amountMinor, status, at }]) =>
      status === 'NOT_DUE' ? [] : [{ id, bookingId, transactionId, receipt, providerRef, amountMinor, status, at }],
    )
    return { refunds: due, next }
  },
)

/** At most `limit` rows behind `after`. A page may have fewer that count; the last one has no `next`. */
function pageOf<Row>(
  table: { range(options: { from: string; limit: number }): readonly (readonly [string, Row])[] },
  { after, limit }: z.output<typeof page>,
): { rows: readonly (readonly [string, Row])[]; next: string | null } {
  // The row that ended the page before is there again: one more is read.
  const found = table.range({ from: after, limit: limit + 1 }).filter(([key]) => key !== after)
  const rows = found.slice(0, limit)
  return { rows, next: rows.length < limit ? null : (rows.at(-1)?.[0] ?? null) }
}
