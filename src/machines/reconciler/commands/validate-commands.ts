import { z } from 'zod'
import { command } from '../../../machine/define/command.ts'
import type { Rejection } from '../../../machine/define/rejection.ts'
import { isRejection } from '../../../machine/define/rejection.ts'
import { placeAt, placeOf, type Place } from '../change/access.ts'
import { hasAttempt, withAttempt, withRow, write, type Attempted } from '../change/direction.ts'
import { Exchange } from '../change/exchange.ts'
import { settle } from '../change/settle.ts'
import { step } from '../change/step.ts'
import { tellStatus, validated } from '../change/validations.ts'
import { feedback, sid } from '../facts/fields.ts'
import type { ReconcilerContext } from '../facts/reconciler-schema.ts'
import { EMPATHY_TRANSITIONS } from '../facts/states.ts'

/** What a subject says of an attempt that was shown (domain.md §4.4). */

const output = z.object({
  validated: z.boolean(),
  /** The guesser is asked for other words. */
  awaitingRevision: z.boolean(),
  /** The partner found the issuer's own attempt right, or the difference is accepted. */
  partnerValidated: z.boolean(),
  duplicate: z.literal(true).optional(),
})

/**
 * Finds the partner's attempt right (T10), or says what is not (T11). At stages 2 to 4: a subject who has gone on must still be
 * able to release the guesser (C55).
 */
export const validate = command(
  { input: sid.extend({ validated: z.boolean(), feedback: feedback.optional() }), output },
  (ctx: ReconcilerContext, { sid: dialogue, validated: right, feedback: words }) => {
    const place = placeAt(ctx, dialogue, [2, 3, 4])
    if (isRejection(place)) return place
    const exchange = new Exchange(ctx, dialogue, [place.user, place.partner])
    const direction = shownOf(exchange, place)
    if (isRejection(direction)) return direction
    const { status } = direction.attempt
    if (status === 'VALIDATED' && right) return { ...answerOf(exchange, place, true), duplicate: true as const }
    const event = right ? 'VALIDATE' : 'VALIDATION_FEEDBACK_SENT'
    const next = EMPATHY_TRANSITIONS.next(status, event)
    if (!next.ok && status === 'VALIDATED') return ctx.reject('INVALID_STATE_TRANSITION', { ...next.error })
    // Whatever the guesser does meanwhile is the guesser's: of all of it the subject learns that a revision is awaited.
    if (!next.ok) return ctx.reject('AWAITING_REVISION', {})
    if (right) accurate(exchange, direction)
    else if (words === undefined) return ctx.reject('VALIDATION_ERROR', { reason: 'FEEDBACK_REQUIRED' })
    else sendBack(exchange, direction, words)
    settle(exchange)
    return answerOf(exchange, place, right)
  },
)

function answerOf(exchange: Exchange, { user }: Place, right: boolean): z.output<typeof output> {
  const partnerValidated = exchange.of(user).attempt?.status === 'VALIDATED'
  return { validated: right, awaitingRevision: !right, partnerValidated }
}

/** T10. */
function accurate(exchange: Exchange, direction: Attempted): void {
  const { ctx } = exchange
  const { guesser, subject } = direction
  const said = validated(ctx, direction, { kind: 'ACCURATE', feedback: null })
  const seen = { delivery: 'SEEN' as const, seenAt: direction.attempt.seenAt ?? ctx.now }
  step(exchange, said, 'VALIDATE', { cause: { trigger: 'validate' }, attempt: seen })
  tellStatus(exchange, guesser, { triggeredBy: subject })
  exchange.tell(guesser, 'partner.stage_completed', { stage: 2, validated: true })
}

/** T11: what is not right yet, in the subject's words. */
function sendBack(exchange: Exchange, direction: Attempted, words: string): void {
  const { guesser, subject } = direction
  const said = validated(exchange.ctx, direction, { kind: 'FEEDBACK', feedback: words })
  step(exchange, said, 'VALIDATION_FEEDBACK_SENT', { cause: { trigger: 'validate' } })
  exchange.say(guesser, 'VALIDATION_FRAMING')
  exchange.post({ forUser: guesser, senderId: subject, role: 'VALIDATION_FEEDBACK', text: words })
  tellStatus(exchange, guesser, { feedback: words, triggeredBy: subject })
}

/** Says that what was shown was looked at: the partner's attempt, and what the partner shared to help. */
export const markSeen = command(
  { input: sid, output: z.object({ seen: z.literal(true), duplicate: z.literal(true).optional() }) },
  (ctx: ReconcilerContext, { sid: dialogue }) => {
    const place = placeOf(ctx, dialogue)
    if (isRejection(place)) return place
    const exchange = new Exchange(ctx, dialogue, [place.user, place.partner])
    const [share] = exchange.of(place.user).row.shareHistory
    const direction = shownOf(exchange, place)
    // A guesser with something shared to look at has looked at that, whether or not there is an attempt to look at as well.
    if (isRejection(direction) && share === undefined) return direction
    const shareSeen = share?.delivery === 'DELIVERED' && seeShare(exchange, place)
    const attemptSeen =
      !isRejection(direction) && direction.attempt.delivery === 'DELIVERED' && see(exchange, direction)
    settle(exchange)
    return shareSeen || attemptSeen ? { seen: true as const } : { seen: true as const, duplicate: true as const }
  },
)

function seeShare(exchange: Exchange, { user }: Place): true {
  const { ctx } = exchange
  const direction = exchange.of(user)
  const seen = direction.row.shareHistory.map((share) => ({ ...share, delivery: 'SEEN' as const, seenAt: ctx.now }))
  write(ctx, withRow(direction, { shareHistory: seen }))
  return true
}

function see(exchange: Exchange, direction: Attempted): true {
  const { ctx } = exchange
  write(ctx, withAttempt(direction, { delivery: 'SEEN', seenAt: ctx.now }))
  tellStatus(exchange, direction.guesser, { triggeredBy: direction.subject })
  return true
}

/** The partner's attempt, where the issuer may read it. */
function shownOf(
  exchange: Exchange,
  { sid: dialogue, partner }: Place,
): Attempted | Rejection<'NOT_FOUND' | 'CONSENT_REQUIRED' | 'NOT_REVEALED'> {
  const { ctx } = exchange
  const direction = exchange.of(partner)
  if (!hasAttempt(direction)) return ctx.reject('NOT_FOUND', { sid: dialogue })
  if (direction.attempt.hidden) return ctx.reject('CONSENT_REQUIRED', {})
  return direction.attempt.revealedContent === null ? ctx.reject('NOT_REVEALED', {}) : direction
}
