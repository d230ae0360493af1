import { describe, expect, test } from 'vitest'
import { HOUR_MS } from '../../../../src/base/time.ts'
import type { Value } from '../../../../src/codec/value/value.ts'
import { ADMIN, CLIENT, PHONE, PRICE, THERAPIST, WORKER, World } from '../world.ts'

/** What becomes of a refund (domain.md §3.4): by its table, and out of FAILED_MANUAL. */

const STATUSES = ['NOT_DUE', 'AWAITING_APPROVAL', 'QUEUED', 'SETTLED', 'FAILED_MANUAL'] as const
type Status = (typeof STATUSES)[number]

/** A world with refund `ref-1` of `bkg-1` in that status; SENT is passed through within one entry. */
function refunded(status: Status): World {
  const world = new World()
  const soon: { readonly [field: string]: Value } = status === 'NOT_DUE' ? { startsAt: world.now + 5 * HOUR_MS } : {}
  const price = status === 'AWAITING_APPROVAL' ? 6_000_000 : PRICE
  const id = world.booked('paid', { priceMinor: price, ...soon })
  world.ok(status === 'NOT_DUE' ? CLIENT : THERAPIST, 'cancel', { id, reason: 'illness' })
  if (status === 'SETTLED')
    for (const task of world.tasks('payment.refund')) world.complete(task, { providerRef: 'B1' })
  if (status === 'FAILED_MANUAL') failRefund(world)
  expect(world.view(id).refunds).toMatchObject([{ id: 'ref-1', status }])
  return world
}

/** The worker fails with it until nobody tries any more. */
function failRefund(world: World): void {
  for (let attempt = 1; attempt <= 3; attempt += 1) {
    const task = world.tasks('payment.refund').at(-1)
    if (task === undefined) throw new Error('nobody was asked to pay back')
    world.fail(task)
    world.pass(10_000)
  }
}

/** Command × status: where it leads, or the refusal with the statuses that it allows. */
const IST = (...allowed: string[]) => ({ code: 'INVALID_STATE_TRANSITION', details: { entity: 'refund', allowed } })
const TABLE: { readonly [command: string]: { readonly [Name in Status]: string | ReturnType<typeof IST> } } = {
  approveRefund: {
    NOT_DUE: IST(),
    AWAITING_APPROVAL: 'QUEUED',
    QUEUED: IST('SENT', 'FAILED_MANUAL'),
    SETTLED: IST(),
    FAILED_MANUAL: IST('QUEUED', 'SETTLED'),
  },
  rejectRefund: {
    NOT_DUE: IST(),
    AWAITING_APPROVAL: 'FAILED_MANUAL',
    QUEUED: 'FAILED_MANUAL',
    SETTLED: IST(),
    FAILED_MANUAL: IST('QUEUED', 'SETTLED'),
  },
  retryRefund: {
    NOT_DUE: IST(),
    AWAITING_APPROVAL: IST('QUEUED', 'FAILED_MANUAL'),
    QUEUED: IST('SENT', 'FAILED_MANUAL'),
    SETTLED: IST(),
    FAILED_MANUAL: 'QUEUED',
  },
  settleRefundManually: {
    NOT_DUE: IST(),
    AWAITING_APPROVAL: IST('QUEUED', 'FAILED_MANUAL'),
    QUEUED: IST('SENT', 'FAILED_MANUAL'),
    SETTLED: IST(),
    FAILED_MANUAL: 'SETTLED',
  },
}
const inputOf = (command: string): { readonly [name: string]: Value } => ({
  refundId: 'ref-1',
  note: 'looked into it',
  ...(command === 'settleRefundManually' ? { reference: ' bank-77 ' } : {}),
})

describe('domain.md §3.4 refund: command × status', () => {
  for (const [command, row] of Object.entries(TABLE)) {
    test.each(STATUSES)(`domain.md §3.4 ${command} of a refund that is %s`, (status) => {
      const world = refunded(status)
      const before = world.view('bkg-1')
      const outcome = world.send(ADMIN, command, inputOf(command))
      const wanted = row[status]
      if (typeof wanted !== 'string') {
        expect(outcome).toMatchObject(wanted)
        expect(world.view('bkg-1')).toEqual(before)
      } else {
        expect(outcome).toMatchObject({ kind: 'value', value: { refundId: 'ref-1', status: wanted } })
        expect(world.view('bkg-1')).toMatchObject({ refunds: [{ status: wanted }] })
      }
      expect(world.totals().money.balanced).toBe(true)
    })

    test(`domain.md §3.4 ${command}: unknown NOT_FOUND, anybody but an administrator FORBIDDEN`, () => {
      const world = refunded('FAILED_MANUAL')
      expect(world.refused(ADMIN, command, { ...inputOf(command), refundId: 'ref-9' })).toMatchObject({
        code: 'NOT_FOUND',
      })
      for (const by of [CLIENT, THERAPIST, WORKER]) {
        expect(world.refused(by, command, inputOf(command))).toMatchObject({ code: 'FORBIDDEN' })
      }
    })
  }
})

