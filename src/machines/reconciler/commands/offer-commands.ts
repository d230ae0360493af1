import { z } from 'zod'
import { command } from '../../../machine/define/command.ts'
import type { Rejection } from '../../../machine/define/rejection.ts'
import { isRejection } from '../../../machine/define/rejection.ts'
import { nameOf } from '../../session/change/invite.ts'
import { placeOf, type Place } from '../change/access.ts'
import {
  hasAttempt,
  isOpen,
  offerOf,
  openOfferOf,
  withOffer,
  withRow,
  write,
  type Attempted,
} from '../change/direction.ts'
import { Exchange } from '../change/exchange.ts'
import { settle } from '../change/settle.ts'
import { step } from '../change/step.ts'
import { arm } from '../change/timing.ts'
import { id, instruction, sid } from '../facts/fields.ts'
import type { ReconcilerContext } from '../facts/reconciler-schema.ts'
import type { Offer } from '../facts/rows.ts'

/** What a subject does with the offer to share something that would help the guesser (domain.md §4.4). */

/** Looks at the offer. That it was seen is a fact, so looking is a command. */
export const viewOffer = command(
  {
    input: sid,
    output: z.object({
      offerId: id,
      content: z.string(),
      contentVersion: z.int(),
      reason: z.string(),
      guesserName: z.string(),
    }),
  },
  (ctx: ReconcilerContext, { sid: dialogue }) => {
    const place = placeOf(ctx, dialogue)
    if (isRejection(place)) return place
    const { partner } = place
    const exchange = exchangeAt(ctx, place)
    const direction = exchange.of(partner)
    const offer = openOfferOf(direction)
    // One of old data, in NEEDS_WORK, can be answered and not looked at.
    if (offer === null || direction.attempt?.status !== 'AWAITING_SHARING')
      return ctx.reject('NOT_FOUND', { sid: dialogue })
    if (offer.status === 'PENDING')
      write(ctx, withOffer(direction, { ...offer, status: 'OFFERED', offeredAt: ctx.now }))
    settle(exchange)
    const { id: offerId, content, contentVersion, reason } = offer
    return { offerId, content, contentVersion, reason, guesserName: nameOf(partner) }
  },
)

/** Has a worker word the offer anew. What comes back is shared by no more than another accept of that wording (C50). */
export const refineOffer = command(
  { input: sid.extend({ offerId: id, instruction }), output: z.object({ taskId: z.string() }) },
  (ctx: ReconcilerContext, { sid: dialogue, offerId, instruction: wish }) => {
    const place = placeOf(ctx, dialogue)
    if (isRejection(place)) return place
    const exchange = exchangeAt(ctx, place)
    const found = answerable(exchange, place, offerId)
    if (isRejection(found)) return found
    const { direction, offer } = found
    if (!isOpen(offer)) return ctx.reject('OFFER_NOT_PENDING', {})
    if (offer.refineTask !== null) return ctx.reject('CONFLICT', { reason: 'REFINE_OPEN' })
    const { guesser, subject } = direction
    const { content } = offer
    const payload = { sid: dialogue, guesser, subject, offerId, content, instruction: wish }
    const refineTask = ctx.task('share.refine', offerId, payload)
    write(ctx, withOffer(direction, { ...offer, refineTask }))
    settle(exchange)
    return { taskId: refineTask }
  },
)

const answered = z.object({
  status: z.enum(['shared', 'declined']),
  sharedContent: z.string().nullable(),
  duplicate: z.literal(true).optional(),
})

/**
 * Shares what is offered, or does not (T5, T6). Accepting names the wording that was read: `contentVersion`, without it the
 * first. The guesser hears nothing of a refusal.
 */
