import { z } from 'zod'
import { query } from '../../../machine/define/command.ts'
import { isAdmin, WORKER_ROLE } from '../change/access.ts'
import { LEDGER_KEY } from '../change/journal.ts'
import { PAGE_MAX, STUCK_SCAN_MAX } from '../facts/payment-bounds.ts'
import { millis, moneyId } from '../facts/fields.ts'
import type { PaymentsQueryContext, PaymentsView } from '../facts/payments-schema.ts'
import { stuckStates, stuckSuspense } from '../rules/stuck.ts'
import { describeTotals } from '../facts/totals.ts'

/** What operators and workers ask of all bookings (domain.md §3.9). */

const stuckRow = z.object({ id: moneyId, entity: z.string(), state: z.string(), sinceMs: millis, forMs: z.int() })
/** How far a page has looked: up to the booking that its client has at that time, or up to that money. */
const looked = z.union([z.object({ clientId: z.string().max(1024), startsAt: millis }), z.object({ money: moneyId })])
type Looked = z.output<typeof looked>

/**
 * Bookings, payments and calls that stay in a state for more than twice as long as expected, and money in suspense. A page
 * holds those of at most `limit` bookings or moneys; `after` is where the page before ended.
 */
export const stuck = query(
  {
    input: z.object({
      now: millis.optional(),
      after: looked.nullable().default(null),
      limit: z.int().min(1).max(PAGE_MAX).default(PAGE_MAX),
    }),
    output: z.object({ stuck: z.array(stuckRow), next: looked.nullable() }),
  },
  (view: PaymentsView, input, context: PaymentsQueryContext) => {
    const asker = context.session?.principal
    if (asker === undefined) return context.reject('UNAUTHENTICATED')
    if (!isAdmin(asker)) return context.reject('FORBIDDEN')
    const now = input.now ?? context.now
    return pageOf(placesAfter(view, input.after, now), input.limit)
  },
)

type Stuck = z.output<typeof stuckRow>

/** Something that was looked at, and what of it is stuck: mostly nothing. */
interface Place {
  readonly at: Looked
  readonly found: readonly Stuck[]
}

function pageOf(places: Iterable<Place>, limit: number): { stuck: Stuck[]; next: Looked | null } {
  const stuck: Stuck[] = []
  let [seen, scanned] = [0, 0]
  for (const { at, found } of places) {
    stuck.push(...found)
    seen += found.length === 0 ? 0 : 1
    scanned += 1
    if (seen === limit || scanned === STUCK_SCAN_MAX) return { stuck, next: at }
  }
  return { stuck, next: null }
}

/** All open bookings, then all money in suspense, from behind the place that the page before ended at. */
function* placesAfter(view: PaymentsView, after: Looked | null, now: number): Iterable<Place> {
  const limit = STUCK_SCAN_MAX + 1
  if (after === null || 'clientId' in after) {
    const from = after === null ? {} : { from: [after.clientId, after.startsAt] as const }
    for (const [[clientId, startsAt], { bookingId, client }] of view.slots.range({ ...from, limit })) {
      const passed = after?.clientId === clientId && after.startsAt === startsAt
      const booking = client && !passed ? view.bookings.get(bookingId) : undefined
      const states = booking === undefined ? [] : stuckStates(booking, now)
      yield { at: { clientId, startsAt }, found: states.map((state) => ({ id: bookingId, ...state })) }
    }
  }
  const from = after !== null && 'money' in after ? after.money : ''
  for (const [money, { at }] of view.suspense.range({ from, limit })) {
    if (money !== from) yield { at: { money }, found: stuckSuspense(money, at, now) }
  }
}

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