describe('domain.md §3.4 a refund that failed is not owed for ever', () => {
  test('paid by hand it is SETTLED with its reference, the client is told, and nothing is owed any more', () => {
    const world = refunded('FAILED_MANUAL')
    expect(world.totals().money).toMatchObject({ owedMinor: PRICE, refundedMinor: 0 })
    expect(world.view('bkg-1')).toMatchObject({ refundedMinor: 0 })
    world.ok(ADMIN, 'settleRefundManually', inputOf('settleRefundManually'))
    expect(world.totals().money).toMatchObject({ owedMinor: 0, refundedMinor: PRICE, balanced: true })
    expect(world.view('bkg-1')).toMatchObject({
      refunds: [{ status: 'SETTLED', providerRef: 'BANK-77' }],
      refundedMinor: PRICE,
    })
    expect(world.audit('bkg-1').at(-1)).toMatchObject({
      action: 'settleRefundManually',
      from: 'FAILED_MANUAL',
      to: 'SETTLED',
      reason: 'looked into it',
      by: ADMIN,
    })
    const told = world.notes(CLIENT).filter(({ topic }) => topic === 'refund.status')
    expect(told.map(({ body }) => body['status'])).toEqual(['QUEUED', 'FAILED_MANUAL', 'SETTLED'])
    const without = { refundId: 'ref-1', note: '', reference: '  ' }
    expect(world.refused(ADMIN, 'settleRefundManually', without)).toMatchObject({ code: 'VALIDATION_ERROR' })
  })

  test('tried again it is a task with the same idempotency key, which settles it or fails again', () => {
    const world = refunded('FAILED_MANUAL')
    const [first] = world.tasks('payment.refund')
    world.acknowledge(WORKER)
    world.ok(ADMIN, 'retryRefund', { refundId: 'ref-1' })
    const [again] = world.tasks('payment.refund')
    expect(again?.payload).toEqual(first?.payload)
    expect(again?.taskId).not.toBe(first?.taskId)
    failRefund(world)
    expect(world.view('bkg-1')).toMatchObject({ refunds: [{ status: 'FAILED_MANUAL' }], refundedMinor: 0 })
    world.ok(ADMIN, 'retryRefund', { refundId: 'ref-1' })
    const last = world.tasks('payment.refund').at(-1)
    if (last !== undefined) world.complete(last, { providerRef: 'B2' })
    expect(world.view('bkg-1')).toMatchObject({ refunds: [{ status: 'SETTLED' }], refundedMinor: PRICE })
    expect(world.totals().money).toMatchObject({ owedMinor: 0, refundedMinor: PRICE, balanced: true })
  })

  test('money that no booking took as well', () => {
    const world = new World()
    world.callback({ transactionId: 'co-9', checkoutRequestId: 'co-9', receipt: 'R-9' })
    world.ok(ADMIN, 'refundSuspense', { transactionId: 'co-9', note: '' })
    failRefund(world)
    expect(world.totals().money).toMatchObject({ owedMinor: PRICE, refundedMinor: 0 })
    world.ok(ADMIN, 'settleRefundManually', { refundId: 'ref-1', reference: 'B-1' })
    expect(world.totals().money).toMatchObject({ owedMinor: 0, refundedMinor: PRICE, balanced: true })
  })
})

describe('domain.md §3.5 nobody knows who paid money that an administrator found a booking for', () => {
  const payers = (world: World): Value[] => world.tasks('payment.refund').map(({ payload }) => payload['payer'] ?? null)

  test('matched from suspense, by transaction or by receipt, it does not go back to the phone of the booking', () => {
    for (const by of ['matchSuspense', 'verifyPaymentManually'] as const) {
      const world = new World()
      const id = world.booked('payment_pending')
      world.callback({ transactionId: 'co-9', checkoutRequestId: 'co-9', receipt: 'R-9' })
      if (by === 'matchSuspense') world.ok(ADMIN, by, { transactionId: 'co-9', bookingId: id, note: '' })
      else world.ok(ADMIN, by, { id, transactionId: 'R-9', amountMinor: PRICE, note: '' })
      // Told again with another receipt it is other money, of whoever paid the first.
      world.callback({ transactionId: 'co-9', checkoutRequestId: 'co-9', receipt: 'R-10' })
      world.ok(THERAPIST, 'cancel', { id, reason: 'other' })
      expect([by, payers(world)]).toEqual([by, [null, null]])
    }
  })

  test('vouched for by hand it neither does, taken or not', () => {
    const world = new World()
    const id = world.booked('payment_pending')
    world.ok(ADMIN, 'verifyPaymentManually', { id, transactionId: 'R-1', amountMinor: PRICE - 100, note: '' })
    world.ok(ADMIN, 'verifyPaymentManually', { id, transactionId: 'R-2', amountMinor: PRICE, note: '' })
    world.ok(THERAPIST, 'cancel', { id, reason: 'other' })
    expect(payers(world)).toEqual([null, null])
  })

  test('what a push brought goes back to its phone, also when its callback overtook the ids of the push', () => {
    const world = new World()
    const id = world.booked('payment_pending')
    world.callback({ transactionId: 'co-9', checkoutRequestId: 'co-9', receipt: 'R-9' })
    const ids = { checkoutRequestId: 'co-9', merchantRequestId: 'm' }
    world.ok(WORKER, 'paymentStarted', { attemptId: world.attempt(id), ...ids })
    world.ok(THERAPIST, 'cancel', { id, reason: 'other' })
    expect(payers(world)).toEqual([PHONE])
  })
})
