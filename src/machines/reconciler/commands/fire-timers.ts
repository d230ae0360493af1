import { closeOffer } from '../change/close-offer.ts'
import { hasAttempt, openOfferOf, withAttempt, write } from '../change/direction.ts'
import { exchangeOf } from '../change/exchange.ts'
import { settle } from '../change/settle.ts'
import { step } from '../change/step.ts'
import type { ReconcilerContext } from '../facts/reconciler-schema.ts'

/** What timers do (domain.md §4.9). Each is disarmed when what it waits for is gone: what fires finds what armed it. */

type Fire = (ctx: ReconcilerContext, payload: { readonly sid: string; readonly guesser: string }) => void

/** T7: nobody answered. The guesser is not told: it looks like an analysis that came late. */
export const offerExpiry: Fire = (ctx, { sid, guesser }) => {
  const exchange = exchangeOf(ctx, sid)
  const direction = exchange?.of(guesser)
  if (exchange === null || direction === undefined || !hasAttempt(direction) || openOfferOf(direction) === null) return
  const expired = closeOffer(ctx, direction)
  const cause = { trigger: 'offer-expiry' as const, timer: 'offer-expiry' }
  // Of old data, NEEDS_WORK goes as the three required events take it.
  step(exchange, expired, direction.attempt.status === 'NEEDS_WORK' ? 'MARK_READY' : 'OFFER_EXPIRED', { cause })
  settle(exchange)
}

/** Once per time that it was shown: the subject has not said anything yet. */
export const validationReminder: Fire = (ctx, { sid, guesser }) => {
  const exchange = exchangeOf(ctx, sid)
  const direction = exchange?.of(guesser)
  if (exchange === null || direction === undefined || !hasAttempt(direction)) return
  write(ctx, withAttempt(direction, { remindAt: null }))
  exchange.tell(direction.subject, 'empathy.validation_reminder')
  settle(exchange)
}
