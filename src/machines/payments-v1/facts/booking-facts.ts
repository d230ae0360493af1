import { z } from 'zod'
import { type Booking, bookingRow, NOTHING_RARE, rareFacts } from './rows.ts'
import { millis } from '../../payments/facts/fields.ts'

/** A booking as people read it (domain.md §3.1): what the row keeps flat or leaves out stands in its place. */
export const bookingFacts = bookingRow
  .omit({
    paymentAt: true,
    sessionAt: true,
    videoAt: true,
    outcome: true,
    resultCode: true,
    applied: true,
    appliedAt: true,
    auditGroup: true,
    rare: true,
  })
  .extend({ enteredAt: z.object({ payment: millis, session: millis, video: millis }) })
  .extend(rareFacts.omit({ fired: true }).shape)

/** Everything of the row but what belongs to its attempts, captures, timers and audit trail. */
export function factsOf(booking: Booking): z.output<typeof bookingFacts> {
  const { paymentAt, sessionAt, videoAt, outcome: _outcome, resultCode: _resultCode, ...known } = booking
  const { applied: _applied, appliedAt: _appliedAt, auditGroup: _auditGroup, rare, ...facts } = known
  const { fired: _fired, ...rareOnes } = rare ?? NOTHING_RARE
  return { ...facts, ...rareOnes, enteredAt: { payment: paymentAt, session: sessionAt, video: videoAt } }
}
