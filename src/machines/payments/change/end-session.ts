import { Change } from './change.ts'
import { refundPrice } from './refunds.ts'
import { PARTIES, type Party, principalOf } from '../rules/attendance.ts'
import type { Booking } from '../facts/rows.ts'
import type { PaymentsContext } from '../facts/payments-schema.ts'

/** How a session ends that was not cancelled (domain.md §3.4 K7 to K9). */

/** K7: the session is over. The payment stays, whatever was left of the time. */
export function completeSession(ctx: PaymentsContext, booking: Booking, action: string): Booking {
  const change = new Change(ctx, action, booking)
  change.take('complete')
  change.commit()
  tellBoth(ctx, booking, 'session.completed', { bookingId: booking.id })
  return change.booking
}

/**
 * K8 or K9: one of the two stayed away. A therapist's absence gives everything back and has somebody look at it; a client's
 * gives nothing back.
 */
export function endAbsent(
  ctx: PaymentsContext,
  booking: Booking,
  { who, action }: { readonly who: Party; readonly action: string },
): Booking {
  const change = new Change(ctx, action, booking)
  if (who === 'therapist') {
    change.take('noShowTherapist')
    change.setRare({ therapistReview: true })
    refundPrice(change, 100, 'THERAPIST_NO_SHOW')
  } else {
    change.take('noShowClient')
  }
  change.commit()
  tellBoth(ctx, booking, 'booking.no_show', { bookingId: booking.id, who })
  return change.booking
}

function tellBoth(
  ctx: PaymentsContext,
  booking: Booking,
  topic: string,
  body: { readonly bookingId: string; readonly who?: Party },
): void {
  for (const party of PARTIES) ctx.notify(principalOf(booking, party), topic, body)
}