export const respondOffer = command(
  {
    input: sid.extend({
      offerId: id,
      action: z.enum(['accept', 'decline']),
      contentVersion: z.int().min(1).default(1),
    }),
    output: answered,
  },
  (ctx: ReconcilerContext, { sid: dialogue, offerId, action, contentVersion }) => {
    const place = placeOf(ctx, dialogue)
    if (isRejection(place)) return place
    const exchange = exchangeAt(ctx, place)
    const found = answerable(exchange, place, offerId)
    if (isRejection(found)) return found
    const { direction, offer } = found
    const done = action === 'accept' ? 'ACCEPTED' : 'DECLINED'
    if (offer.status === done) return { ...answerOf(offer), duplicate: true as const }
    if (!isOpen(offer)) return ctx.reject('OFFER_NOT_PENDING', {})
    if (action === 'accept' && contentVersion !== offer.contentVersion) {
      return ctx.reject('STALE_STATE', { expected: contentVersion, actual: offer.contentVersion })
    }
    if (offer.refineTask !== null) ctx.cancelTask(offer.refineTask)
    const closed = { ...offer, refineTask: null, respondedAt: ctx.now }
    const response = action === 'accept' ? accept(exchange, direction, closed) : decline(exchange, direction, closed)
    settle(exchange)
    return answerOf(response)
  },
)

const answerOf = ({ status, sharedContent }: Offer): z.output<typeof answered> => ({
  status: status === 'ACCEPTED' ? 'shared' : 'declined',
  sharedContent,
})

/** T5: the guesser reads it, and goes on from there. */
function accept(exchange: Exchange, direction: Attempted, offer: Offer): Offer {
  const { ctx } = exchange
  const { guesser, subject } = direction
  const { id: offerId, content } = offer
  exchange.say(guesser, 'CONTEXT_INTRO')
  const words = { senderId: subject, role: 'SHARED_CONTEXT' as const, text: content }
  const messageSeq = exchange.post({ forUser: guesser, ...words })
  exchange.say(guesser, 'CONTEXT_REFLECTION')
  exchange.post({ forUser: subject, ...words })
  exchange.say(subject, 'SHARE_ACK')
  const accepted = { ...offer, status: 'ACCEPTED' as const, sharedContent: content }
  const share = { offerId, at: ctx.now, messageSeq, delivery: 'DELIVERED' as const, seenAt: null }
  const shared = withRow(withOffer(direction, accepted), { shareHistory: [share] })
  arm(ctx, step(exchange, shared, 'CONTEXT_SHARED', { cause: { trigger: 'accept' } }))
  exchange.tell(guesser, 'empathy.refining', { offerId, messageSeq, triggeredBy: subject })
  return accepted
}

/** T6: nobody hears of it. */
function decline(exchange: Exchange, direction: Attempted, offer: Offer): Offer {
  const declined = { ...offer, status: 'DECLINED' as const }
  const cause = { trigger: 'decline' as const }
  arm(exchange.ctx, step(exchange, withOffer(direction, declined), 'DECLINE_SHARING', { cause }))
  return declined
}

const exchangeAt = (ctx: ReconcilerContext, { sid: dialogue, user, partner }: Place): Exchange =>
  new Exchange(ctx, dialogue, [user, partner])

/**
 * The offer of the partner's direction, whatever its status. A wrong id is NOT_FOUND, also the one of an offer about the
 * issuer's own guess; where none was made there is nothing to answer.
 */
function answerable(
  exchange: Exchange,
  { sid: dialogue, user, partner }: Place,
  offerId: string,
): { readonly direction: Attempted; readonly offer: Offer } | Rejection<'NOT_FOUND' | 'OFFER_NOT_PENDING'> {
  const { ctx } = exchange
  const direction = exchange.of(partner)
  if (!hasAttempt(direction)) return ctx.reject('NOT_FOUND', { sid: dialogue })
  const offer = offerOf(direction)
  const others = offer === null ? offerOf(exchange.of(user)) : offer
  const named = offer === null ? others?.id !== offerId : offer.id === offerId
  if (!named) return ctx.reject('NOT_FOUND', { offerId })
  return offer === null ? ctx.reject('OFFER_NOT_PENDING', {}) : { direction, offer }
}
