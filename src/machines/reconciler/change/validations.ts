import type { Value } from '../../../machine/index.ts'
import type { ReconcilerContext } from '../facts/reconciler-schema.ts'
import type { validationRow } from '../facts/rows.ts'
import type { Parsed } from '../../../machine/define/schema.ts'
import { withAttempt, withRow, type Attempted } from './direction.ts'
import type { Exchange } from './exchange.ts'
import { arm } from './timing.ts'

/** What is said of an attempt that was shown. */

/** Keeps a word about an attempt: of the subject, or of a guesser who goes on without other words. Nobody is reminded then. */
export function validated(
  ctx: ReconcilerContext,
  direction: Attempted,
  { kind, feedback }: Pick<Parsed<typeof validationRow>, 'kind' | 'feedback'>,
): Attempted {
  const { sid, guesser, row } = direction
  const number = row.validations + 1
  const { revision } = row
  ctx.state.validations.set([sid, guesser, number], { by: ctx.principal, kind, feedback, revision, at: ctx.now })
  const said = withRow(withAttempt(direction, { remindAt: null }), { validations: number })
  arm(ctx, said)
  return said
}

/** Tells a guesser where the own direction stands now, after its step. */
export function tellStatus(exchange: Exchange, guesser: string, more: { readonly [field: string]: Value } = {}): void {
  const { attempt, row } = exchange.of(guesser)
  const body = { direction: 'mine', status: attempt?.status ?? null, statusSeq: row.statusSeq }
  exchange.tell(guesser, 'empathy.status_updated', { ...body, ...more })
}
