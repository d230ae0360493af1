import { describe, expect, test } from 'vitest'
import type { Value } from '../../../../src/codec/value/value.ts'
import { ADMIN, CLIENT, callbackOf, PHONE, PRICE, THERAPIST, WORKER, World } from '../world.ts'

const ORPHAN = { reason: 'ORPHAN', pct: 100, status: 'QUEUED' }

/** A booking whose first attempt failed and whose second is under way (or has failed too). */
function retried(world: World, second: 'initiated' | 'failed'): { id: string; older: string; current: string } {
  const id = world.booked('failed')
  world.ok(CLIENT, 'initiatePayment', { id, phone: PHONE })
  const [older, current] = [world.attempt(id, 1), world.attempt(id, 2)]
  if (second === 'failed')
    world.callback({ transactionId: 'tx-second', attemptId: current, outcome: 'failure', resultCode: 1 })
  return { id, older, current }
}

describe('domain.md §3.5 row initiated / payment_pending', () => {
  test('domain.md §3.5 success with the price: APPLIED, confirmed and paid, in one group with its callback', () => {
    const world = new World()
    const id = world.booked('payment_pending')
    expect(world.callback({ attemptId: world.attempt(id) })).toMatchObject({
      result: 'APPLIED',
      payment: 'confirmed',
      session: 'paid',
    })
    expect(world.view(id)).toMatchObject({
      captures: [{ transactionId: 'tx-1', amountMinor: PRICE, applied: true }],
      refunds: [],
      capturedMinor: PRICE,
    })
    const group = world.audit(id).filter(({ action }) => action === 'paymentCallback')
    expect(group.map(({ entity, from, to }) => `${entity} ${from}→${to}`)).toEqual([
      'payment initiated→confirmed',
      'session payment_pending→paid',
      'callback null→APPLIED',
    ])
    expect(new Set(group.map((record) => record.group)).size).toBe(1)
    for (const principal of [CLIENT, THERAPIST]) expect(world.topics(principal)).toContain('payment.confirmed')
  })

  test("domain.md §3.1 an attempt keeps its outcome and the provider's code when another follows", () => {
    const world = new World()
    const id = world.booked('failed')
    const outcomes = () => world.answer<{ attemptList: readonly object[] }>(ADMIN, 'get', { id }).attemptList
    expect(outcomes()).toMatchObject([{ outcome: 'FAILED', resultCode: '1032' }])
    world.ok(CLIENT, 'initiatePayment', { id, phone: PHONE })
    const failed = { no: 1, outcome: 'FAILED', resultCode: '1032' }
    expect(outcomes()).toMatchObject([failed, { no: 2, outcome: null, resultCode: null }])
    world.callback({ transactionId: 'tx-2', attemptId: world.attempt(id) })
    expect(outcomes()).toMatchObject([failed, { no: 2, outcome: 'SUCCESS', resultCode: '0' }])
  })

  test("domain.md §3.5 an older attempt's success: APPLIED, the current attempt is SUPERSEDED", () => {
    const world = new World()
    const { id, older } = retried(world, 'initiated')
    expect(world.callback({ transactionId: 'tx-late', attemptId: older })).toMatchObject({
      result: 'APPLIED',
      session: 'paid',
    })
    expect(world.view(id).attemptList.map(({ outcome }) => outcome)).toEqual(['SUCCESS', 'SUPERSEDED'])
  })

  test('domain.md §3.5 success with another amount, current attempt: REJECTED_AMOUNT, failed, the money goes back', () => {
    const world = new World()
    const id = world.booked('payment_pending')
    const answer = world.callback({ attemptId: world.attempt(id), amountMinor: 123, receipt: 'R-1' })
    expect(answer).toMatchObject({ result: 'REJECTED_AMOUNT', payment: 'failed', session: 'payment_pending' })
    expect(world.view(id)).toMatchObject({
      captures: [{ amountMinor: 123, applied: false }],
      refunds: [{ ...ORPHAN, amountMinor: 123 }],
    })
    expect(world.notes(CLIENT).at(-1)).toMatchObject({ topic: 'payment.retry_needed', body: { reason: 'AMOUNT' } })
  })

  test('domain.md §3.5 success with another amount, older attempt: REJECTED_AMOUNT, the current one goes on', () => {
    const world = new World()
    const { id, older } = retried(world, 'initiated')
    const answer = world.callback({
      transactionId: 'tx-late',
      attemptId: older,
      amountMinor: PRICE + 1,
      receipt: 'R-1',
    })
    expect(answer).toMatchObject({ result: 'REJECTED_AMOUNT', payment: 'initiated' })
    expect(world.view(id).refunds).toMatchObject([{ ...ORPHAN, amountMinor: PRICE + 1 }])
  })

  test('domain.md §3.5 failure of the current attempt: APPLIED, failed, the client is told to try again', () => {
    const world = new World()
    const id = world.booked('payment_pending')
    const answer = world.callback({ attemptId: world.attempt(id), outcome: 'failure', resultCode: 1032 })
    expect(answer).toMatchObject({ result: 'APPLIED', payment: 'failed', session: 'payment_pending' })
    expect(world.notes(CLIENT).at(-1)).toEqual({
      topic: 'payment.retry_needed',
      body: { bookingId: id, reason: '1032' },
      seq: expect.anything(),
    })
  })

  test('domain.md §3.5 failure of an older attempt: IGNORED_STALE', () => {
    const world = new World()
    const { id, older } = retried(world, 'initiated')
    const answer = world.callback({ transactionId: 'tx-late', attemptId: older, outcome: 'failure', resultCode: 1 })
    expect(answer).toMatchObject({ result: 'IGNORED_STALE', payment: 'initiated' })
    expect(world.triple(id)).toBe('initiated/payment_pending/not_started')
  })
})

