import { describe, expect, test } from 'vitest'
import type { Value } from '../../../../src/codec/value/value.ts'
import { payments } from '../../../../src/machines/payments/machine.ts'
import { ADMIN, CLIENT, PHONE, PRICE, THERAPIST, WORKER, World } from '../world.ts'

/** Who sees what (domain.md §3.9): every query, asked by everybody, of a world in which every secret was told. */

const HOOK = 'worker:webhook'
const OTHER = 'user:stranger'
const VIEWERS = [CLIENT, THERAPIST, OTHER, ADMIN, WORKER, HOOK, null] as const

/** What is told to the machine and is not for everybody, by what it is. */
const SECRETS: { readonly [what: string]: string } = {
  phone: PHONE,
  receipt: 'RCPT-FIRST',
  lateReceipt: 'RCPT-LATE',
  manualReceipt: 'RCPT-MANUAL',
  suspendedReceipt: 'RCPT-SUSPENDED',
  checkout: 'co-secret',
  merchant: 'm-secret',
  payout: 'PAYOUT-1',
  byHand: 'BANK-1',
  adminNote: 'seen on the paper statement',
  adminReason: 'the therapist asked for it by phone',
  consentNote: 'he said so in our call',
  failureDetail: 'my neighbour was listening',
  body: 'a body with 254700111222',
}

/** Bookings `bkg-1` (paid by a push, money back, its call failed) and `bkg-2` (paid by hand, ended by an administrator). */
function told(): World {
  const world = new World()
  world.open(HOOK, ['payments-webhook'])
  const id = world.booked('payment_pending')
  const ids = { checkoutRequestId: 'co-secret', merchantRequestId: 'm-secret' }
  const attemptId = world.attempt(id)
  world.ok(WORKER, 'paymentStarted', { attemptId, ...ids })
  world.callback({ transactionId: 'co-secret', checkoutRequestId: 'co-secret' })
  world.callback({ transactionId: 'co-secret', checkoutRequestId: 'co-secret', receipt: 'RCPT-LATE' })
  world.callback({ transactionId: 'tx-2', attemptId, receipt: 'RCPT-FIRST' })
  const [refund] = world.tasks('payment.refund')
  if (refund !== undefined) world.complete(refund, { providerRef: 'PAYOUT-1' })
  world.ok(THERAPIST, 'routeAfterPayment', { id })
  world.ok(THERAPIST, 'recordVerbalConsent', { id, note: 'he said so in our call' })
  const second = world.booked('payment_pending', { startsAt: world.now + 9 * 864e5 })
  const seen = { transactionId: 'RCPT-MANUAL', amountMinor: PRICE, note: 'seen on the paper statement' }
  world.ok(ADMIN, 'verifyPaymentManually', { id: second, ...seen })
  const steps = [
    { entity: 'payment', to: 'refunded' },
    { entity: 'session', to: 'cancelled' },
  ]
  world.ok(ADMIN, 'transition', { id: second, steps, reason: 'the therapist asked for it by phone' })
  for (let attempt = 1; attempt <= 3; attempt += 1) {
    const task = world.tasks('payment.refund').at(-1)
    if (task !== undefined) world.fail(task)
    world.pass(10_000)
  }
  const settled = { refundId: 'ref-2', reference: 'BANK-1', note: 'seen on the paper statement' }
  world.ok(ADMIN, 'settleRefundManually', settled)
  world.callback({ transactionId: 'co-9', checkoutRequestId: 'co-9', receipt: 'RCPT-SUSPENDED' })
  // The same receipt of another booking: for a person.
  world.callback({ transactionId: 'tx-3', attemptId, receipt: 'RCPT-MANUAL' })
  world.ok(WORKER, 'keepUnparsed', { field: 'body', reason: 'is not JSON', body: SECRETS['body'] ?? '', bytes: 24 })
  world.passToStart(id, 0)
  world.ok(CLIENT, 'joinVideo', { id })
  world.ok(CLIENT, 'reportVideoFailure', { id, detail: 'my neighbour was listening' })
  world.refused(CLIENT, 'routeAfterPayment', { id })
  return world
}

type Seen = string | readonly string[]
const F = 'FORBIDDEN'
const U = 'UNAUTHENTICATED'
const NOTHING: readonly string[] = []
/** Nobody but administrators. */
const admins = (seen: readonly string[]): readonly Seen[] => [F, F, F, seen, F, F, U]

