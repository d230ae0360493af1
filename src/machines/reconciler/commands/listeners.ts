import { on } from '../../../machine/define/events.ts'
import { attemptConsent } from '../../gates/change/consents.ts'
import { gatesEvents } from '../../gates/facts/gates-events.ts'
import { gatesTables } from '../../gates/facts/gates-schema.ts'
import { sessionEvents } from '../../session/facts/session-events.ts'
import { analyze } from '../change/analyze.ts'
import { closeOffer } from '../change/close-offer.ts'
import { hasAttempt, withAttempt, write, type Direction } from '../change/direction.ts'
import { exchangeOf } from '../change/exchange.ts'
import { supersedeResults } from '../change/results.ts'
import { settle } from '../change/settle.ts'
import { withdraw } from '../change/step.ts'
import { arm, thaw } from '../change/timing.ts'
import type { ReconcilerContext } from '../facts/reconciler-schema.ts'

/** What the machine does about domain events (domain.md §0.9). */

/** The directions of a dialogue in which something was shared: one of which nothing ever was has no rows, and gets none. */
const begunDirections = (ctx: ReconcilerContext, sid: string): readonly Direction[] =>
  exchangeOf(ctx, sid)
    ?.both()
    .filter(({ row }) => row.attempts > 0) ?? []

/** T2: a guess about somebody who feels heard now is held no longer. */
export const onFeelHeard = on(gatesEvents, 'FeelHeardConfirmed', (ctx: ReconcilerContext, { sid, user }) => {
  const exchange = exchangeOf(ctx, sid)
  const held = exchange?.both().find(({ subject }) => subject === user)
  if (exchange === null || held === undefined || !hasAttempt(held) || held.attempt.status !== 'HELD') return
  analyze(exchange, held, 'START_ANALYSIS', { cause: { trigger: 'feel-heard' } })
  settle(exchange)
})

/** X3: an attempt that was never shown is gone; one that was is hidden, and stands where it stood. */
export const onConsentRevoked = on(gatesEvents, 'EmpathyConsentRevoked', (ctx: ReconcilerContext, { sid, guesser }) => {
  const exchange = exchangeOf(ctx, sid)
  const direction = exchange?.of(guesser)
  if (exchange === null || direction === undefined || !hasAttempt(direction)) return
  const { id: attemptId, revealedContent, taskId } = direction.attempt
  // A facilitator may have had another wording of it consented: taking that back is not taking the attempt back.
  if (attemptConsent(ctx.read(gatesTables), sid, { guesser, attemptId }) !== null) return
  if (revealedContent !== null) {
    // What cannot be read cannot be judged, so nobody is reminded of it.
    arm(ctx, write(ctx, withAttempt(direction, { hidden: true, remindAt: null })))
  } else {
    if (taskId !== null) ctx.cancelTask(taskId)
    supersedeResults(ctx, direction)
    withdraw(exchange, closeOffer(ctx, direction))
    arm(ctx, exchange.of(guesser))
  }
  settle(exchange)
})

/** Timers stand still in a pause. */
export const onPaused = on(sessionEvents, 'SessionPaused', (ctx: ReconcilerContext, { sid }) => {
  for (const direction of begunDirections(ctx, sid)) arm(ctx, direction)
})

/** They go on by the length of the pause. */
export const onResumed = on(sessionEvents, 'SessionResumed', (ctx: ReconcilerContext, { sid, pausedFor }) => {
  for (const direction of begunDirections(ctx, sid)) thaw(ctx, direction, pausedFor)
})

/** It is over: nothing is waited for any more, and every direction stays where it stood, to be read. */
export const onClosed = on(sessionEvents, 'SessionClosed', (ctx: ReconcilerContext, { sid }) => {
  for (const direction of begunDirections(ctx, sid)) {
    const taskId = direction.attempt?.taskId ?? null
    if (taskId !== null) ctx.cancelTask(taskId)
    const closed = closeOffer(ctx, direction)
    const still = hasAttempt(closed) ? withAttempt(closed, { taskId: null, remindAt: null }) : closed
    arm(ctx, write(ctx, still))
  }
})
