import { z } from 'zod'
import type { TableViews } from '../../../machine/define/context.ts'
import { table } from '../../../machine/define/schema.ts'
import { tablesOf } from '../../../machine/define/tables-of.ts'

/**
 * All that gates reads of the empathy exchange, the machine `reconciler` (domain.md §4). That machine is planned: while it is
 * not mounted the table is empty, nobody has an attempt, and nobody leaves stage 2.
 */
const exchangeSchema = {
  version: 1,
  state: {
    /** [dialogue, guesser]: there is a row while the guesser has an attempt. */
    attempts: table(
      z.tuple([z.string(), z.string()]),
      z.object({
        status: z.enum(['HELD', 'ANALYZING', 'AWAITING_SHARING', 'REFINING', 'READY', 'REVEALED', 'VALIDATED']),
        /** The subject has been shown the attempt, whatever became of it then. */
        revealed: z.boolean(),
      }),
    ),
  },
} as const

/** Reads it: `ctx.read(exchangeTables)`. */
export const exchangeTables = tablesOf('reconciler', exchangeSchema)
/** Its tables, to be read. */
export type ExchangeView = TableViews<typeof exchangeSchema>

/** Where one person stands with the guess about the other. */
export interface ExchangeFacts {
  /** The attempt is shared; false before, and after it was taken back. */
  readonly shared: boolean
  /** The partner found it right, or the guesser accepted the difference. */
  readonly validated: boolean
  /** It is to be written anew. */
  readonly refining: boolean
}

/** The exchange of one guesser. */
export function exchangeOf(view: ExchangeView, sid: string, guesser: string): ExchangeFacts {
  const status = view.attempts.get([sid, guesser])?.status ?? null
  return { shared: status !== null, validated: status === 'VALIDATED', refining: status === 'REFINING' }
}

/** The partner's attempt was shown and waits for this person's word. */
export function awaitsVerdict(view: ExchangeView, sid: string, partner: string): boolean {
  return view.attempts.get([sid, partner])?.status === 'REVEALED'
}

/** The subject has been shown the guesser's attempt: before that nobody else reads it, whatever was consented. */
export function wasRevealed(view: ExchangeView, sid: string, guesser: string): boolean {
  return view.attempts.get([sid, guesser])?.revealed === true
}
