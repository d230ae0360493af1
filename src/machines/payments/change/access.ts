import { refused } from './refusals.ts'
import type { Role } from '../rules/refund-policy.ts'
import type { Booking } from '../facts/rows.ts'
import type { PaymentsContext, Refusal } from '../facts/payments-schema.ts'

/** Who is who (domain.md §3.4): the booking's client and therapist, administrators, timers, workers. */

/** The role of a principal towards a booking; null for a stranger. */
export function roleOf(booking: Pick<Booking, 'clientId' | 'therapistId'>, principal: string): Role | null {
  if (principal === booking.clientId) return 'client'
  if (principal === booking.therapistId) return 'therapist'
  if (isAdmin(principal)) return 'admin'
  return principal === 'system' ? 'system' : null
}

/** Administrators are principals `admin:<id>`. */
export const isAdmin = (principal: string): boolean => principal.startsWith('admin:')

/** Workers that speak for the payment provider. */
export const WORKER_ROLE = 'payments'

/** Sessions that only pass on what the provider called back with: like a worker, but they are given no tasks. */
export const WEBHOOK_ROLE = 'payments-webhook'

/**
 * Checks 4 and 5 of domain.md §0.5: whether there is such a booking, and whether that role may do this. (Check 2 is the
 * session layer's: it opens no session without a principal.)
 */
export function findBooking(
  ctx: PaymentsContext,
  call: { readonly action: string; readonly id: string; readonly roles: readonly Role[] },
): { readonly booking: Booking; readonly role: Role } | Refusal {
  const { action, id, roles } = call
  const booking = ctx.state.bookings.get(id)
  if (booking === undefined) return refused(ctx, ctx.reject('NOT_FOUND', { id }), { action, bookingId: id })
  const role = roleOf(booking, ctx.principal)
  if (role === null || !roles.includes(role)) {
    return refused(ctx, ctx.reject('FORBIDDEN', { id }), { action, bookingId: id, from: booking.session })
  }
  return { booking, role }
}

/** The issuer must be a worker of the payment provider, or pass on what it called back with. */
export function providerOnly(ctx: PaymentsContext, action: string, ref: string): Refusal | null {
  return ctx.roles.includes(WEBHOOK_ROLE) ? null : workerOnly(ctx, action, ref)
}

/** The issuer must be a worker of the payment provider. */
export function workerOnly(ctx: PaymentsContext, action: string, ref: string): Refusal | null {
  if (ctx.roles.includes(WORKER_ROLE)) return null
  return refused(ctx, ctx.reject('FORBIDDEN'), { action, bookingId: null, ref })
}