/** Query with its input, then what each of `VIEWERS` is told: the names of `SECRETS`, or the refusal. */
const TABLE: readonly (readonly [query: string, input: Value, ...told: readonly Seen[]])[] = [
  ['get', { id: 'bkg-1' }, NOTHING, NOTHING, F, ['checkout', 'lateReceipt', 'merchant', 'payout', 'receipt'], F, F, U],
  ['get', { id: 'bkg-2' }, NOTHING, NOTHING, F, ['adminReason', 'byHand', 'manualReceipt'], F, F, U],
  [
    'audit',
    { id: 'bkg-1' },
    ['failureDetail'],
    ['consentNote'],
    F,
    ['checkout', 'consentNote', 'failureDetail', 'lateReceipt'],
    F,
    F,
    U,
  ],
  ['audit', { id: 'bkg-2' }, NOTHING, NOTHING, F, ['adminNote', 'adminReason', 'manualReceipt'], F, F, U],
  [
    'audit',
    {},
    F,
    F,
    F,
    ['adminNote', 'adminReason', 'checkout', 'consentNote', 'failureDetail', 'lateReceipt', 'manualReceipt'],
    F,
    F,
    U,
  ],
  ['audit', { outcome: 'rejected' }, F, F, F, NOTHING, F, F, U],
  ['audit', { id: 'bkg-1', outcome: 'rejected' }, NOTHING, NOTHING, F, NOTHING, F, F, U],
  ['list', {}, NOTHING, NOTHING, NOTHING, NOTHING, NOTHING, NOTHING, U],
  ['list', { principal: CLIENT }, NOTHING, F, F, NOTHING, F, F, U],
  ['canJoin', { id: 'bkg-1' }, NOTHING, NOTHING, F, NOTHING, F, F, U],
  ['refundQuote', { id: 'bkg-1' }, NOTHING, NOTHING, F, NOTHING, F, F, U],
  ['totals', {}, F, F, F, NOTHING, NOTHING, F, U],
  ['stuck', {}, ...admins(NOTHING)],
  ['suspense', {}, ...admins(['suspendedReceipt'])],
  ['reviews', {}, ...admins(['manualReceipt'])],
  ['receipts', {}, ...admins(['checkout', 'lateReceipt', 'manualReceipt', 'receipt', 'suspendedReceipt'])],
  ['refunds', {}, ...admins(['byHand', 'manualReceipt', 'payout', 'receipt'])],
  ['unparsed', {}, ...admins(['body'])],
]

describe('domain.md §3.9 who sees what', () => {
  const world = told()

  test('every query stands in the table', () => {
    expect([...new Set(TABLE.map(([query]) => query))].sort()).toEqual(Object.keys(payments.queries).sort())
  })

  for (const [query, input, ...seen] of TABLE) {
    test.each(VIEWERS.map((viewer, at) => [viewer, seen[at] ?? 'no cell'] as const))(
      `domain.md §3.9 ${query} ${JSON.stringify(input)} asked by %s`,
      (viewer, wanted) => {
        const outcome = world.ask(viewer, query, input)
        const text = JSON.stringify(outcome)
        const secrets = Object.keys(SECRETS).filter((what) => text.includes(SECRETS[what] ?? ''))
        expect(outcome.kind === 'reject' ? outcome.code : secrets.sort()).toEqual(wanted)
        // A refusal says nothing either.
        if (outcome.kind === 'reject') expect(secrets).toEqual([])
      },
    )
  }

  test('no notification tells a client or a therapist more than the queries do', () => {
    for (const viewer of [CLIENT, THERAPIST]) {
      const text = JSON.stringify(world.notes(viewer))
      expect(Object.keys(SECRETS).filter((what) => text.includes(SECRETS[what] ?? ''))).toEqual([])
    }
  })

  test('with a hash what is left out could be guessed: only administrators have one', () => {
    const hashes = (viewer: string): unknown[] =>
      world
        .answer<{ records: readonly { hash: unknown; prevHash: unknown }[] }>(viewer, 'audit', { id: 'bkg-2' })
        .records.flatMap(({ hash, prevHash }) => [hash, prevHash])
    expect(new Set([...hashes(CLIENT), ...hashes(THERAPIST)])).toEqual(new Set([null]))
    expect(hashes(ADMIN).every((hash) => /^[0-9a-f]{64}$/.test(String(hash)))).toBe(true)
  })
})
