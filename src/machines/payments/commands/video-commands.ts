import { z } from 'zod'
import { command } from '../../../machine/define/command.ts'
import { isRejection } from '../../../machine/define/rejection.ts'
import { findBooking, WORKER_ROLE } from '../change/access.ts'
import { Change, statusOf } from '../change/change.ts'
import { refused, refusedState, refusedVideo } from '../change/refusals.ts'
import { id, reason } from '../facts/fields.ts'
import type { PaymentsContext, Refusal } from '../facts/payments-schema.ts'
import type { Booking } from '../facts/rows.ts'
import { isPresent, otherParty, type Party, principalOf, withJoined, withLeft } from '../rules/attendance.ts'
import { joinCheck } from '../rules/join.ts'
import { bookingStatus } from './booking-commands.ts'

/** Commands of the call (domain.md §3.4, §3.6). A change of the call never changes the session, but for the second to join. */

/** The session states in which there is a call. */
const hasCall = ({ session }: Booking): boolean => session === 'ready' || session === 'in_progress'

/** One of the two who meet, and their booking; anybody else is FORBIDDEN. */
function findParty(
  ctx: PaymentsContext,
  action: string,
  bookingId: string,
): { readonly booking: Booking; readonly party: Party } | Refusal {
  const found = findBooking(ctx, { action, id: bookingId, roles: ['client', 'therapist'] })
  if (isRejection(found)) return found
  return { booking: found.booking, party: found.role === 'client' ? 'client' : 'therapist' }
}

/**
 * The first one to join waits; with the second the session begins and the call is active. Who is there already is told so
 * (`alreadyJoined`); who comes back into an active call is counted as there. Refused by the rules of domain.md §3.6, in
 * their order.
 */
export const joinVideo = command(
  { input: z.object({ id }), output: bookingStatus.extend({ alreadyJoined: z.literal(true).optional() }) },
  (ctx: PaymentsContext, input) => {
    const action = 'joinVideo'
    const found = findParty(ctx, action, input.id)
    if (isRejection(found)) return found
    const { booking, party } = found
    const refusal = checkJoin(ctx, booking)
    if (refusal !== null) return refusal
    if (isPresent(booking, party)) return { ...statusOf(booking), alreadyJoined: true } as const
    const change = new Change(ctx, action, booking)
    change.setRare({ attendance: withJoined(booking, party, ctx.now) })
    enter(change, party)
    change.commit()
    announce(ctx, booking, { now: change.booking, party })
    return statusOf(change.booking)
  },
)

/** The rules of joining, but for the first, which `findParty` was. */
function checkJoin(ctx: PaymentsContext, booking: Booking): Refusal | null {
  const { id: bookingId, session, video, formsOpen, startsAt, rare } = booking
  const open = formsOpen > 0 && (rare === null || rare.verbalConsent === null)
  const verdict = joinCheck({ participant: true, session, video, formsOpen: open, startsAt, now: ctx.now })
  if ('ok' in verdict) return null
  const about = { action: 'joinVideo', bookingId, entity: 'video', from: video } as const
  if (verdict.error === 'OUTSIDE_JOIN_WINDOW') {
    const { opensAt, closesAt } = verdict
    return refused(ctx, ctx.reject(verdict.error, { opensAt, closesAt }), about)
  }
  return refused(ctx, ctx.reject(verdict.error, { session }), about)
}

/** What joining does to the triple: session before video (domain.md §3.3 A4). */
function enter(change: Change, party: Party): void {
  const { booking } = change
  if (booking.video === 'not_started') return change.take('joinFirst')
  if (booking.video !== 'waiting_for_participants' || !isPresent(booking, otherParty(party))) return
  change.take('joinSecond')
}

/** Both are told when the session begins; the other one, when somebody waits. */
function announce(
  ctx: PaymentsContext,
  before: Booking,
  { now, party }: { readonly now: Booking; readonly party: Party },
): void {
  const { id: bookingId, clientId, therapistId } = now
  if (before.session !== now.session) {
    for (const principal of [clientId, therapistId]) ctx.notify(principal, 'session.started', { bookingId })
  } else if (now.video === 'waiting_for_participants') {
    ctx.notify(principalOf(now, otherParty(party)), 'video.waiting', { bookingId, who: party })
  }
}

/** The issuer is no longer in the call, which goes on as it is. Who is not there is refused. */
export const leaveVideo = command({ input: z.object({ id }), output: bookingStatus }, (ctx: PaymentsContext, input) => {
  const action = 'leaveVideo'
  const found = findParty(ctx, action, input.id)
  if (isRejection(found)) return found
  const { booking, party } = found
  if (!hasCall(booking) || !isPresent(booking, party)) return refusedState(ctx, booking, action)
  const change = new Change(ctx, action, booking)
  change.setRare({ attendance: withLeft(booking, party, ctx.now) })
  change.commit()
  return statusOf(change.booking)
})

/** The call broke down, says one of the two or the provider's worker: nobody is in it any more, and `retryVideo` may follow. */
export const reportVideoFailure = command(
  { input: z.object({ id, detail: reason }), output: bookingStatus },
  (ctx: PaymentsContext, input) => {
    const action = 'reportVideoFailure'
    const found = findReported(ctx, action, input.id)
    if (isRejection(found)) return found
    if (!hasCall(found)) return refusedState(ctx, found, action)
    const { video, clientId, therapistId } = found
    if (video !== 'waiting_for_participants' && video !== 'active') return refusedVideo(ctx, found, action, 'failed')
    const change = new Change(ctx, action, found)
    change.take('failVideo', input.detail)
    change.commit()
    for (const principal of [clientId, therapistId]) ctx.notify(principal, 'video.failed', { bookingId: found.id })
    return statusOf(change.booking)
  },
)

/** The booking, for the two who meet and for the provider's workers. */
function findReported(ctx: PaymentsContext, action: string, bookingId: string): Booking | Refusal {
  const booking = ctx.state.bookings.get(bookingId)
  if (booking !== undefined && ctx.roles.includes(WORKER_ROLE)) return booking
  const found = findParty(ctx, action, bookingId)
  return isRejection(found) ? found : found.booking
}

/** The call is tried again: it waits for both. */
export const retryVideo = command({ input: z.object({ id }), output: bookingStatus }, (ctx: PaymentsContext, input) => {
  const action = 'retryVideo'
  const found = findParty(ctx, action, input.id)
  if (isRejection(found)) return found
  const { booking } = found
  if (!hasCall(booking)) return refusedState(ctx, booking, action)
  if (booking.video !== 'failed') return refusedVideo(ctx, booking, action, 'waiting_for_participants')
  const change = new Change(ctx, action, booking)
  change.take('retryVideo')
  change.commit()
  return statusOf(change.booking)
})
