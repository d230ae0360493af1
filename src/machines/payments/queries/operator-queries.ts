import { z } from 'zod'
import { query } from '../../../machine/define/command.ts'
import { isAdmin, WORKER_ROLE } from '../change/access.ts'
import { LEDGER_KEY } from '../change/journal.ts'
import { STUCK_SCAN_MAX } from '../facts/payment-bounds.ts'
import { id, millis } from '../facts/fields.ts'
import type { PaymentsQueryContext, PaymentsView } from '../facts/payments-schema.ts'
import { stuckStates, stuckSuspense } from '../rules/stuck.ts'
import { describeTotals } from '../facts/totals.ts'

/** What operators and workers ask of all bookings (domain.md §3.9). */

/** Bookings, payments and calls that stay in a state for more than twice as long as expected, and money in suspense. */
export const stuck = query(
  {
    input: z.object({ now: millis.optional() }),
    output: z.array(z.object({ id, entity: z.string(), state: z.string(), sinceMs: millis, forMs: z.int() })),
  },
  (view: PaymentsView, input, context: PaymentsQueryContext) => {
    const asker = context.session?.principal
    if (asker === undefined) return context.reject('UNAUTHENTICATED')
    if (!isAdmin(asker)) return context.reject('FORBIDDEN')
    const now = input.now ?? context.now
    const open = view.slots.range({ limit: STUCK_SCAN_MAX }).filter(([, slot]) => slot.client)
    const money = view.suspense.range({ limit: STUCK_SCAN_MAX }).flatMap(([id, { at }]) => stuckSuspense(id, at, now))
    const bookings = open.flatMap(([, { bookingId }]) => {
      const booking = view.bookings.get(bookingId)
      return booking === undefined ? [] : stuckStates(booking, now).map((found) => ({ id: bookingId, ...found }))
    })
    return [...bookings, ...money]
  },
)

const counts = z.record(z.string(), z.int())
const sum = z.object({ count: z.int(), minor: z.int() })

const money = z.object({
  receivedMinor: z.int(),
  keptMinor: z.int(),
  owedMinor: z.int(),
  refundedMinor: z.int(),
  suspenseMinor: z.int(),
  balanced: z.boolean(),
})

/** Counts and sums of everything, without times, ids and hashes: two runs of one replay file end with the same. */
export const totals = query(
  {
    input: z.object({}),
    output: z.object({
      bookings: z.object({ count: z.int(), payment: counts, session: counts, video: counts }),
      attempts: z.int(),
      captures: z.object({ applied: sum, orphan: sum }),
      refunds: z.object({ count: z.int(), minor: z.int(), status: counts }),
      callbacks: counts,
      suspense: sum,
      money,
    }),
  },
  (view: PaymentsView, _input, context: PaymentsQueryContext) => {
    const { session } = context
    if (session === null) return context.reject('UNAUTHENTICATED')
    if (!isAdmin(session.principal) && !session.roles.includes(WORKER_ROLE)) return context.reject('FORBIDDEN')
    return describeTotals(view.ledger.get(LEDGER_KEY)?.totals)
  },
)
