import { Change } from './change.ts'
import { refundPrice } from './refunds.ts'
import type { Compound } from '../rules/compounds.ts'
import { completionPct, midSessionPct, refundPct, type Role } from '../rules/refund-policy.ts'
import type { Booking, Refund } from '../facts/rows.ts'
import type { CancelReason } from '../facts/fields.ts'
import type { PaymentsContext } from '../facts/payments-schema.ts'

/** States that end unpaid (K4), and paid (K5; K6 while the session runs). */
const UNPAID: readonly string[] = ['requested', 'approved', 'payment_pending']
const CANCELLABLE_PAID: readonly string[] = ['paid', 'forms_required', 'ready', 'in_progress']

/** May the booking still be cancelled? Only one that is over may not. */
export const isCancellable = ({ session }: Pick<Booking, 'session'>): boolean =>
  UNPAID.includes(session) || CANCELLABLE_PAID.includes(session)

/** Why a booking ends, and at whose wish. */
export interface Ending {
  readonly booking: Booking
  readonly role: Role
  readonly action: string
  readonly reason: CancelReason
  /** Somebody is to look at it. */
  readonly manualReview?: boolean
}

/**
 * K4, K5 or K6 of domain.md §3.4, with the refund that the policy gives, and word to the others. The booking must be
 * cancellable.
 */
export function endBooking(
  ctx: PaymentsContext,
  { booking, role, action, reason, manualReview = false }: Ending,
): Booking {
  const paid = CANCELLABLE_PAID.includes(booking.session)
  const pct = paid ? cancelPct(booking, ctx.now, { role, reason }) : 0
  const change = new Change(ctx, action, booking)
  change.take(compoundOf(booking), reason)
  change.setRare({ cancel: { by: ctx.principal, role, reason, at: ctx.now } })
  if (reason === 'both_absent' || manualReview) change.setRare({ manualReview: true })
  if (paid) refundPrice(change, pct, refundReason(booking, reason))
  change.commit()
  for (const principal of [booking.clientId, booking.therapistId]) {
    if (principal === ctx.principal) continue
    const body = { bookingId: booking.id, by: ctx.principal, role, refundPct: pct, reason }
    ctx.notify(principal, 'booking.cancelled', body)
  }
  return change.booking
}

function compoundOf({ session }: Booking): Compound {
  if (session === 'in_progress') return 'cancelRunning'
  return CANCELLABLE_PAID.includes(session) ? 'cancelPaid' : 'cancelUnpaid'
}

/**
 * Share that a cancellation gives back (domain.md §3.4): by notice before the session, by what is over of it while it runs.
 * Lapsed forms are the client's own doing.
 */
export function cancelPct(
  booking: Pick<Booking, 'session' | 'startsAt' | 'durationMin' | 'rare'>,
  now: number,
  { role, reason }: { readonly role: Role; readonly reason: CancelReason | null },
): number {
  const actualStart = booking.session === 'in_progress' ? (booking.rare?.actualStart ?? null) : null
  if (role === 'client' && actualStart !== null) {
    return midSessionPct(completionPct(now, actualStart, booking.durationMin))
  }
  return refundPct(booking.startsAt - now, reason === 'forms_lapsed' ? 'client' : role)
}

function refundReason({ session }: Booking, reason: CancelReason): Refund['reason'] {
  if (session === 'in_progress') return 'MID_SESSION'
  if (reason === 'forms_lapsed') return 'FORMS_LAPSED'
  if (reason === 'system_lapse') return 'SYSTEM_LAPSE'
  return reason === 'both_absent' ? 'BOTH_ABSENT' : 'CANCELLED'
}
