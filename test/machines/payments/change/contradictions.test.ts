import { describe, expect, test } from 'vitest'
import { MINUTE_MS } from '../../../../src/base/time.ts'
import { ADMIN, callbackOf, PRICE, WORKER, World } from '../world.ts'

/** Answers that contradict themselves, name pushes by halves, or come under names that were told otherwise (domain.md §3.5). */

const verifyOf = (id: string, transactionId: string) => ({ id, transactionId, amountMinor: PRICE, note: '' })

describe('domain.md §3.5 which push is meant', () => {
  test('domain.md §3.5 an attemptId that nobody gave out hides no push that was started', () => {
    const world = new World()
    const id = world.booked('payment_pending')
    world.startPushes()
    const checkoutRequestId = `co-${world.attempt(id)}`
    const told = { transactionId: checkoutRequestId, attemptId: 'att-99', checkoutRequestId, receipt: 'R-1' }
    const paid = world.callback(told)
    expect(paid).toMatchObject({ result: 'APPLIED', bookingId: id })
    expect(world.callback({ ...told, attemptId: undefined })).toEqual({ ...paid, duplicate: true })
    expect(world.totals().suspense.count).toBe(0)
  })

  test('domain.md §3.5 a repeat that names the push takes its money out of suspense', () => {
    const world = new World()
    const id = world.booked('payment_pending')
    const told = { transactionId: 'co-9', checkoutRequestId: 'co-9', receipt: 'R-1' }
    const first = world.callback(told)
    expect(first).toMatchObject({ result: 'UNKNOWN_ATTEMPT' })
    expect(world.callback({ ...told, attemptId: world.attempt(id) })).toEqual({ ...first, duplicate: true })
    expect(world.triple(id)).toBe('confirmed/paid/not_started')
    expect(world.totals()).toMatchObject({ suspense: { count: 0 }, callbacks: { APPLIED: 1, UNKNOWN_ATTEMPT: 0 } })
    expect(world.callback(told)).toEqual({ ...first, duplicate: true })
  })
})

describe('domain.md §3.5 an outcome and a code that contradict each other', () => {
  test.each([
    ['success', 1032],
    ['success', '4999'],
    ['failure', 0],
    ['failure', ' 0 '],
  ])('domain.md §3.5 a %s with the code %j is refused, and nothing is lost', (outcome, resultCode) => {
    const world = new World()
    const id = world.booked('payment_pending')
    const told = { attemptId: world.attempt(id), outcome, resultCode }
    expect(world.send(WORKER, 'paymentCallback', callbackOf(told))).toMatchObject({ code: 'VALIDATION_ERROR' })
    expect(world.triple(id)).toBe('initiated/payment_pending/not_started')
    expect(world.callback({ attemptId: world.attempt(id), receipt: 'R-1' })).toMatchObject({ result: 'APPLIED' })
  })

  test('domain.md §3.5 so is the answer to a query: it is asked again', () => {
    const world = new World()
    const id = world.booked('payment_pending')
    world.startPushes()
    world.pass(5 * MINUTE_MS)
    const [task] = world.tasks('payment.query')
    if (task === undefined) throw new Error('the provider was not asked')
    const final = { transactionId: 'co-1', outcome: 'success', amountMinor: PRICE, resultCode: '4999', resultDesc: '' }
    const complete = { taskId: task.taskId, attempt: task.attempt, result: { final } }
    expect(world.refused(WORKER, 'complete', complete, 'task')).toMatchObject({ code: 'VALIDATION_ERROR' })
    expect(world.triple(id)).toBe('initiated/payment_pending/not_started')
    world.acknowledge(WORKER)
    world.pass(MINUTE_MS)
    expect(world.tasks('payment.query')).toMatchObject([{ attempt: 2 }])
  })
})

