import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { HOUR_MS, MINUTE_MS } from '../../../src/base/time.ts'
import type { Value } from '../../../src/codec/value/value.ts'
import type { TableViews } from '../../../src/machine/index.ts'
import {
  type AuditRecord,
  brokenAt,
  FIRST_HASH,
  parseAuditGroup,
  recordsOf,
} from '../../../src/machines/payments/change/audit.ts'
import { LEDGER_KEY } from '../../../src/machines/payments/change/journal.ts'
import type { Booking } from '../../../src/machines/payments/facts/rows.ts'
import {
  type Entity,
  entityTransition,
  INITIAL_TRIPLE,
  isTerminalSession,
} from '../../../src/machines/payments/facts/states.ts'
import { describeTotals } from '../../../src/machines/payments/facts/totals.ts'
import { legalTriples, payments } from '../../../src/machines/payments/index.ts'
import { WALL_START_MS } from '../../../src/sim/world/simulated-clock.ts'
import { checkMachine, type CheckStep } from '../../../src/testing/index.ts'
import { sample } from '../../effort.ts'
import { codec } from '../../session/log.ts'
import { ADMIN, CLIENT, PHONE, PRICE, THERAPIST, WORKER } from './world.ts'

type Tables = TableViews<typeof payments.schema>

const HASH = 'a'.repeat(64)
const ALL = { limit: 1_000 }

/** Two bookings whose doors are open soon, and one that would overlap with the first. */
const STARTS = [WALL_START_MS + 10 * MINUTE_MS, WALL_START_MS + 3 * HOUR_MS, WALL_START_MS + 40 * MINUTE_MS]
const ids = ['bkg-1', 'bkg-2']
const byId = (fields: { readonly [name: string]: Value } = {}): Value[] => ids.map((id) => ({ id, ...fields }))
const formsOf = (required: boolean): Value[] => [{ formId: 'intake', required }]
const request = (fields: { readonly [name: string]: Value }): Value[] =>
  STARTS.map((startsAt) => ({ therapistId: THERAPIST, startsAt, durationMin: 60, currency: 'KES', ...fields }))
const callbacks = ['att-1', 'att-2', 'att-9'].flatMap((attemptId): Value[] => [
  {
    transactionId: `tx-${attemptId}`,
    attemptId,
    outcome: 'success',
    amountMinor: PRICE,
    receipt: 'R-1',
    resultCode: 0,
    resultDesc: '',
  },
  { transactionId: 'tx-other', attemptId, outcome: 'success', amountMinor: PRICE - 100, resultCode: 0, resultDesc: '' },
  { transactionId: `tx-${attemptId}`, attemptId, outcome: 'failure', resultCode: 1, resultDesc: '' },
])
const moves = (...steps: readonly (readonly [entity: string, to: string])[]): Value[] =>
  byId({ reason: 'by hand', steps: steps.map(([entity, to]) => ({ entity, to })) })

const INPUTS: { readonly [command: string]: readonly Value[] } = {
  requestBooking: [
    ...request({ priceMinor: PRICE, forms: formsOf(false) }),
    ...request({ priceMinor: PRICE, forms: formsOf(true) }),
    ...request({ priceMinor: 6_000_000, forms: [] }),
  ],
  approve: [...byId({ expectPriceMinor: PRICE }), ...byId({ expectPriceMinor: 6_000_000 })],
  decline: byId(),
  initiatePayment: byId({ phone: PHONE }),
  paymentStarted: ['att-1', 'att-2'].map((attemptId) => ({
    attemptId,
    checkoutRequestId: `co-${attemptId}`,
    merchantRequestId: 'm',
  })),
  paymentCallback: callbacks,
  verifyPaymentManually: byId({ transactionId: 'R-1', amountMinor: PRICE, note: '' }),
  matchSuspense: ids.map((bookingId) => ({ transactionId: 'tx-att-9', bookingId, note: '' })),
  refundSuspense: [{ transactionId: 'tx-att-9', note: '' }],
  routeAfterPayment: byId(),
  completeForm: byId({ formId: 'intake', contentHash: HASH }),
  recordVerbalConsent: byId({ note: '' }),
  cancel: byId({ reason: 'other' }),
  joinVideo: byId(),
  leaveVideo: byId(),
  reportVideoFailure: byId({ detail: 'no sound' }),
  retryVideo: byId(),
  endSession: byId(),
  markNoShow: [...byId({ who: 'client' }), ...byId({ who: 'therapist' })],
  approveRefund: [{ refundId: 'ref-1' }, { refundId: 'ref-2' }],
  rejectRefund: [{ refundId: 'ref-1' }],
  retryRefund: [{ refundId: 'ref-1' }],
  settleRefundManually: [{ refundId: 'ref-1', reference: 'B-1' }],
  transition: [
    ...moves(['payment', 'initiated'], ['session', 'payment_pending']),
    ...moves(['payment', 'failed']),
    ...moves(['session', 'cancelled']),
    ...moves(['payment', 'refunded'], ['session', 'cancelled']),
    ...moves(['session', 'in_progress'], ['video', 'active']),
    ...moves(['video', 'waiting_for_participants'], ['video', 'ended']),
  ],
}