describe('domain.md §3.5 row failed / payment_pending', () => {
  test.each(['older', 'current'] as const)(
    'domain.md §3.5 success of the %s attempt: APPLIED_LATE through initiated',
    (which) => {
      const world = new World()
      const found = retried(world, 'failed')
      expect(world.callback({ transactionId: 'tx-late', attemptId: found[which] })).toMatchObject({
        result: 'APPLIED_LATE',
        session: 'paid',
      })
      const steps = world
        .audit(found.id)
        .filter(({ ref, entity, at }) => entity === 'payment' || ref === 'tx-late' || at < 0)
      expect(steps.slice(-3).map(({ from, to }) => `${from}→${to}`)).toEqual([
        'failed→initiated',
        'initiated→confirmed',
        'null→APPLIED_LATE',
      ])
    },
  )

  test('domain.md §3.5 success with another amount: REJECTED_AMOUNT, the money goes back, still failed', () => {
    const world = new World()
    const { id, current } = retried(world, 'failed')
    const told = { transactionId: 'tx-late', attemptId: current, amountMinor: 1, receipt: 'R-1' }
    expect(world.callback(told)).toMatchObject({ result: 'REJECTED_AMOUNT', payment: 'failed' })
    expect(world.view(id).refunds).toMatchObject([{ ...ORPHAN, amountMinor: 1 }])
  })

  test.each(['older', 'current'] as const)('domain.md §3.5 failure of the %s attempt: IGNORED_STALE', (which) => {
    const world = new World()
    const found = retried(world, 'failed')
    const answer = world.callback({
      transactionId: 'tx-late',
      attemptId: found[which],
      outcome: 'failure',
      resultCode: 1,
    })
    expect(answer).toMatchObject({ result: 'IGNORED_STALE', payment: 'failed' })
  })
})

describe('domain.md §3.5 rows confirmed, refunded and cancelled', () => {
  const settled = {
    confirmed: (world: World) => world.booked('ready'),
    refunded: (world: World) => world.booked('cancelled'),
    cancelled: (world: World) => {
      const id = world.booked('payment_pending')
      world.ok(THERAPIST, 'cancel', { id, reason: 'illness' })
      return id
    },
  }
  for (const [payment, make] of Object.entries(settled)) {
    test.each([PRICE, PRICE - 1])(
      `domain.md §3.5 ${payment} / success of %i: ORPHANED, all of it goes back`,
      (amountMinor) => {
        const world = new World()
        const id = make(world)
        const triple = world.triple(id)
        const captured = world.view(id).capturedMinor
        const told = { transactionId: 'tx-more', attemptId: world.attempt(id), amountMinor, receipt: 'R-MORE' }
        expect(world.callback(told)).toMatchObject({ result: 'ORPHANED', payment })
        expect(world.triple(id)).toBe(triple)
        expect(world.view(id).refunds.at(-1)).toMatchObject({ ...ORPHAN, amountMinor, transactionId: 'tx-more' })
        expect(world.view(id).capturedMinor).toBe(captured + amountMinor)
      },
    )

    test(`domain.md §3.5 ${payment} / failure: IGNORED_STALE`, () => {
      const world = new World()
      const id = make(world)
      const answer = world.callback({
        transactionId: 'tx-more',
        attemptId: world.attempt(id),
        outcome: 'failure',
        resultCode: 9,
      })
      expect(answer).toMatchObject({ result: 'IGNORED_STALE', payment })
      expect(world.view(id).refunds.filter(({ reason }) => reason === 'ORPHAN')).toEqual([])
    })
  }
})

