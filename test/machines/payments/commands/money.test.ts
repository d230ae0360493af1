import { describe, expect, test } from 'vitest'
import { MINUTE_MS } from '../../../../src/base/time.ts'
import type { Value } from '../../../../src/codec/value/value.ts'
import { ADMIN, CLIENT, callbackOf, PHONE, PRICE, THERAPIST, WORKER, World } from '../world.ts'

/** What providers were seen to do with money, and what becomes of it (domain.md §3.5). */

type Told = { readonly [key: string]: Value | undefined }
const FAILURE = { outcome: 'failure', resultCode: 1037 }

/** A world with a booking that awaits `co-1`, and a way to tell of it. */
function awaiting(): { world: World; id: string; tell: (told?: Told) => object; refused: (told: Told) => object } {
  const world = new World()
  const id = world.booked('payment_pending')
  const attemptId = world.attempt(id)
  const push = { checkoutRequestId: 'co-1', merchantRequestId: 'm-1' }
  world.ok(WORKER, 'paymentStarted', { attemptId, ...push })
  const first = { transactionId: 'co-1', checkoutRequestId: 'co-1' }
  return {
    world,
    id,
    tell: (told = {}) => world.callback({ ...first, ...told }),
    refused: (told) => world.refused(WORKER, 'paymentCallback', callbackOf({ ...first, ...told })),
  }
}

const alerts = (world: World): { kind: string; details: object }[] =>
  world
    .notes(ADMIN)
    .filter(({ topic }) => topic === 'admin.alert')
    .map(({ body }) => body as unknown as { kind: string; details: object })

interface Get {
  readonly captures: readonly { readonly transactionId: string; readonly receipt: string | null }[]
  readonly refunds: readonly { readonly receipt: string | null; readonly status: string }[]
}

