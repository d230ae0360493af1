import { HOUR_MS, MINUTE_MS } from '../../../src/base/time.ts'
import { sessionCodec } from '../../../src/codec/session-codec.ts'
import type { Value } from '../../../src/codec/value/value.ts'
import type { MachineDefinition, TableViews } from '../../../src/machine/index.ts'
import {
  type AuditRecord,
  brokenAt,
  FIRST_HASH,
  parseAuditGroup,
  recordsOf,
} from '../../../src/machines/payments/change/audit.ts'
import { LEDGER_KEY } from '../../../src/machines/payments/change/journal.ts'
import { CAPTURE_MINOR_MAX } from '../../../src/machines/payments/facts/payment-bounds.ts'
import { type Booking, CALLBACK_RESULTS, REFUND_STATUSES } from '../../../src/machines/payments/facts/rows.ts'
import {
  type Entity,
  entityTransition,
  INITIAL_TRIPLE,
  isTerminalSession,
} from '../../../src/machines/payments/facts/states.ts'
import { describeTotals } from '../../../src/machines/payments/facts/totals.ts'
import { legalTriples, payments } from '../../../src/machines/payments/index.ts'
import { WALL_START_MS } from '../../../src/sim/world/simulated-clock.ts'
import type { CheckStep } from '../../../src/testing/index.ts'
import { ADMIN, CLIENT, PHONE, PRICE, THERAPIST, WORKER } from '../payments/world.ts'
import { type MachineLists, stepOf } from './machine-lists.ts'

type Tables = TableViews<typeof payments.schema>

/** So high that somebody must approve its refund. */
const DEAR_PRICE = 6_000_000
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
type Move = readonly [entity: string, to: string]
const byHand = (moves: readonly Move[]): Sent => ({
  reason: 'by hand',
  steps: moves.map(([entity, to]) => ({ entity, to })),
})
const moves = (...steps: readonly Move[]): Value[] => byId(byHand(steps))