describe('domain.md §3.5 verifyPaymentManually under a name that was told before', () => {
  test('domain.md §3.5 money known by its transaction alone has that as its receipt: no callback captures it again', () => {
    const world = new World()
    const id = world.booked('payment_pending')
    const attemptId = world.attempt(id)
    const paid = world.callback({ transactionId: 'RABC', attemptId })
    expect(world.ok(ADMIN, 'verifyPaymentManually', verifyOf(id, 'rabc'))).toEqual({ ...paid, duplicate: true })
    expect(world.view(id).captures).toMatchObject([{ transactionId: 'RABC', receipt: 'RABC' }])
    expect(world.callback({ transactionId: 'co-1', attemptId, receipt: 'rabc' })).toEqual({ ...paid, duplicate: true })
    expect(world.totals().money).toMatchObject({ receivedMinor: PRICE, keptMinor: PRICE, balanced: true })
  })

  test('domain.md §3.5 the same of money in suspense: it pays, and has its receipt', () => {
    const world = new World()
    const id = world.booked('payment_pending')
    world.callback({ transactionId: 'RABC', checkoutRequestId: 'zz' })
    expect(world.ok(ADMIN, 'verifyPaymentManually', verifyOf(id, 'RABC'))).toMatchObject({ result: 'APPLIED' })
    expect(world.view(id).captures).toMatchObject([{ transactionId: 'RABC', receipt: 'RABC' }])
    expect(world.totals().money).toMatchObject({ receivedMinor: PRICE, keptMinor: PRICE, suspenseMinor: 0 })
  })

  test('domain.md §3.5 under the id of a told failure it is new money, and the failure keeps its answer', () => {
    const world = new World()
    const id = world.booked('payment_pending')
    const failure = { transactionId: 'R-1', checkoutRequestId: 'zz', outcome: 'failure', resultCode: 1 }
    const failed = world.callback(failure)
    expect(world.ok(ADMIN, 'verifyPaymentManually', verifyOf(id, 'R-1'))).toMatchObject({ result: 'APPLIED' })
    expect(world.callback(failure)).toEqual({ ...failed, duplicate: true })
    expect(world.totals().callbacks).toMatchObject({ APPLIED: 1, UNKNOWN_ATTEMPT: 0 })
  })
})

describe('domain.md §3.4 one payment back settles one refund', () => {
  /** Two orphans with refunds, each with its task. */
  function two() {
    const world = new World()
    const attemptId = world.attempt(world.booked('paid'))
    for (const letter of ['A', 'B']) world.callback({ transactionId: `tx-${letter}`, attemptId, receipt: letter })
    const [first, second] = world.tasks('payment.refund')
    if (first === undefined || second === undefined) throw new Error('two refunds were queued')
    world.complete(first, { providerRef: 'B2C-1' })
    return { world, second }
  }

  test('domain.md §3.4 told for a second one it is no payment of that: FAILED_MANUAL, and administrators are called', () => {
    const { world, second } = two()
    expect(world.complete(second, { providerRef: ' b2c-1' })).toEqual({ status: 'FAILED_MANUAL' })
    expect(world.notes(ADMIN).at(-1)?.body).toMatchObject({
      kind: 'REFERENCE_TAKEN',
      details: { refundId: 'ref-2', other: 'ref-1' },
    })
    expect(world.totals().money).toMatchObject({ owedMinor: PRICE, refundedMinor: PRICE, balanced: true })
  })

  test('domain.md §3.4 settleRefundManually takes no reference twice', () => {
    const { world } = two()
    world.ok(ADMIN, 'rejectRefund', { refundId: 'ref-2' })
    const settle = { refundId: 'ref-2', note: '' }
    expect(world.refused(ADMIN, 'settleRefundManually', { ...settle, reference: 'b2c-1' })).toMatchObject({
      code: 'CONFLICT',
      details: { reason: 'REFERENCE_TAKEN' },
    })
    expect(world.ok(ADMIN, 'settleRefundManually', { ...settle, reference: 'CASH-7' })).toMatchObject({
      status: 'SETTLED',
    })
  })
})