describe('domain.md §3.5 what a repeat may change', () => {
  test('domain.md §3.5 P8b success after a told failure: new money, APPLIED_LATE where the booking wants it', () => {
    const { world, id, tell } = awaiting()
    const failed = tell(FAILURE)
    expect(failed).toMatchObject({ result: 'APPLIED', payment: 'failed' })
    const paid = tell({ receipt: 'R-1' })
    expect(paid).toMatchObject({ result: 'APPLIED_LATE', payment: 'confirmed', session: 'paid' })
    expect(tell({ receipt: 'R-1' })).toEqual({ ...paid, duplicate: true })
    expect(world.view(id)).toMatchObject({ capturedMinor: PRICE, captures: [{ transactionId: 'co-1', applied: true }] })
    // The same failure sent once more says nothing new, and nobody is called.
    expect(tell(FAILURE)).toEqual({ ...failed, duplicate: true })
    expect(alerts(world)).toEqual([])
  })

  test('domain.md §3.5 P8b success after a told failure of a booking that is over: ORPHANED, all of it goes back', () => {
    const { world, id, tell } = awaiting()
    tell(FAILURE)
    world.ok(CLIENT, 'cancel', { id, reason: 'other' })
    expect(tell({ receipt: 'R-1' })).toMatchObject({ result: 'ORPHANED', payment: 'cancelled' })
    expect(world.view(id).refunds).toMatchObject([{ reason: 'ORPHAN', amountMinor: PRICE, status: 'QUEUED' }])
  })

  test('domain.md §3.5 P8b success after a failure that the query told: the callback pays all the same', () => {
    const { world, id, tell } = awaiting()
    world.pass(5 * MINUTE_MS)
    const [task] = world.tasks('payment.query')
    if (task === undefined) throw new Error('the provider was not asked')
    const final = { transactionId: 'co-1', outcome: 'failure', resultCode: 1037, resultDesc: '' }
    world.complete(task, { final })
    expect(world.triple(id)).toBe('failed/payment_pending/not_started')
    expect(tell({ receipt: 'R-1' })).toMatchObject({ result: 'APPLIED_LATE', session: 'paid' })
  })

  test('domain.md §3.5 P8c failure after a success: IDEMPOTENCY_CONFLICT with an alert, the success stands', () => {
    const { world, id, tell, refused } = awaiting()
    const paid = tell({ receipt: 'R-1' })
    const before = world.view(id)
    expect(refused(FAILURE)).toMatchObject({ code: 'IDEMPOTENCY_CONFLICT', details: { transactionId: 'co-1' } })
    const details = { transactionId: 'co-1', bookingId: id, outcome: 'failure', amountMinor: null }
    expect(alerts(world)).toMatchObject([{ kind: 'CALLBACK_CONFLICT', details }])
    expect(world.view(id)).toEqual(before)
    expect(tell({ receipt: 'R-1' })).toEqual({ ...paid, duplicate: true })
  })

  test.each<[string, Told]>([
    ['amount', { amountMinor: PRICE - 100 }],
    ['receipt', { receipt: 'R-2' }],
  ])(
    'domain.md §3.5 P8 a second success with another %s: other money, ORPHANED, with alert and refund',
    (_what, other) => {
      const { world, id, tell } = awaiting()
      const paid = tell({ receipt: 'R-1' })
      const second = { receipt: undefined, ...other }
      const orphaned = tell(second)
      expect(orphaned).toMatchObject({ result: 'ORPHANED', bookingId: id })
      expect(alerts(world)).toMatchObject([
        { kind: 'OTHER_MONEY', details: { transactionId: 'co-1#2', bookingId: id } },
      ])
      const amountMinor = other['amountMinor'] ?? PRICE
      expect(world.view(id)).toMatchObject({
        session: 'paid',
        captures: [{ transactionId: 'co-1' }, { transactionId: 'co-1#2', amountMinor, applied: false }],
        refunds: [{ reason: 'ORPHAN', transactionId: 'co-1#2', amountMinor }],
      })
      // Each has its own answer from now on.
      expect(tell(second)).toEqual({ ...orphaned, duplicate: true })
      expect(tell({ receipt: 'R-1' })).toEqual({ ...paid, duplicate: true })
      expect(tell({ receipt: 'R-3' })).toMatchObject({ result: 'ORPHANED' })
      expect(world.view(id).captures.map(({ transactionId }) => transactionId)).toContain('co-1#3')
      expect(world.totals().money).toMatchObject({ balanced: true, keptMinor: PRICE })
    },
  )

  test('domain.md §3.5 money after a success of nothing is other money', () => {
    const { world, id, tell } = awaiting()
    expect(tell({ amountMinor: 0 })).toMatchObject({ result: 'REJECTED_AMOUNT', payment: 'failed' })
    expect(tell({ receipt: 'R-1' })).toMatchObject({ result: 'ORPHANED' })
    expect(world.view(id).refunds).toMatchObject([{ status: 'NOT_DUE' }, { amountMinor: PRICE, status: 'QUEUED' }])
  })

  test('domain.md §3.5 a result code or a merchant id that only the repeat brings makes no other content', () => {
    const { world, tell } = awaiting()
    const paid = tell({ receipt: 'R-1' })
    expect(tell({ receipt: 'R-1', merchantRequestId: '9992-7-1', resultDesc: 'again' })).toEqual({
      ...paid,
      duplicate: true,
    })
    expect(world.totals().callbacks).toMatchObject({ APPLIED: 1 })
  })
})

