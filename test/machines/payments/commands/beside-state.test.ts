import { describe, expect, test } from 'vitest'
import type { Value } from '../../../../src/codec/value/value.ts'
import { ADMIN, CLIENT, PHONE, PRICE, THERAPIST, WORKER, World } from '../world.ts'

const IST = 'INVALID_STATE_TRANSITION'
const HASH = 'a'.repeat(64)

describe('domain.md §3.4 what each command checks beside the state', () => {
  test('domain.md §3.4 requestBooking refuses the past, oneself, forms named twice, and what does not fit', () => {
    const world = new World()
    const input = { therapistId: THERAPIST, startsAt: world.now + 1, durationMin: 60, priceMinor: 100, currency: 'KES' }
    const bad: readonly [object, string][] = [
      [{ startsAt: world.now }, 'startsAt'],
      [{ therapistId: CLIENT }, 'therapistId'],
      [{ priceMinor: 150 }, 'priceMinor'],
      [
        {
          forms: [
            { formId: 'a', required: true },
            { formId: 'a', required: false },
          ],
        },
        'forms',
      ],
    ]
    for (const [change, field] of bad) {
      const refusal = world.refused(CLIENT, 'requestBooking', { ...input, ...change })
      expect(refusal).toMatchObject({ code: 'VALIDATION_ERROR', details: { field } })
    }
    const misfits = [
      { durationMin: 14 },
      { durationMin: 241 },
      { priceMinor: 0 },
      { priceMinor: 1.5 },
      { currency: 'kes' },
      { extra: 1 },
      { therapistId: 'admin:x' },
      { forms: [{ formId: '', required: true }] },
    ]
    for (const misfit of misfits) {
      expect(world.refused(CLIENT, 'requestBooking', { ...input, ...misfit } as Value)).toEqual({
        kind: 'reject',
        code: 'VALIDATION_ERROR',
        details: null,
      })
    }
    expect(world.totals().bookings.count).toBe(0)
  })

  test('domain.md §3.4 approve at another price is STALE_STATE', () => {
    const world = new World()
    const id = world.booked('requested')
    expect(world.refused(THERAPIST, 'approve', { id, expectPriceMinor: 1 })).toMatchObject({
      code: 'STALE_STATE',
      details: { field: 'priceMinor', expected: 1, actual: PRICE },
    })
  })

  test('domain.md §3.4 initiatePayment takes Kenyan mobile numbers only, and one payment at a time', () => {
    const world = new World()
    const id = world.booked('approved')
    for (const phone of ['254212345678', '0712345678', '+254712345678', '25471234567', '2547123456789']) {
      expect(world.refused(CLIENT, 'initiatePayment', { id, phone })).toMatchObject({ code: 'VALIDATION_ERROR' })
    }
    world.ok(CLIENT, 'initiatePayment', { id, phone: '254112345678' })
    expect(world.refused(CLIENT, 'initiatePayment', { id, phone: PHONE })).toMatchObject({
      code: 'CONFLICT',
      details: { reason: 'PAYMENT_IN_FLIGHT' },
    })
  })

  test('domain.md §3.4 cancel takes the reasons of the list, and none of the system', () => {
    const world = new World()
    const id = world.booked('requested')
    for (const reason of ['request_expired', 'both_absent', 'bored', '']) {
      expect(world.refused(CLIENT, 'cancel', { id, reason })).toMatchObject({ code: 'VALIDATION_ERROR' })
    }
  })

  test('domain.md §3.4 paymentStarted: unknown attempt, repeat, other ids, ids of another attempt', () => {
    const world = new World()
    const first = world.attempt(world.booked('payment_pending'))
    const second = world.attempt(world.booked('payment_pending', { startsAt: world.now + 9e8 }))
    const ids = { attemptId: first, checkoutRequestId: 'co-1', merchantRequestId: 'm-1' }
    expect(world.refused(CLIENT, 'paymentStarted', ids)).toMatchObject({ code: 'FORBIDDEN' })
    expect(world.refused(WORKER, 'paymentStarted', { ...ids, attemptId: 'att-9' })).toMatchObject({ code: 'NOT_FOUND' })
    const started = world.ok(WORKER, 'paymentStarted', ids)
    expect(world.ok(WORKER, 'paymentStarted', ids)).toEqual({ ...started, duplicate: true })
    expect(world.refused(WORKER, 'paymentStarted', { ...ids, merchantRequestId: 'm-2' })).toMatchObject({
      code: 'CONFLICT',
      details: { reason: 'OTHER_IDS' },
    })
    expect(world.refused(WORKER, 'paymentStarted', { ...ids, attemptId: second })).toMatchObject({
      code: 'CONFLICT',
      details: { reason: 'CHECKOUT_TAKEN' },
    })
  })

  test('domain.md §3.4 completeForm: unknown form, same content, other content, optional forms, consent', () => {
    const world = new World()
    const id = world.booked('forms_required')
    const form = { id, formId: 'intake', contentHash: HASH }
    expect(world.refused(CLIENT, 'completeForm', { ...form, formId: 'none' })).toMatchObject({ code: 'NOT_FOUND' })
    const optional = { ...form, formId: 'extra' }
    expect(world.ok(CLIENT, 'completeForm', optional)).toMatchObject({ session: 'forms_required', formsOpen: 1 })
    expect(world.ok(CLIENT, 'completeForm', optional)).toMatchObject({ duplicate: true })
    expect(world.refused(CLIENT, 'completeForm', { ...optional, contentHash: 'b'.repeat(64) })).toMatchObject({
      code: 'CONFLICT',
      details: { reason: 'FORM_COMPLETED' },
    })
    expect(world.ok(THERAPIST, 'recordVerbalConsent', { id, note: 'read aloud' })).toMatchObject({ session: 'ready' })
    expect(world.refused(CLIENT, 'completeForm', form)).toMatchObject({ code: IST })
    expect(world.answer(CLIENT, 'canJoin', { id })).toMatchObject({ code: 'OUTSIDE_JOIN_WINDOW' })
  })

  test('domain.md §3.4 without a required form the way leads from paid to ready', () => {
    const world = new World()
    const id = world.booked('paid', { forms: [{ formId: 'extra', required: false }] })
    expect(world.ok(ADMIN, 'routeAfterPayment', { id })).toMatchObject({ session: 'ready' })
  })
})
