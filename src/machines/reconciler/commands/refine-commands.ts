import { z } from 'zod'
import { command } from '../../../machine/define/command.ts'
import type { Rejection } from '../../../machine/define/rejection.ts'
import { isRejection } from '../../../machine/define/rejection.ts'
import { placeOf, type Place } from '../change/access.ts'
import { analyze } from '../change/analyze.ts'
import { closeOffer } from '../change/close-offer.ts'
import { hasAttempt, withRow, type Attempted } from '../change/direction.ts'
import { Exchange } from '../change/exchange.ts'
import { supersedeResults } from '../change/results.ts'
import { settle } from '../change/settle.ts'
import { step } from '../change/step.ts'
import { arm } from '../change/timing.ts'
import { tellStatus, validated } from '../change/validations.ts'
import { reason, sid, statement } from '../facts/fields.ts'
import type { ReconcilerContext } from '../facts/reconciler-schema.ts'
import { EMPATHY_STATUSES, EMPATHY_TRANSITIONS, type EmpathyEvent } from '../facts/states.ts'
import { RESUBMITS_MAX } from '../rules/breaker.ts'
import { normalizeStatement } from '../rules/statement.ts'

/** How a guesser goes on from REFINING (domain.md §4.4). */

const status = z.enum(EMPATHY_STATUSES)

/** Shares the attempt in other words (T8). Three times they are analysed, from then on they go on as they are. */
export const resubmit = command(
  {
    input: sid.extend({ content: statement }),
    output: z.object({ status, revision: z.int(), resubmitsLeft: z.int() }),
  },
  (ctx: ReconcilerContext, { sid: dialogue, content }) => {
    const place = placeOf(ctx, dialogue)
    if (isRejection(place)) return place
    const exchange = new Exchange(ctx, dialogue, [place.user, place.partner])
    const found = refinable(exchange, place, 'RESUBMIT')
    if (isRejection(found)) return found
    if (normalizeStatement(content) === normalizeStatement(found.attempt.content)) {
      return ctx.reject('IDENTICAL_RESUBMISSION', {})
    }
    const direction = goingOn(exchange, found)
    const { guesser, row } = direction
    supersedeResults(ctx, direction)
    exchange.post({ forUser: guesser, senderId: guesser, role: 'EMPATHY_STATEMENT', text: content })
    const counts = { revision: row.revision + 1, resubmits: row.resubmits + 1 }
    analyze(exchange, direction, 'RESUBMIT', { cause: { trigger: 'resubmit' }, attempt: { content }, row: counts })
    settle(exchange)
    const { attempt } = exchange.of(guesser)
    return {
      status: attempt?.status ?? direction.attempt.status,
      revision: counts.revision,
      resubmitsLeft: Math.max(0, RESUBMITS_MAX - counts.resubmits),
    }
  },
)

/**
 * Goes on without other words: before anything was shown to READY (X1), after it to VALIDATED, as a difference that is accepted
 * or not (X2). Whoever does not accept it says why, and is the only one who reads that.
 */
export const skipRefinement = command(
  { input: sid.extend({ willingToAccept: z.boolean(), reason: reason.optional() }), output: z.object({ status }) },
  (ctx: ReconcilerContext, { sid: dialogue, willingToAccept, reason: why }) => {
    const place = placeOf(ctx, dialogue)
    if (isRejection(place)) return place
    const exchange = new Exchange(ctx, dialogue, [place.user, place.partner])
    const shown = exchange.of(place.user).attempt?.revealedContent ?? null
    const event = shown === null ? 'SKIP_PRE' : 'SKIP_POST'
    const found = refinable(exchange, place, event)
    if (isRejection(found)) return found
    if (!willingToAccept && why === undefined) return ctx.reject('VALIDATION_ERROR', { reason: 'REASON_REQUIRED' })
    const direction = withRow(goingOn(exchange, found), { skipReason: why ?? null })
    const cause = { trigger: 'skip' as const }
    const { guesser } = direction
    if (shown === null) step(exchange, direction, event, { cause })
    else {
      const kind = willingToAccept ? ('ACCEPTED_DIFFERENCE' as const) : ('DISAGREED' as const)
      step(exchange, validated(ctx, direction, { kind, feedback: null }), event, { cause })
      tellStatus(exchange, guesser, { triggeredBy: guesser })
    }
    settle(exchange)
    return { status: exchange.of(guesser).attempt?.status ?? direction.attempt.status }
  },
)

/** Of old data an offer may be open while the guesser goes on: nobody answers it any more. */
function goingOn({ ctx }: Exchange, found: Attempted): Attempted {
  const direction = closeOffer(ctx, found)
  arm(ctx, direction)
  return direction
}

/** The own direction, where its status takes that step. */
function refinable(
  exchange: Exchange,
  { sid: dialogue, user }: Place,
  event: EmpathyEvent,
): Attempted | Rejection<'NOT_FOUND' | 'INVALID_STATE_TRANSITION'> {
  const { ctx } = exchange
  const direction = exchange.of(user)
  if (!hasAttempt(direction)) return ctx.reject('NOT_FOUND', { sid: dialogue })
  const next = EMPATHY_TRANSITIONS.next(direction.attempt.status, event)
  return next.ok ? direction : ctx.reject('INVALID_STATE_TRANSITION', { ...next.error })
}
