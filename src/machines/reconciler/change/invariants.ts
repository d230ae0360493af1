import { InvariantError } from '../../../session/run/engine-error.ts'
import { sessionTables } from '../../gates/facts/dialogues.ts'
import { isClosed } from '../../session/facts/states.ts'
import type { ReconcilerContext } from '../facts/reconciler-schema.ts'
import { exchangeRowOf, openOfferOf, type Direction } from './direction.ts'

/**
 * R-I2, R-I3, R-I5 and R-I6 of domain.md §4.1 for one direction. R-I1, R-I4 and R-I7 are kept by the tables: a status is a
 * field of the attempt, a direction has room for one offer, and `supersedeResults` comes before each further result. What waits
 * for a worker or an answer waits in an open dialogue only: of a closed one tasks and offers are gone, and its statuses stay.
 */
export function assertDirection(ctx: ReconcilerContext, direction: Direction): void {
  const { sid, guesser, row, attempt } = direction
  const broken = (what: string): never => {
    throw new InvariantError(`the direction of ${guesser} in ${sid} is ${attempt?.status ?? 'empty'} ${what}`)
  }
  const dialogue = ctx.read(sessionTables).dialogues.get(sid)
  const open = dialogue !== undefined && !isClosed(dialogue.status)
  const status = attempt?.status ?? null
  if (open && (status === 'ANALYZING') !== ((attempt?.taskId ?? null) !== null)) broken('beside its task')
  if (open && status === 'AWAITING_SHARING' && openOfferOf(direction) === null) broken('without an offer')
  const offering = status === 'AWAITING_SHARING' || status === 'NEEDS_WORK'
  if (openOfferOf(direction) !== null && !offering) broken('with an open offer')
  if (row.resubmits > row.revision) broken('with more resubmissions than revisions')
  if (attempt === null || (status !== 'REVEALED' && status !== 'VALIDATED')) return
  if (attempt.revealedContent === null || exchangeRowOf(ctx.state, sid).firstRevealAt === null)
    broken('and never shown')
}
