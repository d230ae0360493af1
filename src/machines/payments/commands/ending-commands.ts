import { z } from 'zod'
import { command } from '../../../machine/define/command.ts'
import { isRejection } from '../../../machine/define/rejection.ts'
import { findBooking } from '../change/access.ts'
import { statusOf } from '../change/change.ts'
import { completeSession, endAbsent } from '../change/end-session.ts'
import { refused, refusedState } from '../change/refusals.ts'
import { id } from '../facts/fields.ts'
import type { PaymentsContext } from '../facts/payments-schema.ts'
import { hasAttended } from '../rules/attendance.ts'
import { noShowAt } from '../rules/timers.ts'
import { bookingStatus } from './booking-commands.ts'

/** Commands that end a session which nobody cancels (domain.md §3.4). */

/** One of the two says that the session is over (K7 of domain.md §3.4). Said again it is a duplicate. */
export const endSession = command(
  { input: z.object({ id }), output: bookingStatus.extend({ duplicate: z.literal(true).optional() }) },
  (ctx: PaymentsContext, input) => {
    const action = 'endSession'
    const found = findBooking(ctx, { action, id: input.id, roles: ['client', 'therapist'] })
    if (isRejection(found)) return found
    const { booking } = found
    if (booking.session === 'completed') return { ...statusOf(booking), duplicate: true } as const
    if (booking.session !== 'in_progress') return refusedState(ctx, booking, action, 'completed')
    return statusOf(completeSession(ctx, booking, action))
  },
)

/**
 * One of the two did not come, says the other or an administrator, from 15 minutes after the start (TOO_EARLY before; who
 * came at all, however briefly, is CONFLICT `ATTENDED`). The timer of domain.md §3.8 does the same at that very moment, so it
 * is nearly always first.
 */
export const markNoShow = command(
  { input: z.object({ id, who: z.enum(['client', 'therapist']) }), output: bookingStatus },
  (ctx: PaymentsContext, input) => {
    const action = 'markNoShow'
    const { who } = input
    // Nobody reports himself: the therapist the client, the client the therapist.
    const roles = [who === 'client' ? 'therapist' : 'client', 'admin'] as const
    const found = findBooking(ctx, { action, id: input.id, roles })
    if (isRejection(found)) return found
    const { booking } = found
    const to = who === 'client' ? 'no_show_client' : 'no_show_therapist'
    if (booking.session !== 'ready') return refusedState(ctx, booking, action, to)
    const about = { action, bookingId: booking.id, from: booking.session, to }
    const notBefore = noShowAt(booking)
    if (ctx.now < notBefore) return refused(ctx, ctx.reject('TOO_EARLY', { notBefore }), about)
    if (hasAttended(booking, who)) return refused(ctx, ctx.reject('CONFLICT', { reason: 'ATTENDED' }), about)
    return statusOf(endAbsent(ctx, booking, { who, action }))
  },
)
