import { Change } from './change.ts'
import { createRefund } from './refunds.ts'
import { refundAmount, refundPct, type Role } from '../rules/refund-policy.ts'
import type { Booking, Refund } from '../facts/rows.ts'
import type { CancelReason } from '../facts/fields.ts'
import type { PaymentsContext } from '../facts/payments-schema.ts'

/** States that end unpaid (K4), and paid (K5). */
const UNPAID: readonly string[] = ['requested', 'approved', 'payment_pending']
const CANCELLABLE_PAID: readonly string[] = ['paid', 'forms_required', 'ready']

/** May the booking still be cancelled? Cancelling a running session is planned (domain.md §3.4). */
export const isCancellable = ({ session }: Pick<Booking, 'session'>): boolean =>
  UNPAID.includes(session) || CANCELLABLE_PAID.includes(session)

/** Why a booking ends, and at whose wish. */
export interface Ending {
  readonly booking: Booking
  readonly role: Role
  readonly action: string
  readonly reason: CancelReason
}

/**
 * K4 or K5 of domain.md §3.4, with the refund that the policy gives, and word to the others. The booking must be
 * cancellable.
 */
export function endBooking(ctx: PaymentsContext, { booking, role, action, reason }: Ending): Booking {
  const paid = CANCELLABLE_PAID.includes(booking.session)
  const pct = paid ? cancelPct(booking, ctx.now, { role, reason }) : 0
  const change = new Change(ctx, action, booking)
  change.take(paid ? 'cancelPaid' : 'cancelUnpaid', reason)
  change.setRare({ cancel: { by: ctx.principal, role, reason, at: ctx.now } })
  if (reason === 'both_absent') change.setRare({ manualReview: true })
  if (paid) {
    const amountMinor = refundAmount(booking.priceMinor, pct)
    createRefund(change, { ...paidMoney(ctx, booking), amountMinor, pct, reason: refundReason(reason) })
  }
  change.commit()
  for (const principal of [booking.clientId, booking.therapistId]) {
    if (principal === ctx.principal) continue
    const body = { bookingId: booking.id, by: ctx.principal, role, refundPct: pct, reason }
    ctx.notify(principal, 'booking.cancelled', body)
  }
  return change.booking
}

/** What a refund must name of the money that paid for a booking: its transaction and receipt, its currency, who paid. */
function paidMoney(ctx: PaymentsContext, booking: Booking) {
  const { applied: transactionId, currency } = booking
  const record = transactionId === null ? undefined : ctx.state.callbacks.get(transactionId)
  const attempt = record?.attemptId == null ? undefined : ctx.state.attempts.get(record.attemptId)
  return { transactionId, receipt: record?.receipt ?? null, currency, payer: attempt?.phone ?? null }
}

/** Share that a cancellation before the session gives back (domain.md §3.4): lapsed forms are the client's own doing. */
export function cancelPct(
  booking: Pick<Booking, 'startsAt'>,
  now: number,
  { role, reason }: { readonly role: Role; readonly reason: CancelReason | null },
): number {
  return refundPct(booking.startsAt - now, reason === 'forms_lapsed' ? 'client' : role)
}

function refundReason(reason: CancelReason): Refund['reason'] {
  if (reason === 'forms_lapsed') return 'FORMS_LAPSED'
  if (reason === 'system_lapse') return 'SYSTEM_LAPSE'
  return reason === 'both_absent' ? 'BOTH_ABSENT' : 'CANCELLED'
}
