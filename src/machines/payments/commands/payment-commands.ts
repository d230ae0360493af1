import { z } from 'zod'
import { command } from '../../../machine/define/command.ts'
import type { TaskHandlers } from '../../../machine/define/define-machine.ts'
import { findBooking, workerOnly } from '../change/access.ts'
import { isRejection } from '../../../machine/define/rejection.ts'
import { beginAttempt } from '../change/attempts.ts'
import { bookingStatus } from './booking-commands.ts'
import { Contradiction, takeResult } from './callback-commands.ts'
import { judgeWaiting } from '../change/judge.ts'
import { Change, statusOf } from '../change/change.ts'
import { noteRefused, refused, refusedCurrency, refusedState } from '../change/refusals.ts'
import type { Attempt, Booking } from '../facts/rows.ts'
import { id, phone } from '../facts/fields.ts'
import type { PaymentsContext, paymentsSchema, Refusal } from '../facts/payments-schema.ts'
import { failAttempt } from '../change/settle.ts'
import { isFinalFailure } from '../facts/result-codes.ts'

/** Commands and tasks that start a payment (domain.md §3.4, §0.7). */

/** The client asks for a payment: a new attempt, whose push is a task (K1 of domain.md §3.4, or `retry`). */
export const initiatePayment = command(
  {
    input: z.object({ id, phone }),
    output: bookingStatus.extend({ attemptId: id, no: z.int(), taskId: z.string() }),
  },
  (ctx: PaymentsContext, input) => {
    const action = 'initiatePayment'
    const found = findBooking(ctx, { action, id: input.id, roles: ['client'] })
    if (isRejection(found)) return found
    const { booking } = found
    const { session, payment } = booking
    if (session !== 'approved' && session !== 'payment_pending')
      return refusedState(ctx, booking, action, 'payment_pending')
    if (session === 'payment_pending' && payment !== 'failed') {
      const about = { action, bookingId: booking.id, entity: 'payment', from: payment, to: 'initiated' } as const
      return refused(ctx, ctx.reject('CONFLICT', { reason: 'PAYMENT_IN_FLIGHT' }), about)
    }
    const otherCurrency = refusedCurrency(ctx, booking, action)
    if (otherCurrency !== null) return otherCurrency
    const change = new Change(ctx, action, booking)
    change.take(session === 'approved' ? 'initiate' : 'retry')
    const attempt = beginAttempt(change, input.phone)
    change.commit()
    const taskId = ctx.task('payment.stk_push', attempt.id, pushOf(ctx, booking, attempt))
    ctx.notify(booking.clientId, 'payment.initiated', { bookingId: booking.id, attemptId: attempt.id, no: attempt.no })
    return { ...statusOf(change.booking), attemptId: attempt.id, no: attempt.no, taskId }
  },
)

function pushOf(ctx: PaymentsContext, booking: Booking, attempt: Attempt) {
  const { id: attemptId, bookingId, phone: number, amountMinor } = attempt
  // The incarnation keeps a restored cluster from using a reference twice.
  const reference = `${ctx.incarnation}-${attemptId}`
  return { bookingId, attemptId, phone: number, amountMinor, currency: booking.currency, reference }
}

const startedOutput = z.object({ attemptId: id, bookingId: id, duplicate: z.literal(true).optional() })

/** A worker tells the provider's ids of an attempt's push. */
export const paymentStarted = command(
  { input: z.object({ attemptId: id, checkoutRequestId: id, merchantRequestId: id }), output: startedOutput },
  (ctx: PaymentsContext, input) => {
    const action = 'paymentStarted'
    const attempt = ctx.state.attempts.get(input.attemptId)
    if (attempt === undefined) {
      const about = { action, bookingId: null, ref: input.attemptId }
      return refused(ctx, ctx.reject('NOT_FOUND', { attemptId: input.attemptId }), about)
    }
    const stranger = workerOnly(ctx, action, input.attemptId)
    return stranger ?? startPayment(ctx, attempt, input)
  },
)

/** Which push an attempt became, as the provider names it. */
interface PushIds {
  readonly checkoutRequestId: string
  readonly merchantRequestId: string
}