/** Inputs that mean something to two bookings. */
export const PAYMENTS_INPUTS: { readonly [command: string]: readonly Value[] } = {
  requestBooking: [
    ...request({ priceMinor: PRICE, forms: formsOf(false) }),
    ...request({ priceMinor: PRICE, forms: formsOf(true) }),
    ...request({ priceMinor: DEAR_PRICE, forms: [] }),
  ],
  approve: [...byId({ expectPriceMinor: PRICE }), ...byId({ expectPriceMinor: DEAR_PRICE })],
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

type Sent = { readonly [field: string]: Value }
const book = (input: Value | undefined): CheckStep => stepOf(CLIENT, 'requestBooking', input ?? null)
const on = (by: string, name: string, fields: Sent = {}): CheckStep => stepOf(by, name, { id: 'bkg-1', ...fields })
const told = (fields: Sent): CheckStep =>
  stepOf(WORKER, 'paymentCallback', {
    transactionId: 'tx-att-1',
    attemptId: 'att-1',
    resultCode: 0,
    resultDesc: '',
    ...fields,
  })
const success = (amountMinor: number, fields: Sent = {}): CheckStep =>
  told({ outcome: 'success', amountMinor, receipt: 'R-1', ...fields })
const failure = told({ outcome: 'failure', resultCode: 1 })
const moved = (...steps: readonly Move[]): CheckStep => on(ADMIN, 'transition', byHand(steps))
/** As an administrator may put it down. */
const VIDEO_OVER: readonly Move[] = [
  ['video', 'waiting_for_participants'],
  ['video', 'ended'],
]
const pass = (ms: number): CheckStep => ({ do: 'advance', ms })

/** A booking that waits for its money. */
const pending = (input: Value | undefined, expectPriceMinor = PRICE): readonly CheckStep[] => [
  book(input),
  on(THERAPIST, 'approve', { expectPriceMinor }),
  on(CLIENT, 'initiatePayment', { phone: PHONE }),
]
const [SIMPLE] = request({ priceMinor: PRICE, forms: [] })
const [WITH_FORM] = request({ priceMinor: PRICE, forms: formsOf(true) })
const [, LATER] = request({ priceMinor: PRICE, forms: [] })
const [DEAR] = request({ priceMinor: DEAR_PRICE, forms: [] })
const ready = [...pending(SIMPLE), success(PRICE), on(THERAPIST, 'routeAfterPayment')]
const settled: CheckStep = { do: 'complete', kind: 'payment.refund', result: { providerRef: 'B2C' } }

/** What drawn commands seldom come to by themselves: a booking to the end of its call, and the ways that end otherwise. */
export const PAYMENTS_WAYS: readonly (readonly CheckStep[])[] = [
  [
    ...pending(WITH_FORM),
    success(PRICE),
    on(THERAPIST, 'routeAfterPayment'),
    on(CLIENT, 'completeForm', { formId: 'intake', contentHash: HASH }),
    ...[CLIENT, THERAPIST].map((user) => on(user, 'joinVideo')),
    on(CLIENT, 'reportVideoFailure', { detail: 'no sound' }),
    on(CLIENT, 'joinVideo'),
    on(THERAPIST, 'retryVideo'),
    ...[THERAPIST, CLIENT].map((user) => on(user, 'joinVideo')),
    on(CLIENT, 'endSession'),
    ...['payment_pending', 'paid'].map((to) => moved(['session', to])),
  ],
  // Money after a told failure, and once more; a failure after it.
  [...pending(SIMPLE), failure, success(PRICE), success(PRICE), failure],
  [...pending(SIMPLE), success(PRICE), failure, success(PRICE, { transactionId: 'tx-2' })],
  // Another amount than the price; money for what is cancelled.
  [
    ...pending(SIMPLE),
    success(PRICE - 100),
    on(CLIENT, 'cancel', { reason: 'other' }),
    success(PRICE, { receipt: 'R-2' }),
  ],
  // An amount that nothing costs, and then what was paid.
  [...pending(SIMPLE), success(CAPTURE_MINOR_MAX), success(PRICE)],
  // Nobody tells anything until the booking is given up.
  [...pending(SIMPLE), pass(HOUR_MS), failure, success(PRICE)],
  // A failure of an attempt that another one followed.
  [
    ...pending(SIMPLE),
    failure,
    on(CLIENT, 'initiatePayment', { phone: PHONE }),
    told({ outcome: 'failure', resultCode: 2, transactionId: 'tx-2' }),
  ],
  // A refund so large that somebody must approve it.
  [
    ...pending(DEAR, DEAR_PRICE),
    success(DEAR_PRICE),
    on(THERAPIST, 'cancel', { reason: 'illness' }),
    stepOf(ADMIN, 'approveRefund', { refundId: 'ref-1' }),
    settled,
  ],
  // Cancelled too late for a refund; and while one waits for the other.
  [...ready, on(CLIENT, 'cancel', { reason: 'other' })],
  [...ready, on(CLIENT, 'joinVideo'), on(THERAPIST, 'cancel', { reason: 'illness' })],
  // Nobody comes; one comes, the other does not.
  [...ready, pass(30 * MINUTE_MS), on(ADMIN, 'markNoShow', { who: 'client' })],
  [...ready, pass(30 * MINUTE_MS), on(ADMIN, 'markNoShow', { who: 'therapist' })],
  [...ready, on(THERAPIST, 'joinVideo'), pass(HOUR_MS)],
  [...ready, on(CLIENT, 'joinVideo'), pass(HOUR_MS)],
  [
    ...ready,
    on(CLIENT, 'joinVideo'),
    on(CLIENT, 'reportVideoFailure', { detail: 'no sound' }),
    on(THERAPIST, 'joinVideo'),
  ],
  // The door is not open yet.
  [...pending(LATER), success(PRICE), on(THERAPIST, 'routeAfterPayment'), on(CLIENT, 'joinVideo')],
  // Money in suspense, matched with a booking.
  [
    ...pending(SIMPLE),
    success(PRICE, { transactionId: 'tx-att-9', attemptId: 'att-9' }),
    stepOf(ADMIN, 'matchSuspense', { transactionId: 'tx-att-9', bookingId: 'bkg-1', note: '' }),
  ],
  // What no administrator may do, and what ends a booking by hand.
  [...pending(SIMPLE), moved(['session', 'ready']), moved(['payment', 'confirmed'], ['session', 'paid'])],
  [...pending(WITH_FORM), success(PRICE), moved(['session', 'in_progress'])],
  [...pending(SIMPLE), failure, moved(['session', 'cancelled'])],
  [...pending(SIMPLE), failure, moved(['session', 'cancelled'], ...VIDEO_OVER)],
  [...pending(SIMPLE), moved(['payment', 'cancelled'], ['session', 'cancelled'], ...VIDEO_OVER)],
  [...ready, moved(['session', 'no_show_client'])],
  [...ready, moved(['payment', 'refunded'], ['session', 'no_show_therapist'])],
  [...ready, on(CLIENT, 'joinVideo'), moved(['session', 'in_progress'], ['video', 'waiting_for_participants'])],
]

const key = ({ payment, session, video }: Pick<Booking, Entity>): string => `${payment}/${session}/${video}`
const LEGAL_23 = new Set(legalTriples('amended').map(key))

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
  const people = new Set(open.flatMap(({ clientId, therapistId }) => [clientId, therapistId]))
  return [...people].every((person) => {
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

/**
 * PP12: no receipt is money twice, captured or in suspense. Money without one is told apart by its amount alone: it is the only
 * one of its push with that amount, or else the same was taken twice.
 */
function receiptsHold(tables: Tables): boolean {
  const captured = tables.callbacks
    .range(ALL)
    .filter(([, { outcome, result }]) => outcome === 'success' && CAPTURED.includes(result))
  const receipts = captured.flatMap(([, { receipt }]) => receipt ?? [])
  if (new Set(receipts).size !== receipts.length) return false
  const pushOf = (transactionId: string, of: string | null): string => of ?? transactionId
  return captured.every(([transactionId, { receipt, amountMinor, of }]) => {
    if (receipt !== null) return true
    const push = pushOf(transactionId, of)
    const alike = captured.filter(
      ([other, record]) => pushOf(other, record.of) === push && record.amountMinor === amountMinor,
    )
    return alike.length === 1
  })
}

/** PP1 to PP4, PP6 and PP9 to PP12: must hold after every entry; `reach` is told what was seen. */
export function paymentsInvariants(reach: (what: string) => void): {
  readonly [name: string]: (tables: Tables) => boolean
} {
  return {
    'PP1 the triple is one of 23': (tables) => {
      for (const [, { result }] of tables.callbacks.range(ALL)) reach(`callback ${result}`)
      for (const [, { status }] of tables.refunds.range(ALL)) reach(`refund ${status}`)
      return bookingsOf(tables).every((booking) => {
        reach(key(booking))
        return LEGAL_23.has(key(booking))
      })
    },
    'PP2 PP6 the trail is made of table steps and ends in the triple; PP9 its chain verifies': (tables) => {
      const audit = auditOf(tables)
      if (brokenAt(audit, sessionCodec.sha256Hex, FIRST_HASH) !== null) return false
      return bookingsOf(tables).every((booking) => trailHolds(booking, audit))
    },
    'PP3 nothing is paid without its price, nor ready with open forms': (tables) => bookingsOf(tables).every(paidHolds),
    'PP4 no more goes back than came': (tables) => bookingsOf(tables).every((booking) => refundsHold(tables, booking)),
    'PP10 nobody has two bookings at once': (tables) => slotsHold(bookingsOf(tables)),
    'PP11 received = kept + owed + refunded + suspense': (tables) =>
      describeTotals(tables.ledger.get(LEDGER_KEY)?.totals).money.balanced,
    'PP12 one receipt, one capture': receiptsHold,
  }
}

const WANTED = [
  ...LEGAL_23,
  ...CALLBACK_RESULTS.map((result) => `callback ${result}`),
  ...REFUND_STATUSES.map((status) => `refund ${status}`),
  ...Object.keys(payments.schema.errors).map((code) => `code ${code}`),
]

/** PP1 to PP4, PP6 and PP9 to PP12 of domain.md §3.12, over lists of a client, a therapist, an administrator and a worker. */
export function paymentsLists(): MachineLists {
  const reached = new Set<string>()
  return {
    machine: payments as unknown as MachineDefinition,
    reached,
    wanted: WANTED,
    rare: {
      'refund SENT': 'a refund goes from QUEUED to SETTLED in one entry',
    },
    options: {
      stepsMax: 50,
      begin: PAYMENTS_WAYS,
      principals: { [CLIENT]: [], [THERAPIST]: [], [ADMIN]: [], [WORKER]: ['payments'] },
      inputs: PAYMENTS_INPUTS,
      // The tables that they are given are those of this machine.
      invariants: paymentsInvariants((what) => reached.add(what)) as never,
    },
  }
}