describe('domain.md §3.5 receipts', () => {
  test('domain.md §3.5 receipts are trimmed and upper-case: one typed otherwise is the same money', () => {
    const { world, id, tell } = awaiting()
    const paid = tell({ receipt: ' taa1aaaa01 ' })
    expect(world.answer<Get>(ADMIN, 'get', { id }).captures).toMatchObject([{ receipt: 'TAA1AAAA01' }])
    const again = world.callback({ transactionId: 'co-2', attemptId: world.attempt(id), receipt: 'Taa1aAAA01' })
    expect(again).toEqual({ ...paid, duplicate: true })
    const verify = { id, transactionId: 'taa1aaaa01', amountMinor: PRICE, note: '' }
    expect(world.ok(ADMIN, 'verifyPaymentManually', verify)).toEqual({ ...paid, duplicate: true })
  })

  test('domain.md §3.5 one receipt told for another booking: the same money, an alert and a task for a person', () => {
    const { world, id, tell } = awaiting()
    const paid = tell({ receipt: 'R-1' })
    const other = world.booked('payment_pending', { startsAt: world.now + 9e8 })
    const told = { transactionId: 'co-2', attemptId: world.attempt(other), receipt: 'R-1' }
    expect(world.callback(told)).toEqual({ ...paid, duplicate: true })
    expect(world.view(other)).toMatchObject({ session: 'payment_pending', captures: [], refunds: [] })
    expect(alerts(world)).toMatchObject([{ kind: 'RECEIPT_OTHER_BOOKING', details: { bookingId: other } }])
    const open = { kind: 'RECEIPT_OTHER_BOOKING', transactionId: 'co-2' }
    expect(world.answer(ADMIN, 'reviews', {})['reviews']).toMatchObject([{ ...open, bookingId: other, receipt: 'R-1' }])
    expect(world.ok(ADMIN, 'closeReview', { ...open, note: 'the client paid twice by one message' })).toEqual(open)
    expect(world.answer(ADMIN, 'reviews', {})['reviews']).toEqual([])
    expect(world.refused(ADMIN, 'closeReview', { ...open, note: '' })).toMatchObject({ code: 'NOT_FOUND' })
    expect(world.refused(CLIENT, 'closeReview', { ...open, note: '' })).toMatchObject({ code: 'FORBIDDEN' })
    expect(
      world.ok(ADMIN, 'verifyPaymentManually', { id: other, transactionId: 'r-1', amountMinor: PRICE, note: '' }),
    ).toEqual({ ...paid, duplicate: true })
    expect(world.view(id).captures).toHaveLength(1)
  })

  test('domain.md §3.5 a success without receipt is kept for review, and takes the receipt of its repeat', () => {
    for (const none of [undefined, '', '  ']) {
      const { world, id, tell } = awaiting()
      const paid = tell({ receipt: none })
      expect(paid).toMatchObject({ result: 'APPLIED' })
      expect(world.answer(ADMIN, 'reviews', {})['reviews']).toMatchObject([
        { kind: 'RECEIPT_MISSING', transactionId: 'co-1' },
      ])
      expect(tell({ receipt: 'r-1' })).toEqual({ ...paid, duplicate: true })
      expect(world.answer(ADMIN, 'reviews', {})['reviews']).toEqual([])
      expect(world.answer<Get>(ADMIN, 'get', { id }).captures).toMatchObject([{ receipt: 'R-1' }])
      expect(world.audit(id).at(-1)).toMatchObject({ entity: 'callback', to: 'RECEIPT', ref: 'co-1' })
      // From now on another receipt is other money.
      expect(tell({ receipt: 'R-2' })).toMatchObject({ result: 'ORPHANED' })
    }
  })

  test('domain.md §3.5 a repeat that brings the receipt of other money: people must look', () => {
    const { world, id, tell } = awaiting()
    tell()
    world.callback({ transactionId: 'co-2', attemptId: world.attempt(id), receipt: 'R-1' })
    expect(tell({ receipt: 'R-1' })).toMatchObject({ result: 'APPLIED', duplicate: true })
    expect(alerts(world)).toMatchObject([{ kind: 'RECEIPT_TAKEN', details: { transactionId: 'co-1', receipt: 'R-1' } }])
  })

  test('domain.md §3.9 get shows receipts to administrators alone', () => {
    const { world, id, tell } = awaiting()
    tell({ receipt: 'R-1' })
    tell({ receipt: 'R-2' })
    const receipts = (principal: string): (string | null)[] => {
      const { captures, refunds } = world.answer<Get>(principal, 'get', { id })
      return [...captures, ...refunds].map(({ receipt }) => receipt)
    }
    expect(receipts(ADMIN)).toEqual(['R-1', 'R-2', 'R-2'])
    for (const principal of [CLIENT, THERAPIST]) expect(receipts(principal)).toEqual([null, null, null])
  })
})

