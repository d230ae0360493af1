import { describe, expect, test } from 'vitest'
import { MINUTE_MS } from '../../../../src/base/time.ts'
import type { Value } from '../../../../src/codec/value/value.ts'
import { ADMIN, CLIENT, callbackOf, PHONE, PRICE, WORKER, World } from '../world.ts'

const LOST = { transactionId: 'co-9', checkoutRequestId: 'co-9', receipt: 'r-9', resultCode: 0 }

interface Suspense {
  readonly money: readonly { readonly transactionId: string; readonly receipt: string | null }[]
  readonly next: string | null
}
const suspense = (world: World, input: Value = {}): Suspense => world.answer<Suspense>(ADMIN, 'suspense', input)

describe('domain.md §3.5 money in suspense', () => {
  test('domain.md §3.5 a success for a checkout nobody started: totals, query, stuck and alert have it', () => {
    const world = new World()
    expect(world.callback(LOST)).toMatchObject({ result: 'UNKNOWN_ATTEMPT', bookingId: null })
    const money = { transactionId: 'co-9', checkoutRequestId: 'co-9', amountMinor: PRICE, receipt: 'R-9' }
    expect(world.notes(ADMIN)).toMatchObject([
      { topic: 'admin.alert', body: { kind: 'UNKNOWN_ATTEMPT', details: { ...money, at: world.now } } },
    ])
    expect(suspense(world)).toEqual({ money: [{ ...money, currency: 'KES', at: world.now }], next: null })
    expect(world.totals()).toMatchObject({
      suspense: { count: 1, minor: PRICE },
      money: { receivedMinor: PRICE, suspenseMinor: PRICE, balanced: true },
      callbacks: { UNKNOWN_ATTEMPT: 1 },
    })
    expect(world.answer(ADMIN, 'stuck', {})['stuck']).toEqual([])
    const sinceMs = world.now
    world.pass(11 * MINUTE_MS)
    expect(world.answer(ADMIN, 'stuck', {})['stuck']).toEqual([
      { id: 'co-9', entity: 'money', state: 'suspense', sinceMs, forMs: 11 * MINUTE_MS },
    ])
  })

  test('domain.md §3.5 a failure for a checkout nobody started is no money', () => {
    const world = new World()
    world.callback({ ...LOST, receipt: undefined, outcome: 'failure', resultCode: 1032 })
    expect(suspense(world).money).toEqual([])
    expect(world.totals().suspense).toEqual({ count: 0, minor: 0 })
    // Then its success: that is.
    expect(world.callback(LOST)).toMatchObject({ result: 'UNKNOWN_ATTEMPT' })
    expect(world.totals()).toMatchObject({ suspense: { count: 1 }, callbacks: { UNKNOWN_ATTEMPT: 1 } })
  })

  test('domain.md §3.5 paymentStarted with its CheckoutRequestID judges it', () => {
    const world = new World()
    const id = world.booked('payment_pending')
    const first = world.callback(LOST)
    const ids = { checkoutRequestId: 'co-9', merchantRequestId: 'm' }
    world.ok(WORKER, 'paymentStarted', { attemptId: world.attempt(id), ...ids })
    expect(world.triple(id)).toBe('confirmed/paid/not_started')
    expect(suspense(world).money).toEqual([])
    expect(world.totals()).toMatchObject({
      suspense: { count: 0, minor: 0 },
      money: { keptMinor: PRICE, balanced: true },
    })
    expect(world.callback(LOST)).toEqual({ ...first, duplicate: true })
  })

  test('domain.md §3.5 a second success of an unknown checkout is other money, and is judged as such', () => {
    const world = new World()
    const id = world.booked('payment_pending')
    world.callback(LOST)
    const second = world.callback({ ...LOST, receipt: 'R-10' })
    expect(second).toMatchObject({ result: 'UNKNOWN_ATTEMPT' })
    expect(world.callback({ ...LOST, receipt: 'R-10' })).toEqual({ ...second, duplicate: true })
    expect(suspense(world).money.map(({ transactionId }) => transactionId)).toEqual(['co-9', 'co-9#2'])
    const ids = { checkoutRequestId: 'co-9', merchantRequestId: 'm' }
    world.ok(WORKER, 'paymentStarted', { attemptId: world.attempt(id), ...ids })
    expect(world.view(id)).toMatchObject({
      captures: [
        { transactionId: 'co-9', applied: true },
        { transactionId: 'co-9#2', applied: false },
      ],
      refunds: [{ transactionId: 'co-9#2', reason: 'ORPHAN' }],
    })
    expect(world.totals()).toMatchObject({ suspense: { count: 0 }, money: { balanced: true } })
  })

  test('domain.md §3.5 a receipt that is captured already is no money in suspense', () => {
    const world = new World()
    const id = world.booked('payment_pending')
    const paid = world.callback({ attemptId: world.attempt(id), receipt: 'R-9' })
    expect(world.callback(LOST)).toEqual({ ...paid, duplicate: true })
    expect(world.totals()).toMatchObject({ suspense: { count: 0 }, callbacks: { SAME_RECEIPT: 1, UNKNOWN_ATTEMPT: 0 } })
    expect(world.answer(ADMIN, 'reviews', {})['reviews']).toMatchObject([
      { kind: 'RECEIPT_OTHER_BOOKING', bookingId: null },
    ])
  })

  test('domain.md §3.4 matchSuspense: an administrator says which booking it is for', () => {
    const world = new World()
    const id = world.booked('payment_pending')
    const first = world.callback({ ...LOST, receipt: undefined })
    expect(world.callback(LOST)).toEqual({ ...first, duplicate: true })
    expect(suspense(world).money).toMatchObject([{ receipt: 'R-9' }])
    const match = { transactionId: 'co-9', bookingId: id, note: 'by phone' }
    expect(world.refused(CLIENT, 'matchSuspense', match)).toMatchObject({ code: 'FORBIDDEN' })
    expect(world.refused(ADMIN, 'matchSuspense', { ...match, transactionId: 'co-8' })).toMatchObject({
      code: 'NOT_FOUND',
    })
    expect(world.ok(ADMIN, 'matchSuspense', match)).toEqual({
      result: 'APPLIED',
      bookingId: id,
      attemptId: world.attempt(id),
      payment: 'confirmed',
      session: 'paid',
    })
    expect(world.audit(id).at(-1)).toMatchObject({
      action: 'matchSuspense',
      to: 'APPLIED',
      reason: 'by phone',
      by: ADMIN,
    })
    expect(world.refused(ADMIN, 'matchSuspense', match)).toMatchObject({ code: 'NOT_FOUND' })
    expect(world.callback(LOST)).toEqual({ ...first, duplicate: true })
    expect(world.totals().money).toMatchObject({ keptMinor: PRICE, suspenseMinor: 0, balanced: true })
  })

  test('domain.md §3.4 matchSuspense takes no other amount, and no booking that awaits nothing', () => {
    const world = new World()
    world.callback({ ...LOST, amountMinor: PRICE - 100 })
    const id = world.booked('payment_pending')
    const match = { transactionId: 'co-9', bookingId: id, note: '' }
    expect(world.refused(ADMIN, 'matchSuspense', match)).toMatchObject({
      code: 'STALE_STATE',
      details: { field: 'amountMinor', expected: PRICE, actual: PRICE - 100 },
    })
    const early = world.booked('approved', { startsAt: world.now + 9e8 })
    expect(world.refused(ADMIN, 'matchSuspense', { ...match, bookingId: early })).toMatchObject({
      code: 'INVALID_STATE_TRANSITION',
    })
    expect(world.totals().suspense).toEqual({ count: 1, minor: PRICE - 100 })
  })

  test('domain.md §3.5 verifyPaymentManually with a receipt in suspense matches it', () => {
    const world = new World()
    const id = world.booked('payment_pending')
    world.callback(LOST)
    const verify = { id, transactionId: 'R-9', amountMinor: PRICE, note: '' }
    const done = world.ok(ADMIN, 'verifyPaymentManually', verify)
    expect(done).toMatchObject({ result: 'APPLIED', bookingId: id, session: 'paid' })
    expect(world.ok(ADMIN, 'verifyPaymentManually', verify)).toEqual({ ...done, duplicate: true })
    expect(world.totals()).toMatchObject({ suspense: { count: 0 }, callbacks: { APPLIED: 1, UNKNOWN_ATTEMPT: 0 } })
    // Where the booking awaits nothing, the money stays where it is.
    world.callback({ ...LOST, transactionId: 'co-10', checkoutRequestId: 'co-10', receipt: 'R-10' })
    expect(world.ok(ADMIN, 'verifyPaymentManually', { ...verify, transactionId: 'R-10' })).toMatchObject({
      result: 'UNKNOWN_ATTEMPT',
      duplicate: true,
    })
    expect(world.totals().suspense.count).toBe(1)
  })

  test('domain.md §3.5 verifyPaymentManually gives money in suspense to no booking that awaits another amount', () => {
    const world = new World()
    const id = world.booked('payment_pending')
    world.callback({ ...LOST, amountMinor: PRICE - 100 })
    const verify = { id, transactionId: 'R-9', amountMinor: PRICE - 100, note: '' }
    expect(world.refused(ADMIN, 'verifyPaymentManually', verify)).toMatchObject({
      code: 'STALE_STATE',
      details: { field: 'amountMinor', expected: PRICE, actual: PRICE - 100 },
    })
    expect(world.triple(id)).toBe('initiated/payment_pending/not_started')
    expect(world.tasks('payment.refund')).toEqual([])
    expect(world.totals().suspense).toEqual({ count: 1, minor: PRICE - 100 })
  })

  test('domain.md §3.4 refundSuspense: an administrator sends it back', () => {
    const world = new World()
    const first = world.callback(LOST)
    const refund = { transactionId: 'co-9', note: 'nobody misses it' }
    expect(world.refused(CLIENT, 'refundSuspense', refund)).toMatchObject({ code: 'FORBIDDEN' })
    expect(world.ok(ADMIN, 'refundSuspense', refund)).toEqual({
      refundId: 'ref-1',
      status: 'QUEUED',
      amountMinor: PRICE,
    })
    expect(world.refused(ADMIN, 'refundSuspense', refund)).toMatchObject({ code: 'NOT_FOUND' })
    expect(world.totals().money).toMatchObject({ owedMinor: PRICE, suspenseMinor: 0, balanced: true })
    const [task] = world.tasks('payment.refund')
    expect(task?.payload).toMatchObject({
      bookingId: null,
      receipt: 'R-9',
      amountMinor: PRICE,
      payer: null,
      payerMasked: null,
    })
    if (task !== undefined) world.complete(task, { providerRef: 'B2C-1' })
    expect(world.totals().money).toMatchObject({ receivedMinor: PRICE, refundedMinor: PRICE, balanced: true })
    expect(world.callback(LOST)).toEqual({ ...first, duplicate: true })
  })

  test('domain.md §3.9 suspense pages in order of transaction; it and reviews are for administrators', () => {
    const world = new World()
    for (const number of [3, 1, 2]) {
      world.callback({ transactionId: `co-${number}`, checkoutRequestId: `co-${number}`, receipt: `R-${number}` })
    }
    const first = suspense(world, { limit: 2 })
    expect(first).toMatchObject({ money: [{ transactionId: 'co-1' }, { transactionId: 'co-2' }], next: 'co-2' })
    expect(suspense(world, { limit: 2, after: 'co-2' })).toMatchObject({
      money: [{ transactionId: 'co-3' }],
      next: null,
    })
    for (const query of ['suspense', 'reviews']) {
      expect(world.ask(CLIENT, query, {})).toMatchObject({ code: 'FORBIDDEN' })
      expect(world.ask(null, query, {})).toMatchObject({ code: 'UNAUTHENTICATED' })
    }
  })

  test('domain.md §3.5 money of a failed push that nobody knows: the failure is answered again, the money is kept', () => {
    const world = new World()
    const failure = { ...LOST, receipt: undefined, outcome: 'failure', resultCode: 1 }
    const failed = world.callback(failure)
    const id = world.booked('payment_pending')
    world.ok(WORKER, 'paymentStarted', {
      attemptId: world.attempt(id),
      checkoutRequestId: 'co-9',
      merchantRequestId: 'm',
    })
    expect(world.triple(id)).toBe('failed/payment_pending/not_started')
    expect(world.callback(LOST)).toMatchObject({ result: 'APPLIED_LATE' })
    expect(world.callback(failure)).toEqual({ ...failed, duplicate: true })
    expect(world.refused(WORKER, 'paymentCallback', callbackOf({ ...failure, resultCode: 1032 }))).toMatchObject({
      code: 'IDEMPOTENCY_CONFLICT',
    })
    expect(world.view(id).attemptList).toMatchObject([{ phone: '*********678', outcome: 'SUCCESS' }])
    expect(PHONE).toContain('678')
  })
})