describe('domain.md §3.5 unknown attempts', () => {
  test('domain.md §3.5 a callback of no known attempt is an ok result, kept, and alerts the administrators', () => {
    const world = new World()
    const unknown = { result: 'UNKNOWN_ATTEMPT', bookingId: null, attemptId: null, payment: null, session: null }
    expect(world.callback({ attemptId: 'att-404' })).toEqual(unknown)
    expect(world.callback({ attemptId: 'att-404' })).toEqual({ ...unknown, duplicate: true })
    expect(world.notes(ADMIN)).toMatchObject([{ topic: 'admin.alert' }])
    expect(world.totals().callbacks).toMatchObject({ UNKNOWN_ATTEMPT: 1 })
  })

  for (const how of ['paymentStarted', 'payment.stk_push'] as const) {
    test(`domain.md §3.5 a callback that overtakes its ${how} is judged when that comes`, () => {
      const world = new World()
      const id = world.booked('payment_pending')
      const early = { transactionId: 'co-1', checkoutRequestId: 'co-1', receipt: 'R-1' }
      const first = world.callback(early)
      expect(first).toMatchObject({ result: 'UNKNOWN_ATTEMPT' })
      const ids = { checkoutRequestId: 'co-1', merchantRequestId: 'm-1' }
      if (how === 'paymentStarted') world.ok(WORKER, how, { attemptId: world.attempt(id), ...ids })
      else for (const task of world.tasks(how)) world.complete(task, ids)
      expect(world.triple(id)).toBe('confirmed/paid/not_started')
      expect(world.view(id).captures).toMatchObject([{ transactionId: 'co-1', applied: true }])
      expect(world.totals().callbacks).toMatchObject({ UNKNOWN_ATTEMPT: 0, APPLIED: 1 })
      // The answer that was given stays; the effect is not repeated.
      expect(world.callback(early)).toEqual({ ...first, duplicate: true })
      expect(world.callback({ ...early, attemptId: world.attempt(id) })).toEqual({ ...first, duplicate: true })
      expect(world.view(id).captures).toHaveLength(1)
    })
  }

  test('PP12 an early callback whose receipt was captured meanwhile is no second capture', () => {
    const world = new World()
    const id = world.booked('payment_pending')
    world.callback({ transactionId: 'co-1', checkoutRequestId: 'co-1', receipt: 'R-1' })
    world.ok(ADMIN, 'verifyPaymentManually', { id, transactionId: 'R-1', amountMinor: PRICE, note: '' })
    world.ok(WORKER, 'paymentStarted', {
      attemptId: world.attempt(id),
      checkoutRequestId: 'co-1',
      merchantRequestId: 'm-1',
    })
    expect(world.view(id).captures).toHaveLength(1)
    expect(world.totals().callbacks).toMatchObject({ UNKNOWN_ATTEMPT: 0, APPLIED: 1, SAME_RECEIPT: 0 })
  })

  test('domain.md §3.5 the attempt is looked up by checkoutRequestId; one of the two must be given', () => {
    const world = new World()
    const id = world.booked('payment_pending')
    world.ok(WORKER, 'paymentStarted', {
      attemptId: world.attempt(id),
      checkoutRequestId: 'co-1',
      merchantRequestId: 'm-1',
    })
    expect(world.callback({ checkoutRequestId: 'co-1' })).toMatchObject({ result: 'APPLIED', bookingId: id })
    expect(world.refused(WORKER, 'paymentCallback', callbackOf({}))).toMatchObject({ code: 'VALIDATION_ERROR' })
    const noAmount = callbackOf({ checkoutRequestId: 'co-1', amountMinor: undefined })
    expect(world.refused(WORKER, 'paymentCallback', noAmount)).toMatchObject({ code: 'VALIDATION_ERROR' })
  })
})

