import { describe, expect, test } from 'vitest'
import { DAY_MS } from '../../../../src/base/time.ts'
import type { Value } from '../../../../src/codec/value/value.ts'
import { ADMIN, CLIENT, PRICE, THERAPIST, WORKER, World } from '../world.ts'

/** Receipts that come after their money was counted: told late, by hand, or of money counted already (domain.md §3.5). */

const LOST = { transactionId: 'co-9', checkoutRequestId: 'co-9' }

const verify = (world: World, id: string, transactionId = 'R-9'): Value =>
  world.ok(ADMIN, 'verifyPaymentManually', { id, transactionId, amountMinor: PRICE, note: '' })

const start = (world: World, id: string): Value =>
  world.ok(WORKER, 'paymentStarted', {
    attemptId: world.attempt(id),
    checkoutRequestId: 'co-9',
    merchantRequestId: 'm',
  })

/** Money is what arrived once: the price, and all of it paid for a booking. */
function expectPaidOnce(world: World): void {
  expect(world.totals()).toMatchObject({
    money: { receivedMinor: PRICE, keptMinor: PRICE, owedMinor: 0, refundedMinor: 0, suspenseMinor: 0 },
    captures: { applied: { count: 1, minor: PRICE }, orphan: { count: 0, minor: 0 } },
    suspense: { count: 0, minor: 0 },
  })
  expect(world.answer<{ receipts: object[] }>(ADMIN, 'receipts', {}).receipts).toHaveLength(1)
}

const kinds = (world: World): string[] =>
  world.answer<{ reviews: { kind: string }[] }>(ADMIN, 'reviews', {}).reviews.map(({ kind }) => kind)

/** Nobody works for the provider: refunds wait in the queue, and no worker was ever given one. */
const withoutWorker = (world: World): void => {
  world.close(WORKER)
}

