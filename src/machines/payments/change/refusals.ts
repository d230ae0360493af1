import type { Booking } from '../facts/rows.ts'
import type { PaymentsContext, Refusal } from '../facts/payments-schema.ts'
import { PROVIDER_CURRENCY } from '../facts/payment-bounds.ts'
import { SESSION_TRANSITIONS, type SessionState, VIDEO_TRANSITIONS, type VideoState } from '../facts/states.ts'
import { appendRejected, type AuditEntity, type RejectedStep } from './audit.ts'

/** What a refusal concerns. */
export interface About {
  readonly action: string
  readonly bookingId: string | null
  readonly entity?: AuditEntity
  readonly from?: string | null
  readonly to?: string | null
  readonly ref?: string | null
}

/** Notes a refusal in the rejected chain, where it survives the rollback (domain.md §0.11), and hands it back. */
export function refused(ctx: PaymentsContext, rejection: Refusal, about: About): Refusal {
  const step = rejectedStep(ctx, rejection.code, about)
  ctx.afterReject((after) => appendRejected(after, step))
  return rejection
}

/** Notes a refusal at once, where nothing is rolled back: what is refused is a part of a task's result. */
export function noteRefused(ctx: PaymentsContext, code: string, about: About): void {
  appendRejected(ctx, rejectedStep(ctx, code, about))
}

function rejectedStep(ctx: PaymentsContext, code: string, about: About): RejectedStep {
  const { action, bookingId, entity = 'session', from = null, to = null, ref = null } = about
  return { action, bookingId, entity, from, to, ref, by: ctx.principal, code }
}

/** The booking's session is in a state from which the command does not lead. */
export function refusedState(ctx: PaymentsContext, booking: Booking, event: string, to?: SessionState): Refusal {
  const { session: from } = booking
  const allowed: readonly string[] = SESSION_TRANSITIONS[from]
  const rejection = ctx.reject('INVALID_STATE_TRANSITION', { entity: 'session', from, to, event, allowed })
  return refused(ctx, rejection, { action: event, bookingId: booking.id, from, to: to ?? null })
}

/** The same of the booking's call. */
export function refusedVideo(ctx: PaymentsContext, booking: Booking, event: string, to: VideoState): Refusal {
  const { video: from } = booking
  const allowed: readonly string[] = VIDEO_TRANSITIONS[from]
  const rejection = ctx.reject('INVALID_STATE_TRANSITION', { entity: 'video', from, to, event, allowed })
  return refused(ctx, rejection, { action: event, bookingId: booking.id, entity: 'video', from, to })
}

/** Details of the refusal of a currency that the provider does not pay in. */
export function notPayable(currency: string) {
  return { field: 'currency', reason: 'CURRENCY_NOT_PAYABLE', currency, payable: PROVIDER_CURRENCY } as const
}

/**
 * Null: the booking's price is in the currency that money comes in. Version 1 took bookings in others: nothing can pay for
 * them, so nobody is asked to.
 */
export function refusedCurrency(
  ctx: PaymentsContext,
  { id, currency, payment }: Booking,
  action: string,
): Refusal | null {
  if (currency === PROVIDER_CURRENCY) return null
  const rejection = ctx.reject('CONFLICT', notPayable(currency))
  return refused(ctx, rejection, { action, bookingId: id, entity: 'payment', from: payment })
}