describe('domain.md §3.5 receipts and manual verification', () => {
  test('PP12 a receipt seen under another transaction is the same money: no capture, no refund', () => {
    const world = new World()
    const id = world.booked('payment_pending')
    const attemptId = world.attempt(id)
    const first = world.callback({ transactionId: 'tx-1', attemptId, receipt: 'R-1' })
    const again = world.callback({ transactionId: 'tx-2', attemptId, receipt: 'R-1' })
    expect(again).toEqual({ ...first, duplicate: true })
    expect(world.callback({ transactionId: 'tx-2', attemptId, receipt: 'R-1' })).toEqual(again)
    expect(world.view(id)).toMatchObject({ captures: [{ transactionId: 'tx-1' }], refunds: [], capturedMinor: PRICE })
    expect(world.callback({ transactionId: 'tx-3', attemptId, receipt: 'R-2' })).toMatchObject({ result: 'ORPHANED' })
  })

  test('letters of a receipt from a to z are the same in either case, and others are what they are in every build', () => {
    const world = new World()
    const attemptId = world.attempt(world.booked('payment_pending'))
    world.callback({ transactionId: 'tx-1', attemptId, receipt: ' q\u019b1 ' })
    const told = (transactionId: string, receipt: string) => world.callback({ transactionId, attemptId, receipt })
    expect(told('tx-2', 'Q\u019b1')).toMatchObject({ duplicate: true })
    // The capital letter of U+019B, since Unicode 16: to a build that knows an earlier one it is another letter.
    expect(told('tx-3', 'Q\ua7dc1')).toMatchObject({ result: 'ORPHANED' })
  })

  test('PP12 manual verification and the callback with that receipt are one capture, in either order', () => {
    const manual = (id: string): Value => ({ id, transactionId: 'R-1', amountMinor: PRICE, note: 'statement' })
    for (const manualFirst of [true, false]) {
      const world = new World()
      const id = world.booked('payment_pending')
      const callback = { transactionId: 'co-1', attemptId: world.attempt(id), receipt: 'R-1' }
      const verify = (): object => world.ok(ADMIN, 'verifyPaymentManually', manual(id))
      const first = manualFirst ? verify() : world.callback(callback)
      const second = manualFirst ? world.callback(callback) : verify()
      expect(first).toMatchObject({ result: 'APPLIED', session: 'paid' })
      expect(second).toEqual({ ...first, duplicate: true })
      expect(verify()).toEqual({ ...first, duplicate: true })
      expect(world.view(id)).toMatchObject({ refunds: [], capturedMinor: PRICE })
      expect(world.view(id).captures).toHaveLength(1)
    }
  })

  test('domain.md §3.4 manual verification follows the table and refuses a receipt used otherwise', () => {
    const world = new World()
    const id = world.booked('payment_pending')
    const other = world.booked('payment_pending', { startsAt: world.now + 9e8 })
    const verify = { id, transactionId: 'R-1', amountMinor: PRICE - 1, note: '' }
    expect(world.ok(ADMIN, 'verifyPaymentManually', verify)).toMatchObject({
      result: 'REJECTED_AMOUNT',
      payment: 'failed',
    })
    expect(world.refused(ADMIN, 'verifyPaymentManually', { ...verify, amountMinor: PRICE })).toMatchObject({
      code: 'IDEMPOTENCY_CONFLICT',
    })
    expect(world.ok(ADMIN, 'verifyPaymentManually', { ...verify, id: other })).toMatchObject({
      bookingId: id,
      duplicate: true,
    })
    const late = { ...verify, transactionId: 'R-2', amountMinor: PRICE }
    expect(world.ok(ADMIN, 'verifyPaymentManually', late)).toMatchObject({ result: 'APPLIED_LATE', session: 'paid' })
    expect(world.audit(id).find(({ ref }) => ref === 'R-2')).toMatchObject({
      action: 'verifyPaymentManually',
      by: ADMIN,
    })
  })

  test('domain.md §3.5 the result code 0 and "0" are one content; a failure never confirms', () => {
    const world = new World()
    const id = world.booked('payment_pending')
    const attemptId = world.attempt(id)
    const first = world.callback({ attemptId, resultCode: 0 })
    expect(world.callback({ attemptId, resultCode: '0' })).toEqual({ ...first, duplicate: true })
    const failing = world.booked('payment_pending', { startsAt: world.now + 9e8 })
    const failure = {
      transactionId: 'tx-f',
      attemptId: world.attempt(failing),
      outcome: 'failure',
      amountMinor: PRICE,
      resultCode: 1,
    }
    expect(world.callback(failure)).toMatchObject({ payment: 'failed' })
    expect(world.view(failing).captures).toEqual([])
  })
})