describe('domain.md §3.5 a receipt that is told late', () => {
  test('domain.md §3.5 money in suspense that was verified by hand leaves suspense when the repeat brings its receipt', () => {
    const world = new World()
    const id = world.booked('payment_pending')
    const first = world.callback(LOST)
    verify(world, id)
    expect(world.callback({ ...LOST, receipt: 'r-9' })).toEqual({ ...first, duplicate: true })
    expectPaidOnce(world)
    expect(world.totals().callbacks).toMatchObject({ APPLIED: 1, UNKNOWN_ATTEMPT: 0, SAME_RECEIPT: 1 })
    expect(kinds(world)).toEqual(['RECEIPT_OTHER_BOOKING'])
    // It pays for nothing else: neither by hand, nor when its push is named.
    const other = world.booked('payment_pending', { startsAt: world.now + 9 * DAY_MS })
    const match = { transactionId: 'co-9', bookingId: other, note: '' }
    expect(world.refused(ADMIN, 'matchSuspense', match)).toMatchObject({ code: 'NOT_FOUND' })
    start(world, other)
    expect(world.triple(other)).toBe('initiated/payment_pending/not_started')
    expect(world.tasks('payment.refund')).toEqual([])
    expect(world.callback({ ...LOST, receipt: 'R-9' })).toEqual({ ...first, duplicate: true })
    expectPaidOnce(world)
    // Another receipt is other money still.
    expect(world.callback({ ...LOST, receipt: 'R-10' })).toMatchObject({ result: 'ORPHANED' })
    expect(world.totals().money).toMatchObject({ receivedMinor: 2 * PRICE, owedMinor: PRICE, balanced: true })
  })

  test('domain.md §3.5 an orphan without a receipt waits, and is taken back when it turns out to be what was verified', () => {
    const world = new World()
    const id = world.booked('payment_pending')
    world.callback(LOST)
    verify(world, id)
    start(world, id)
    expect(world.view(id).refunds).toMatchObject([{ reason: 'ORPHAN', status: 'AWAITING_APPROVAL' }])
    expect(world.tasks('payment.refund')).toEqual([])
    world.callback({ ...LOST, receipt: 'R-9' })
    expectPaidOnce(world)
    expect(world.view(id)).toMatchObject({
      captures: [{ transactionId: 'R-9', applied: true }],
      refunds: [{ amountMinor: 0, status: 'NOT_DUE' }],
      capturedMinor: PRICE,
      refundedMinor: 0,
    })
    expect(world.audit(id).filter(({ ref }) => ref === 'ref-1' || ref === 'co-9')).toMatchObject([
      { entity: 'refund', to: 'AWAITING_APPROVAL' },
      { entity: 'callback', to: 'ORPHANED' },
      { entity: 'refund', from: 'AWAITING_APPROVAL', to: 'NOT_DUE', reason: 'SAME_RECEIPT' },
      { entity: 'callback', from: 'ORPHANED', to: 'SAME_RECEIPT', reason: 'R-9' },
    ])
    expect(world.notes(CLIENT).at(-1)).toMatchObject({ topic: 'refund.status', body: { status: 'NOT_DUE' } })
    expect(kinds(world)).toEqual([])
    for (const command of ['approveRefund', 'rejectRefund']) {
      expect(world.refused(ADMIN, command, { refundId: 'ref-1' })).toMatchObject({ code: 'INVALID_STATE_TRANSITION' })
    }
  })

  test('domain.md §3.5 money that an administrator sends back waits for its receipt, and is taken back', () => {
    const world = new World()
    const id = world.booked('payment_pending')
    world.callback(LOST)
    verify(world, id)
    const refund = world.ok(ADMIN, 'refundSuspense', { transactionId: 'co-9', note: '' })
    expect(refund).toMatchObject({ status: 'AWAITING_APPROVAL' })
    world.callback({ ...LOST, receipt: 'R-9' })
    expectPaidOnce(world)
    expect(world.totals().refunds).toMatchObject({ count: 1, minor: 0, status: { NOT_DUE: 1, AWAITING_APPROVAL: 0 } })
  })

  test('domain.md §3.5 the repeat paid for a booking: what is in suspense under its receipt was the same money', () => {
    const world = new World()
    const id = world.booked('payment_pending')
    const paid = { transactionId: 'co-1', attemptId: world.attempt(id) }
    world.callback(paid)
    world.callback({ ...LOST, receipt: 'R-9' })
    expect(world.totals().money).toMatchObject({ receivedMinor: 2 * PRICE, suspenseMinor: PRICE })
    world.callback({ ...paid, receipt: 'R-9' })
    expectPaidOnce(world)
    expect(world.answer(ADMIN, 'receipts', {})).toMatchObject({ receipts: [{ transactionId: 'co-1', receipt: 'R-9' }] })
    expect(world.callback({ ...LOST, receipt: 'R-9' })).toMatchObject({ result: 'UNKNOWN_ATTEMPT', duplicate: true })
    expectPaidOnce(world)
  })

  test('domain.md §3.5 the same, when what has the receipt is an orphan that no worker was given: it is taken back', () => {
    const world = new World()
    const id = world.booked('payment_pending')
    withoutWorker(world)
    world.open(WORKER, ['payments-webhook'])
    const paid = { transactionId: 'co-1', attemptId: world.attempt(id) }
    world.callback(paid)
    world.callback({ transactionId: 'co-2', attemptId: world.attempt(id), receipt: 'R-9' })
    expect(world.view(id).refunds).toMatchObject([{ transactionId: 'co-2', status: 'QUEUED' }])
    world.callback({ ...paid, receipt: 'R-9' })
    expectPaidOnce(world)
    // A worker that comes now is given nothing of it.
    world.open(WORKER, ['payments'])
    expect(world.tasks('payment.refund')).toEqual([])
  })

  test('domain.md §3.5 beyond recall, where a worker has the refund: people must look, and rejectRefund stops it', () => {
    const world = new World()
    const id = world.booked('payment_pending')
    const paid = { transactionId: 'co-1', attemptId: world.attempt(id) }
    world.callback(paid)
    world.callback({ transactionId: 'co-2', attemptId: world.attempt(id), receipt: 'R-9' })
    const [task] = world.tasks('payment.refund')
    if (task === undefined) throw new Error('no worker was given the refund')
    world.callback({ ...paid, receipt: 'R-9' })
    expect(kinds(world)).toEqual(['RECEIPT_MISSING', 'RECEIPT_TAKEN'])
    expect(world.ok(ADMIN, 'rejectRefund', { refundId: 'ref-1', note: 'the same money' })).toEqual({
      refundId: 'ref-1',
      status: 'FAILED_MANUAL',
    })
    // The worker hears it.
    const complete = { taskId: task.taskId, attempt: 1, result: { providerRef: 'B2C' } }
    expect(world.refused(WORKER, 'complete', complete, 'task')).toMatchObject({
      code: 'STALE_TASK',
      details: { status: 'CANCELLED' },
    })
    expect(world.totals().money).toMatchObject({ owedMinor: PRICE, balanced: true })
  })

  test('domain.md §3.5 an orphan whose refund was stopped before any worker was given it is taken back', () => {
    const world = new World()
    const id = world.booked('payment_pending')
    verify(world, id)
    const orphan = { transactionId: 'co-1', attemptId: world.attempt(id) }
    world.callback(orphan)
    world.ok(ADMIN, 'rejectRefund', { refundId: 'ref-1', note: 'is it the same?' })
    world.callback({ ...orphan, receipt: 'R-9' })
    expectPaidOnce(world)
    expect(world.view(id)).toMatchObject({ capturedMinor: PRICE, refundedMinor: 0, refunds: [{ status: 'NOT_DUE' }] })
  })

  test('domain.md §3.5 two bookings paid with one money, which nobody could know: people must look', () => {
    const world = new World()
    const id = world.booked('payment_pending')
    const other = world.booked('payment_pending', { startsAt: world.now + 9 * DAY_MS })
    world.callback({ transactionId: 'co-1', attemptId: world.attempt(id) })
    verify(world, other)
    world.callback({ transactionId: 'co-1', attemptId: world.attempt(id), receipt: 'R-9' })
    expect(kinds(world)).toContain('RECEIPT_TAKEN')
    expect([world.triple(id), world.triple(other)]).toEqual(Array(2).fill('confirmed/paid/not_started'))
  })

  test('domain.md §3.5 another amount under the same receipt is the same money, and people look at it', () => {
    const world = new World()
    const id = world.booked('payment_pending')
    verify(world, id)
    const other = { ...LOST, attemptId: world.attempt(id), amountMinor: 700 }
    world.callback(other)
    world.callback({ ...other, receipt: 'R-9' })
    expectPaidOnce(world)
    expect(kinds(world)).toEqual(['RECEIPT_OTHER_BOOKING'])
  })
})