describe('domain.md §3.5 a refund can be carried out from its task', () => {
  test('domain.md §3.5 the task names receipt, amount, payer in full and masked, and the idempotency key', () => {
    const { world, id, tell } = awaiting()
    tell({ receipt: 'R-1' })
    tell({ receipt: 'R-2', amountMinor: 70_000 })
    world.ok(THERAPIST, 'cancel', { id, reason: 'illness' })
    const money = { bookingId: id, currency: 'KES', payer: PHONE, payerMasked: '*********678' }
    expect(world.tasks('payment.refund').map(({ payload }) => payload)).toEqual([
      {
        ...money,
        refundId: 'ref-1',
        transactionId: 'co-1#2',
        receipt: 'R-2',
        amountMinor: 70_000,
        idempotencyKey: '1-ref-1',
      },
      {
        ...money,
        refundId: 'ref-2',
        transactionId: 'co-1',
        receipt: 'R-1',
        amountMinor: PRICE,
        idempotencyKey: '1-ref-2',
      },
    ])
    const seen = JSON.stringify([world.notes(CLIENT), world.notes(ADMIN), world.view(id), world.audit()])
    expect(seen).not.toContain(PHONE)
  })
})

describe('domain.md §3.5 query answers', () => {
  const asked = (): ReturnType<typeof awaiting> & { task: ReturnType<World['tasks']>[number] } => {
    const all = awaiting()
    all.world.pass(5 * MINUTE_MS)
    const [task] = all.world.tasks('payment.query')
    if (task === undefined) throw new Error('the provider was not asked')
    return { ...all, task }
  }

  test('domain.md §3.5 the task of a query has the amount', () => {
    const { id, task, world } = asked()
    const attemptId = world.attempt(id)
    expect(task.payload).toEqual({
      bookingId: id,
      attemptId,
      checkoutRequestId: 'co-1',
      amountMinor: PRICE,
      currency: 'KES',
    })
  })

  test.each(['4999', '500.001.1001', 'NEVER_SEEN', '77'])(
    'domain.md §3.5 the code %s is not final in a query: it never fails a payment',
    (resultCode) => {
      const { world, id, task } = asked()
      world.complete(task, { final: { transactionId: 'co-1', outcome: 'failure', resultCode, resultDesc: '' } })
      expect(world.triple(id)).toBe('initiated/payment_pending/not_started')
    },
  )

  test('domain.md §3.5 a success that the query told takes the receipt of its callback', () => {
    const { world, id, task, tell } = asked()
    const final = { transactionId: 'co-1', outcome: 'success', amountMinor: PRICE, resultCode: 0, resultDesc: '' }
    world.complete(task, { final })
    expect(world.triple(id)).toBe('confirmed/paid/not_started')
    expect(tell({ receipt: 'R-1' })).toMatchObject({ result: 'APPLIED', duplicate: true })
    expect(world.answer<Get>(ADMIN, 'get', { id }).captures).toMatchObject([{ receipt: 'R-1' }])
  })
})

describe('domain.md §3.5 whole shillings', () => {
  test('domain.md §3.5 a price with cents is refused at booking', () => {
    const world = new World()
    const input = { therapistId: THERAPIST, startsAt: world.now + 1e8, durationMin: 60, priceMinor: 150_050 }
    expect(world.refused(CLIENT, 'requestBooking', { ...input, currency: 'KES' })).toMatchObject({
      code: 'VALIDATION_ERROR',
      details: { field: 'priceMinor' },
    })
  })
})
