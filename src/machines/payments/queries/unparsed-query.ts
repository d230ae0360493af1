import { z } from 'zod'
import { query } from '../../../machine/define/command.ts'
import { PAGE_MAX } from '../facts/payment-bounds.ts'
import type { PaymentsQueryContext, PaymentsView } from '../facts/payments-schema.ts'
import { UNPARSED_RING, unparsedRow } from '../facts/unparsed.ts'
import { administratorsOnly } from './money-queries.ts'

/**
 * Bodies of the provider that could not be read, for administrators, the newest first; `before` is the last one of the page
 * before.
 */
export const unparsed = query(
  {
    input: z.object({
      before: z.int().min(1).default(Number.MAX_SAFE_INTEGER),
      limit: z.int().min(1).max(PAGE_MAX).default(PAGE_MAX),
    }),
    output: z.object({ bodies: z.array(unparsedRow.extend({ seq: z.int() })), next: z.int().nullable() }),
  },
  (view: PaymentsView, { before, limit }, context: PaymentsQueryContext) => {
    const refusal = administratorsOnly(context)
    if (refusal !== null) return refusal
    const rows = view.unparsed.range({ limit: UNPARSED_RING, reverse: true }).filter(([seq]) => seq < before)
    const bodies = rows.slice(0, limit).map(([seq, row]) => ({ seq, ...row }))
    return { bodies, next: rows.length > limit ? (bodies.at(-1)?.seq ?? null) : null }
  },
)
