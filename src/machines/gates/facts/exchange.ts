import type { TableViews } from '../../../machine/define/context.ts'
import { tablesOf } from '../../../machine/define/tables-of.ts'
import { reconcilerSchema } from '../../reconciler/facts/reconciler-schema.ts'

/**
 * All that gates reads of the empathy exchange, the machine reconciler (domain.md §4): its attempts. Where that machine is not
 * mounted the table is empty, nobody has an attempt, and nobody leaves stage 2.
 */
export const exchangeTables = tablesOf('reconciler', reconcilerSchema)
/** Its tables, to be read. */
export type ExchangeView = Pick<TableViews<typeof reconcilerSchema>, 'attempts'>

/** Where one person stands with the guess about the other. */
export interface ExchangeFacts {
  /** There is one; false before, and after it was taken back unseen. */
  readonly attempted: boolean
  /** The same, and its consent is active. */
  readonly shared: boolean
  /** The partner found it right, or the guesser accepted the difference. */
  readonly validated: boolean
  /** It is to be written anew. */
  readonly refining: boolean
}

/** The exchange of one guesser. */
export function exchangeOf(view: ExchangeView, sid: string, guesser: string): ExchangeFacts {
  const attempt = view.attempts.get([sid, guesser])
  const status = attempt?.status ?? null
  return {
    attempted: attempt !== undefined,
    shared: attempt !== undefined && !attempt.hidden,
    validated: status === 'VALIDATED',
    refining: status === 'REFINING' || status === 'NEEDS_WORK',
  }
}

/** The partner's attempt was shown, can be read, and waits for this person's word. */
export function awaitsVerdict(view: ExchangeView, sid: string, partner: string): boolean {
  const attempt = view.attempts.get([sid, partner])
  return attempt?.status === 'REVEALED' && !attempt.hidden
}

/** The subject has been shown the guesser's attempt: before that nobody else reads it, whatever was consented. */
export function wasRevealed(view: ExchangeView, sid: string, guesser: string): boolean {
  return (view.attempts.get([sid, guesser])?.revealedContent ?? null) !== null
}
