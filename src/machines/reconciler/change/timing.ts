import { sessionTables } from '../../gates/facts/dialogues.ts'
import type { ReconcilerContext } from '../facts/reconciler-schema.ts'
import { hasAttempt, openOfferOf, type Direction, withAttempt, withOffer, write } from './direction.ts'

/** Timers of a direction (domain.md §4.9). None is armed while the dialogue is paused: they stand still. */

const keyOf = ({ sid, guesser }: Direction): string => `${sid} ${guesser}`

/** Arms what a direction waits for, as far as the dialogue is active, and disarms the rest. */
export function arm(ctx: ReconcilerContext, direction: Direction): void {
  const active = ctx.read(sessionTables).dialogues.get(direction.sid)?.status === 'ACTIVE'
  const { sid, guesser } = direction
  const due = {
    'offer-expiry': openOfferOf(direction)?.expiresAt ?? null,
    'validation-reminder': direction.attempt?.remindAt ?? null,
  } as const
  for (const kind of ['offer-expiry', 'validation-reminder'] as const) {
    const dueAt = active ? due[kind] : null
    if (dueAt === null) ctx.cancel(kind, keyOf(direction))
    else ctx.schedule(kind, dueAt, { sid, guesser }, keyOf(direction))
  }
}

/**
 * A pause of that length is over: what was armed before it moves by all of it, what came up during it by the rest of it that
 * followed.
 */
export function thaw(ctx: ReconcilerContext, direction: Direction, pausedFor: number): void {
  const { now } = ctx
  const moved = (at: number, since: number): number => at + Math.min(pausedFor, now - since)
  const offer = openOfferOf(direction)
  let thawed = direction
  if (offer !== null) thawed = withOffer(thawed, { ...offer, expiresAt: moved(offer.expiresAt, offer.createdAt) })
  if (hasAttempt(thawed) && thawed.attempt.remindAt !== null) {
    const { remindAt, lastRevealedAt } = thawed.attempt
    thawed = withAttempt(thawed, { remindAt: moved(remindAt, lastRevealedAt ?? now) })
  }
  arm(ctx, write(ctx, thawed))
}