/** Records the provider's ids of an attempt, once, and judges callbacks that came before them. */
function startPayment(ctx: PaymentsContext, attempt: Attempt, ids: PushIds) {
  const { checkoutRequestId, merchantRequestId } = ids
  const { bookingId, id: attemptId } = attempt
  if (attempt.checkoutRequestId !== null) {
    const same = attempt.checkoutRequestId === checkoutRequestId && attempt.merchantRequestId === merchantRequestId
    if (same) return { attemptId, bookingId, duplicate: true } as const
    return refusedIds(ctx, attempt, 'OTHER_IDS')
  }
  if (ctx.state.checkouts.has(checkoutRequestId)) return refusedIds(ctx, attempt, 'CHECKOUT_TAKEN')
  const started = { ...attempt, checkoutRequestId, merchantRequestId }
  ctx.state.attempts.set(attemptId, started)
  ctx.state.checkouts.set(checkoutRequestId, { attemptId, bookingId })
  judgeWaiting(ctx, started, checkoutRequestId)
  return { attemptId, bookingId }
}

function refusedIds(ctx: PaymentsContext, attempt: Attempt, reason: string): Refusal {
  const rejection = ctx.reject('CONFLICT', { reason, attemptId: attempt.id })
  return refused(ctx, rejection, {
    action: 'paymentStarted',
    bookingId: attempt.bookingId,
    entity: 'payment',
    ref: attempt.id,
  })
}

/** The push was accepted by the provider (the same as `paymentStarted`), or nobody could send it. */
export const pushTask: TaskHandlers<typeof paymentsSchema, 'payment.stk_push'> = {
  onResult(ctx, task, ids) {
    const attempt = ctx.state.attempts.get(task.ref)
    if (attempt === undefined) return null
    const conflict = idsConflict(ctx, attempt, ids)
    if (conflict !== null) {
      // A task's result is taken or ignored, never refused: somebody has to look at two pushes for one attempt.
      ctx.alert('PUSH_CONFLICT', { attemptId: attempt.id, reason: conflict })
      return { attemptId: attempt.id, conflict }
    }
    return startPayment(ctx, attempt, ids)
  },
  onFailed(ctx, task) {
    const attempt = ctx.state.attempts.get(task.ref)
    const booking = attempt === undefined ? undefined : ctx.state.bookings.get(attempt.bookingId)
    if (attempt === undefined || booking === undefined) return
    // A callback or paymentStarted may have come all the same: then the push was sent.
    if (booking.payment !== 'initiated' || booking.attemptId !== attempt.id || attempt.checkoutRequestId !== null)
      return
    const change = new Change(ctx, 'payment.stk_push', booking)
    failAttempt(change, attempt.id, 'PUSH_FAILED')
    change.commit()
  },
}

function idsConflict(ctx: PaymentsContext, attempt: Attempt, ids: PushIds): string | null {
  const known = attempt.checkoutRequestId
  if (known !== null)
    return known === ids.checkoutRequestId && attempt.merchantRequestId === ids.merchantRequestId ? null : 'OTHER_IDS'
  return ctx.state.checkouts.has(ids.checkoutRequestId) ? 'CHECKOUT_TAKEN' : null
}

/** What the provider says about a push whose callback is overdue; without an answer the time-out decides. */
export const queryTask: TaskHandlers<typeof paymentsSchema, 'payment.query'> = {
  onResult(ctx, task, { final }) {
    // A code that says that the provider does not know yet, or that nobody knows, never fails a payment.
    if (final === null || (final.outcome === 'failure' && !isFinalFailure(final.resultCode))) return null
    const answer = takeResult(ctx, 'payment.query', { ...final, attemptId: task.ref })
    if (!(answer instanceof Contradiction)) return { result: answer.result }
    // A task's result is taken or ignored: the callback's word stands, and somebody has to look at the contradiction.
    const { transactionId } = final
    const code = 'IDEMPOTENCY_CONFLICT'
    const { bookingId } = answer
    noteRefused(ctx, code, { action: 'payment.query', bookingId, entity: 'callback', ref: transactionId })
    ctx.alert('QUERY_CONFLICT', { attemptId: task.ref, transactionId })
    return { result: code }
  },
  onFailed() {
    // The timer payment-timeout follows.
  },
}
