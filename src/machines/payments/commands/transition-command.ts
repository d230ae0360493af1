import { z } from 'zod'
import { command } from '../../../machine/define/command.ts'
import { isRejection } from '../../../machine/define/rejection.ts'
import { findBooking } from '../change/access.ts'
import { beginAttempt, endAttempt } from '../change/attempts.ts'
import { Change, statusOf } from '../change/change.ts'
import { refundPrice } from '../change/refunds.ts'
import { type About, refused } from '../change/refusals.ts'
import { id, reason } from '../facts/fields.ts'
import { TRANSITION_STEPS_MAX } from '../facts/payment-bounds.ts'
import type { PaymentsContext, Refusal } from '../facts/payments-schema.ts'
import type { Booking } from '../facts/rows.ts'
import { PAYMENT_STATES, SESSION_STATES, type SessionState, VIDEO_STATES } from '../facts/states.ts'
import { type AskedStep, planTransition, type TransitionRefused } from '../rules/admin-transition.ts'
import { PARTIES, principalOf } from '../rules/attendance.ts'
import type { Step } from '../rules/compounds.ts'
import { bookingStatus } from './booking-commands.ts'

/** The administrators' command for what no other command does (domain.md §3.7). */

const stepOf = <Name extends AskedStep['entity'], State extends string>(
  entity: Name,
  states: readonly [State, ...State[]],
) => z.object({ entity: z.literal(entity), to: z.enum(states), expectFrom: z.enum(states).optional() })

const step = z.discriminatedUnion('entity', [
  stepOf('payment', PAYMENT_STATES),
  stepOf('session', SESSION_STATES),
  stepOf('video', VIDEO_STATES),
])

/**
 * Takes exactly these steps, all or none: each must be in its table and within an administrator's authority, and the triple
 * at the end must be legal. No policy applies; only a step to `refunded` gives the whole price back.
 */
export const transition = command(
  { input: z.object({ id, steps: z.array(step).min(1).max(TRANSITION_STEPS_MAX), reason }), output: bookingStatus },
  (ctx: PaymentsContext, input) => {
    const action = 'transition'
    const found = findBooking(ctx, { action, id: input.id, roles: ['admin'] })
    if (isRejection(found)) return found
    const { booking } = found
    const { rare, formsOpen } = booking
    const open = formsOpen > 0 && (rare === null || rare.verbalConsent === null)
    const plan = planTransition(booking, input.steps, open)
    if ('error' in plan) return refusedSteps(ctx, booking, plan)
    const change = new Change(ctx, action, booking)
    change.takeSteps(plan, input.reason)
    for (const taken of plan.steps) followUp(change, taken, input.reason)
    change.commit()
    tellOf(ctx, booking, change.booking)
    return statusOf(change.booking)
  },
)

function refusedSteps(ctx: PaymentsContext, booking: Booking, plan: TransitionRefused): Refusal {
  const about: About = { action: 'transition', bookingId: booking.id }
  switch (plan.error) {
    case 'STALE_STATE': {
      const { entity, expected, actual } = plan
      const rejection = ctx.reject(plan.error, { field: entity, expected, actual })
      return refused(ctx, rejection, { ...about, entity, from: actual })
    }
    case 'PAYMENT_SESSION_SYNC':
    case 'SESSION_VIDEO_SYNC': {
      const { payment, session, video } = plan.triple
      return refused(ctx, ctx.reject(plan.error, { payment, session, video }), {
        ...about,
        from: booking.session,
        to: session,
      })
    }
    case 'INVALID_STATE_TRANSITION': {
      const { entity, from, to, allowed } = plan
      const rejection = ctx.reject(plan.error, { entity, from, to, event: 'transition', allowed })
      return refused(ctx, rejection, { ...about, entity, from, to })
    }
    default: {
      const { entity, from, to } = plan
      return refused(ctx, ctx.reject(plan.error, { entity, from, to }), { ...about, entity, from, to })
    }
  }
}

/** What the rows must say after a step, so that every other command finds the booking as it expects it. */
function followUp(change: Change, { entity, to }: Step, why: string): void {
  const { ctx, booking } = change
  // A payment that is under way has an attempt: this one has no push, so whoever pays does it some other way.
  if (entity === 'payment' && to === 'initiated') beginAttempt(change, '')
  if (entity === 'payment' && to === 'failed' && booking.attemptId !== null) {
    endAttempt(change, booking.attemptId, 'FAILED', 'ADMIN')
  }
  if (entity === 'payment' && to === 'refunded') refundPrice(change, 100, 'ADMIN')
  if (entity === 'session' && to === 'cancelled') {
    change.setRare({ cancel: { by: ctx.principal, role: 'admin', reason: why, at: ctx.now } })
  }
}

/** What both are told when their session is in a new state, whoever brought it there. */
const TOPICS: { readonly [State in SessionState]?: string } = {
  approved: 'booking.approved',
  forms_required: 'booking.forms_required',
  ready: 'booking.ready',
  in_progress: 'session.started',
  completed: 'session.completed',
  cancelled: 'booking.cancelled',
  no_show_client: 'booking.no_show',
  no_show_therapist: 'booking.no_show',
}

/**
 * What people are told of the state that the steps led to, as by the command that usually leads there (domain.md §3.9): a
 * payment that failed asks the client to pay again, and a call that broke down is told to both.
 */
function tellOf(ctx: PaymentsContext, before: Booking, now: Booking): void {
  const { id: bookingId, clientId, payment, session, video } = now
  if (before.payment !== payment && payment === 'failed' && session === 'payment_pending') {
    ctx.notify(clientId, 'payment.retry_needed', { bookingId, reason: 'ADMIN' })
  }
  if (before.video !== video && video === 'failed') tellBoth(ctx, now, 'video.failed', { bookingId })
  const topic = before.session === session ? undefined : TOPICS[session]
  if (topic === undefined) return
  const refunded = before.payment !== payment && payment === 'refunded'
  const more = {
    ...(session === 'cancelled' ? { refundPct: refunded ? 100 : 0 } : {}),
    ...(session === 'no_show_client' ? { who: 'client' } : {}),
    ...(session === 'no_show_therapist' ? { who: 'therapist' } : {}),
  }
  tellBoth(ctx, now, topic, { bookingId, by: ctx.principal, role: 'admin', session, ...more })
}

type Told = Parameters<PaymentsContext['notify']>[2]

function tellBoth(ctx: PaymentsContext, booking: Booking, topic: string, body: Told): void {
  for (const party of PARTIES) ctx.notify(principalOf(booking, party), topic, body)
}