/** A booking's way to the end of its call; a list begins with some of it, so that lists come as far as there is a way. */
const FLOW: readonly CheckStep[] = [
  command(CLIENT, 'requestBooking', INPUTS['requestBooking']?.[3] ?? null),
  command(THERAPIST, 'approve', { id: 'bkg-1', expectPriceMinor: PRICE }),
  command(CLIENT, 'initiatePayment', { id: 'bkg-1', phone: PHONE }),
  command(WORKER, 'paymentCallback', callbacks[0] ?? null),
  command(THERAPIST, 'routeAfterPayment', { id: 'bkg-1' }),
  command(CLIENT, 'completeForm', { id: 'bkg-1', formId: 'intake', contentHash: HASH }),
  command(CLIENT, 'joinVideo', { id: 'bkg-1' }),
  command(THERAPIST, 'joinVideo', { id: 'bkg-1' }),
  command(CLIENT, 'reportVideoFailure', { id: 'bkg-1', detail: 'no sound' }),
  command(THERAPIST, 'retryVideo', { id: 'bkg-1' }),
  command(THERAPIST, 'joinVideo', { id: 'bkg-1' }),
  command(CLIENT, 'joinVideo', { id: 'bkg-1' }),
  command(CLIENT, 'endSession', { id: 'bkg-1' }),
]

function command(by: string, name: string, input: Value): CheckStep {
  return { do: 'command', by, command: name, input }
}

const principal = fc.constantFrom(CLIENT, THERAPIST, ADMIN, WORKER)
const commandStep: fc.Arbitrary<CheckStep> = fc
  .constantFrom(...Object.entries(INPUTS).flatMap(([name, inputs]) => inputs.map((input) => ({ name, input }))))
  .chain(({ name, input }) => principal.map((by) => command(by, name, input)))
const taskStep: fc.Arbitrary<CheckStep> = fc.constantFrom<CheckStep>(
  { do: 'complete', kind: 'payment.refund', result: { providerRef: 'B2C' } },
  { do: 'complete', kind: 'payment.stk_push', result: { checkoutRequestId: 'co-1', merchantRequestId: 'm' } },
  { do: 'complete', kind: 'payment.query', result: { final: null } },
  { do: 'fail', kind: 'payment.refund' },
  { do: 'fail', kind: 'payment.stk_push' },
)
const restStep: fc.Arbitrary<CheckStep> = fc.oneof(
  fc
    .constantFrom(MINUTE_MS, 16 * MINUTE_MS, HOUR_MS, 3 * HOUR_MS, 48 * HOUR_MS)
    .map((ms): CheckStep => ({ do: 'advance', ms })),
  principal.map((by): CheckStep => ({ do: 'deliver', by, acknowledge: true })),
  principal.map((by): CheckStep => ({ do: 'end', by, reason: 'expired' })),
  fc.constant<CheckStep>({ do: 'redeliver' }),
)
const list: fc.Arbitrary<CheckStep[]> = fc
  .tuple(
    fc.nat({ max: FLOW.length }),
    fc.array(
      fc.oneof(
        { weight: 8, arbitrary: commandStep },
        { weight: 2, arbitrary: restStep },
        { weight: 1, arbitrary: taskStep },
      ),
      { minLength: 4, maxLength: 14 },
    ),
  )
  .map(([length, rest]) => [...FLOW.slice(0, length), ...rest])

const key = ({ payment, session, video }: Pick<Booking, Entity>): string => `${payment}/${session}/${video}`
const LEGAL_23 = new Set(legalTriples('amended').map(key))
const REACHED = new Set<string>()

const bookingsOf = (tables: Tables): Booking[] => tables.bookings.range(ALL).map(([, booking]) => booking)
const sum = (numbers: readonly number[]): number => numbers.reduce((total, number) => total + number, 0)

function auditOf(tables: Tables): AuditRecord[] {
  let hash = FIRST_HASH
  return tables.audit.range(ALL).flatMap(([group, text]) => {
    const records = recordsOf(group, parseAuditGroup(text), hash)
    hash = records.at(-1)?.hash ?? hash
    return records
  })
}

/** PP2: every step in its table, groups contiguous, and the trail ends in the triple. */
function trailHolds(booking: Booking, audit: readonly AuditRecord[]): boolean {
  const states: Record<Entity, string> = { ...INITIAL_TRIPLE }
  for (const { entity, from, to } of audit.filter(({ bookingId }) => bookingId === booking.id)) {
    if (entity !== 'payment' && entity !== 'session' && entity !== 'video') continue
    if (from === null) continue
    if (from !== states[entity] || 'error' in entityTransition(entity, from, to ?? '')) return false
    states[entity] = to ?? ''
  }
  return key(states as Booking) === key(booking)
}

const PAID = ['paid', 'forms_required', 'ready', 'in_progress', 'completed', 'no_show_client', 'no_show_therapist']