describe('domain.md §3.4 a refund without a receipt is not sent', () => {
  function cancelled() {
    const world = new World()
    const id = world.booked('payment_pending')
    const paid = { transactionId: 'co-1', attemptId: world.attempt(id) }
    world.callback(paid)
    world.ok(THERAPIST, 'cancel', { id, reason: 'illness' })
    expect(world.view(id).refunds).toMatchObject([{ status: 'AWAITING_APPROVAL', reason: 'CANCELLED', receipt: null }])
    expect(world.tasks('payment.refund')).toEqual([])
    return { world, id, paid }
  }

  test('domain.md §3.4 it is sent when the repeat brings the receipt, which its task and its row name', () => {
    const { world, id, paid } = cancelled()
    world.callback({ ...paid, receipt: 'R-1' })
    expect(world.view(id).refunds).toMatchObject([{ status: 'QUEUED', receipt: 'R-1' }])
    expect(world.tasks('payment.refund')).toMatchObject([{ payload: { receipt: 'R-1', transactionId: 'co-1' } }])
    expect(world.answer(ADMIN, 'refunds', {})).toMatchObject({ refunds: [{ receipt: 'R-1' }] })
  })

  test('domain.md §3.4 a large one learns the receipt and waits on; the approved task names it', () => {
    const world = new World()
    const big = { transactionId: 'co-7', attemptId: world.attempt(world.booked('paid')), amountMinor: 6_000_000 }
    world.callback(big)
    world.callback({ ...big, receipt: 'R-77' })
    expect(world.answer(ADMIN, 'refunds', {})).toMatchObject({
      refunds: [{ receipt: 'R-77', status: 'AWAITING_APPROVAL' }],
    })
    world.ok(ADMIN, 'approveRefund', { refundId: 'ref-1' })
    expect(world.tasks('payment.refund')).toMatchObject([{ payload: { receipt: 'R-77', amountMinor: 6_000_000 } }])
  })

  test('domain.md §3.4 approveRefund takes the receipt from a statement, and refuses without one', () => {
    const { world, id } = cancelled()
    expect(world.refused(ADMIN, 'approveRefund', { refundId: 'ref-1' })).toMatchObject({
      code: 'CONFLICT',
      details: { reason: 'RECEIPT_MISSING', refundId: 'ref-1' },
    })
    const approved = world.ok(ADMIN, 'approveRefund', { refundId: 'ref-1', receipt: ' r-1 ' })
    expect(approved).toEqual({ refundId: 'ref-1', status: 'QUEUED' })
    expect(world.tasks('payment.refund')).toMatchObject([{ payload: { receipt: 'R-1' } }])
    expect(world.view(id).captures).toMatchObject([{ transactionId: 'co-1', receipt: 'R-1' }])
  })

  test('domain.md §3.4 approveRefund of a large one with its receipt: QUEUED; with another than it has: refused', () => {
    const world = new World()
    const big = { transactionId: 'co-7', attemptId: world.attempt(world.booked('paid')), amountMinor: 6_000_000 }
    world.callback(big)
    // The first time it is named: a person saw it, and the sum is still to be approved.
    expect(world.ok(ADMIN, 'approveRefund', { refundId: 'ref-1', receipt: 'R-7' })).toMatchObject({ status: 'QUEUED' })
    world.callback({ ...big, transactionId: 'co-8', receipt: 'R-8' })
    expect(world.refused(ADMIN, 'approveRefund', { refundId: 'ref-2', receipt: 'R-9' })).toMatchObject({
      code: 'CONFLICT',
      details: { reason: 'OTHER_RECEIPT' },
    })
    expect(world.ok(ADMIN, 'approveRefund', { refundId: 'ref-2', receipt: 'R-8' })).toMatchObject({ status: 'QUEUED' })
  })

  test('domain.md §3.4 approveRefund with the receipt of money that was kept: nothing goes back', () => {
    const world = new World()
    const id = world.booked('payment_pending')
    verify(world, id)
    world.callback({ transactionId: 'co-1', attemptId: world.attempt(id) })
    expect(world.ok(ADMIN, 'approveRefund', { refundId: 'ref-1', receipt: 'R-9' })).toMatchObject({ status: 'NOT_DUE' })
    expectPaidOnce(world)
  })

  test('domain.md §3.4 approveRefund with a receipt that is beyond recall: it waits on, and people must look', () => {
    const { world } = cancelled()
    const other = world.booked('payment_pending', { startsAt: world.now + 9 * DAY_MS })
    verify(world, other)
    expect(world.ok(ADMIN, 'approveRefund', { refundId: 'ref-1', receipt: 'R-9' })).toEqual({
      refundId: 'ref-1',
      status: 'AWAITING_APPROVAL',
    })
    expect(kinds(world)).toContain('RECEIPT_TAKEN')
  })

  test('domain.md §3.4 rejectRefund stops one that waits in the queue: no worker is given it', () => {
    const world = new World()
    const id = world.booked('paid')
    withoutWorker(world)
    world.ok(THERAPIST, 'cancel', { id, reason: 'illness' })
    expect(world.view(id).refunds).toMatchObject([{ status: 'QUEUED' }])
    expect(world.ok(ADMIN, 'rejectRefund', { refundId: 'ref-1', note: 'in cash' })).toMatchObject({
      status: 'FAILED_MANUAL',
    })
    world.open(WORKER, ['payments'])
    expect(world.tasks('payment.refund')).toEqual([])
    expect(world.totals().money).toMatchObject({ owedMinor: PRICE, balanced: true })
  })
})
