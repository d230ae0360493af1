import { describe, expect, test } from 'vitest'
import type { Value } from '../../../../src/codec/value/value.ts'
import { ADMIN, CLIENT, PHONE, PRICE, THERAPIST, WORKER, World } from '../world.ts'

/** Money at the edges of what the machine takes: other currencies, counts that must not fall below nothing. */

const NOT_PAYABLE = { field: 'currency', reason: 'CURRENCY_NOT_PAYABLE', currency: 'USD', payable: 'KES' }

describe('domain.md §3.5 a callback pays in KES', () => {
  test('a booking in another currency, which nothing could pay for, is refused, with cents or without', () => {
    const world = new World()
    const terms = { therapistId: THERAPIST, startsAt: world.now + 1e8, durationMin: 60, currency: 'USD' }
    for (const priceMinor of [PRICE, 150_050]) {
      expect(world.refused(CLIENT, 'requestBooking', { ...terms, priceMinor })).toEqual({
        kind: 'reject',
        code: 'VALIDATION_ERROR',
        details: NOT_PAYABLE,
      })
    }
    expect(world.totals().bookings.count).toBe(0)
  })

  test('for one that version 1 took nobody is asked to pay, and no money is taken by hand', () => {
    const world = new World(undefined, 1)
    const forms: Value = []
    const [approved, pending] = [1, 2].map((day) => {
      const id = world.request({ currency: 'USD', startsAt: world.now + day * 864e5, forms })
      world.ok(THERAPIST, 'approve', { id, expectPriceMinor: PRICE })
      return id
    }) as [string, string]
    world.ok(CLIENT, 'initiatePayment', { id: pending, phone: PHONE })
    world.advance()
    world.callback({ transactionId: 'co-9', checkoutRequestId: 'co-9', receipt: 'R-9' })
    const verify = { id: pending, amountMinor: PRICE, note: '' }
    const refused: readonly (readonly [string, string, Value])[] = [
      [CLIENT, 'initiatePayment', { id: approved, phone: PHONE }],
      [ADMIN, 'verifyPaymentManually', { ...verify, transactionId: 'BANK-1' }],
      [ADMIN, 'verifyPaymentManually', { ...verify, transactionId: 'R-9' }],
      [ADMIN, 'matchSuspense', { transactionId: 'co-9', bookingId: pending, note: '' }],
    ]
    for (const [by, command, input] of refused) {
      expect([command, world.refused(by, command, input)]).toMatchObject([
        command,
        { code: 'CONFLICT', details: NOT_PAYABLE },
      ])
    }
    expect(world.triple(pending)).toBe('initiated/payment_pending/not_started')
    expect(world.view(pending).refunds).toEqual([])
    // What the push brings all the same is other money, and goes back.
    expect(world.callback({ attemptId: world.attempt(pending) })).toMatchObject({ result: 'REJECTED_AMOUNT' })
    expect(world.tasks('payment.refund')).toMatchObject([{ payload: { currency: 'KES', amountMinor: PRICE } }])
  })
})

describe('domain.md §3.5 the count of attempts that nobody knows', () => {
  const told = { transactionId: 'co-9', checkoutRequestId: 'co-9' }
  const unknown = (world: World): number | undefined => world.totals().callbacks['UNKNOWN_ATTEMPT']

  test('falls once when a failure that came too early is judged, and not again when its money comes', () => {
    const world = new World()
    world.callback({ ...told, outcome: 'failure', resultCode: 1 })
    expect(unknown(world)).toBe(1)
    const id = world.booked('payment_pending')
    const ids = { checkoutRequestId: 'co-9', merchantRequestId: 'm' }
    world.ok(WORKER, 'paymentStarted', { attemptId: world.attempt(id), ...ids })
    expect(unknown(world)).toBe(0)
    world.callback({ ...told, receipt: 'R-9' })
    expect(unknown(world)).toBe(0)
  })

  test('falls when an administrator vouches for money whose failure nobody knew', () => {
    const world = new World()
    const id = world.booked('payment_pending')
    world.callback({ ...told, transactionId: 'R-1', outcome: 'failure', resultCode: 1 })
    world.ok(ADMIN, 'verifyPaymentManually', { id, transactionId: 'R-1', amountMinor: PRICE, note: '' })
    expect(unknown(world)).toBe(0)
  })
})