/** PP3. */
function paidHolds(booking: Booking): boolean {
  const { session, applied, capturedMinor, priceMinor, formsOpen, rare } = booking
  if (PAID.includes(session) && (applied === null || capturedMinor < priceMinor)) return false
  const done = formsOpen === 0 || (rare !== null && rare.verbalConsent !== null)
  return done || !['ready', 'in_progress', 'completed'].includes(session)
}

/** PP4: per transaction and per booking; an orphan goes back in full. */
function refundsHold(tables: Tables, booking: Booking): boolean {
  const refunds = tables.refundsOf
    .range({ prefix: [booking.id], ...ALL })
    .flatMap(([, refundId]) => tables.refunds.get(refundId) ?? [])
  const live = refunds.filter(({ status }) => status !== 'FAILED_MANUAL')
  const back = (transactionId: string | null): number =>
    sum(live.filter((refund) => refund.transactionId === transactionId).map(({ amountMinor }) => amountMinor))
  const orphans = tables.captures.range({ prefix: [booking.id], ...ALL })
  const each = orphans.every(([[, transactionId], { amountMinor }]) => {
    const owed = refunds.filter((refund) => refund.transactionId === transactionId)
    return owed.length === 1 && owed[0]?.reason === 'ORPHAN' && owed[0].amountMinor === amountMinor
  })
  const applied = booking.applied === null ? 0 : booking.priceMinor
  return (
    each &&
    back(booking.applied) <= applied &&
    sum(live.map(({ amountMinor }) => amountMinor)) === booking.refundedMinor &&
    booking.refundedMinor <= booking.capturedMinor &&
    booking.capturedMinor === applied + sum(orphans.map(([, { amountMinor }]) => amountMinor))
  )
}

/** PP10. */
function slotsHold(bookings: readonly Booking[]): boolean {
  const open = bookings.filter(({ session }) => !isTerminalSession(session))
  return [CLIENT, THERAPIST].every((person) => {
    const own = open
      .filter(({ clientId, therapistId }) => clientId === person || therapistId === person)
      .sort((left, right) => left.startsAt - right.startsAt)
    return own.every(({ startsAt }, position) => {
      const before = own[position - 1]
      return before === undefined || before.startsAt + before.durationMin * MINUTE_MS <= startsAt
    })
  })
}

const CAPTURED = ['APPLIED', 'APPLIED_LATE', 'REJECTED_AMOUNT', 'ORPHANED', 'UNKNOWN_ATTEMPT']

/** PP12: no receipt is money twice, captured or in suspense. */
function receiptsHold(tables: Tables): boolean {
  const receipts = tables.callbacks
    .range(ALL)
    .filter(
      ([, { outcome, result, receipt }]) => outcome === 'success' && receipt !== null && CAPTURED.includes(result),
    )
    .map(([, { receipt }]) => receipt)
  return new Set(receipts).size === receipts.length
}

/** `npm run test:long` runs ten thousand. */
const LISTS = sample(1) > 1 ? 10_000 : 8

describe('domain.md §3.12 properties, over lists of commands on replicas', () => {
  test(`PP1 PP2 PP3 PP4 PP6 PP9 PP10 PP11 PP12 hold after every entry of ${LISTS} lists`, {
    timeout: LISTS * 5_000,
  }, async () => {
    const check = (replay: readonly CheckStep[]) =>
      checkMachine(payments, {
        replay,
        principals: { [CLIENT]: [], [THERAPIST]: [], [ADMIN]: [], [WORKER]: ['payments'] },
        invariants: {
          'PP1 the triple is one of 23': (tables) =>
            bookingsOf(tables).every((booking) => {
              REACHED.add(key(booking))
              return LEGAL_23.has(key(booking))
            }),
          'PP2 PP6 the trail is made of table steps and ends in the triple; PP9 its chain verifies': (tables) => {
            const audit = auditOf(tables)
            if (brokenAt(audit, codec.sha256Hex, FIRST_HASH) !== null) return false
            return bookingsOf(tables).every((booking) => trailHolds(booking, audit))
          },
          'PP3 nothing is paid without its price, nor ready with open forms': (tables) =>
            bookingsOf(tables).every(paidHolds),
          'PP4 no more goes back than came': (tables) =>
            bookingsOf(tables).every((booking) => refundsHold(tables, booking)),
          'PP10 nobody has two bookings at once': (tables) => slotsHold(bookingsOf(tables)),
          'PP11 received = kept + owed + refunded + suspense': (tables) =>
            describeTotals(tables.ledger.get(LEDGER_KEY)?.totals).money.balanced,
          'PP12 one receipt, one capture': receiptsHold,
        },
      })
    await fc.assert(
      fc.asyncProperty(list, async (steps) => void (await check(steps))),
      { numRuns: LISTS },
    )
    // A check that never comes to a call has checked nothing of it.
    expect([...REACHED].filter((triple) => triple.includes('/in_progress/')).length).toBeGreaterThan(0)
  })
})
