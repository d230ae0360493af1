import { describe, expect, test } from 'vitest'
import { DAY_MS, MINUTE_MS } from '../../../../src/base/time.ts'
import { ADMIN, CLIENT, callbackOf, PHONE, PRICE, STRANGER, THERAPIST, WORKER, World } from '../world.ts'

describe('domain.md §3.10 the canonical flow', () => {
  test('domain.md §3.10 steps 1 to 10', () => {
    const world = new World()
    // 1
    const booked = world.ok(CLIENT, 'requestBooking', {
      therapistId: THERAPIST,
      startsAt: world.now + 3 * DAY_MS,
      durationMin: 60,
      priceMinor: 500_000,
      currency: 'KES',
      forms: [
        { formId: 'intake', required: true },
        { formId: 'consent', required: true },
      ],
    })
    expect(booked).toEqual({ id: 'bkg-1', payment: 'pending', session: 'requested', video: 'not_started' })
    expect(world.topics(THERAPIST)).toEqual(['booking.requested'])
    const id = 'bkg-1'
    // 2
    expect(world.ok(THERAPIST, 'approve', { id, expectPriceMinor: PRICE })).toMatchObject({ session: 'approved' })
    expect(world.topics(CLIENT)).toEqual(['booking.approved'])
    // 3
    const first = world.ok(CLIENT, 'initiatePayment', { id, phone: PHONE })
    expect(first).toMatchObject({ payment: 'initiated', session: 'payment_pending', attemptId: 'att-1', no: 1 })
    const group = world.audit(id).filter(({ action }) => action === 'initiatePayment')
    expect(group.map(({ entity, from, to }) => [entity, from, to])).toEqual([
      ['payment', 'pending', 'initiated'],
      ['session', 'approved', 'payment_pending'],
    ])
    expect(new Set(group.map((record) => record.group)).size).toBe(1)
    expect(world.tasks('payment.stk_push')).toMatchObject([
      { payload: { attemptId: 'att-1', bookingId: id, phone: PHONE, amountMinor: PRICE, reference: '1-att-1' } },
    ])
    // 4
    const ids = { attemptId: 'att-1', checkoutRequestId: 'co-1', merchantRequestId: 'm-1' }
    expect(world.ok(WORKER, 'paymentStarted', ids)).toEqual({ attemptId: 'att-1', bookingId: id })
    const failure = { transactionId: 'tx-1', attemptId: 'att-1', outcome: 'failure', resultCode: 1032 }
    expect(world.callback(failure)).toMatchObject({ result: 'APPLIED', payment: 'failed', session: 'payment_pending' })
    expect(world.topics(CLIENT)).toContain('payment.retry_needed')
    // 5
    expect(world.ok(CLIENT, 'initiatePayment', { id, phone: PHONE })).toMatchObject({ attemptId: 'att-2', no: 2 })
    const success = { transactionId: 'tx-2', attemptId: 'att-2', amountMinor: 500_000 }
    const applied = world.callback(success)
    expect(applied).toEqual({
      result: 'APPLIED',
      bookingId: id,
      attemptId: 'att-2',
      payment: 'confirmed',
      session: 'paid',
    })
    expect(world.callback(success)).toEqual({ ...applied, duplicate: true })
    world.open('worker:other', ['payments'])
    const elsewhere = world.ok('worker:other', 'paymentCallback', callbackOf(success))
    expect(elsewhere).toEqual({ ...applied, duplicate: true })
    // 6
    expect(world.ok(THERAPIST, 'routeAfterPayment', { id })).toMatchObject({ session: 'forms_required' })
    expect(world.refused(CLIENT, 'joinVideo', { id })).toMatchObject({ code: 'FORMS_INCOMPLETE' })
    expect(world.ok(CLIENT, 'completeForm', { id, formId: 'intake', contentHash: 'a'.repeat(64) })).toMatchObject({
      formsOpen: 1,
    })
    const last = world.ok(CLIENT, 'completeForm', { id, formId: 'consent', contentHash: 'b'.repeat(64) })
    expect(last).toMatchObject({ session: 'ready', formsOpen: 0 })
    expect(world.topics(CLIENT).at(-1)).toBe('booking.ready')
    expect(world.topics(THERAPIST).at(-1)).toBe('booking.ready')
    // 7
    world.passToStart(id, -10 * MINUTE_MS)
    const waiting = 'waiting_for_participants'
    expect(world.ok(CLIENT, 'joinVideo', { id })).toMatchObject({ session: 'ready', video: waiting })
    expect(world.ok(THERAPIST, 'joinVideo', { id })).toMatchObject({ session: 'in_progress', video: 'active' })
    for (const principal of [CLIENT, THERAPIST]) expect(world.topics(principal).at(-1)).toBe('session.started')
    // 8
    expect(world.ok(CLIENT, 'reportVideoFailure', { id, detail: 'no picture' })).toMatchObject({ video: 'failed' })
    expect(world.ok(THERAPIST, 'retryVideo', { id })).toMatchObject({ session: 'in_progress', video: waiting })
    expect(world.ok(THERAPIST, 'joinVideo', { id })).toMatchObject({ video: waiting })
    expect(world.ok(CLIENT, 'joinVideo', { id })).toMatchObject({ session: 'in_progress', video: 'active' })
    // 9
    const ended = { id, payment: 'confirmed', session: 'completed', video: 'ended' }
    expect(world.ok(THERAPIST, 'endSession', { id })).toEqual(ended)
    const end = world.audit(id).filter(({ action }) => action === 'endSession')
    expect(end.map(({ entity, to }) => [entity, to])).toEqual([
      ['session', 'completed'],
      ['video', 'ended'],
    ])
    expect(new Set(end.map((record) => record.group)).size).toBe(1)
    // 10
    const twice = world.callback({ transactionId: 'tx-3', attemptId: 'att-1', receipt: 'R-3' })
    expect(twice).toEqual({
      result: 'ORPHANED',
      bookingId: id,
      attemptId: 'att-1',
      payment: 'confirmed',
      session: 'completed',
    })
    const [refund] = world.view(id).refunds
    expect(refund).toMatchObject({
      id: 'ref-1',
      reason: 'ORPHAN',
      status: 'QUEUED',
      amountMinor: PRICE,
      transactionId: 'tx-3',
    })
    const [task] = world.tasks('payment.refund')
    expect(task).toMatchObject({ payload: { refundId: 'ref-1', amountMinor: PRICE, idempotencyKey: '1-ref-1' } })
    if (task !== undefined) expect(world.complete(task, { providerRef: 'B2C-1' })).toEqual({ status: 'SETTLED' })
    expect(world.view(id).refunds).toMatchObject([{ status: 'SETTLED', providerRef: 'B2C-1', tries: 1 }])
    expect(
      world
        .notes(CLIENT)
        .filter(({ topic }) => topic === 'refund.status')
        .map(({ body }) => body['status']),
    ).toEqual(['QUEUED', 'SETTLED'])
    expect(world.triple(id)).toBe('confirmed/completed/ended')
  })

  test('domain.md §3.9 no notification carries the phone number, and reads mask it', () => {
    const world = new World()
    const id = world.booked('paid')
    world.ok(CLIENT, 'cancel', { id, reason: 'illness' })
    for (const principal of [CLIENT, THERAPIST, ADMIN]) {
      expect(JSON.stringify(world.notes(principal))).not.toContain(PHONE)
    }
    expect(world.view(id).attemptList[0]?.phone).toBe('*********678')
    expect(JSON.stringify(world.answer(CLIENT, 'get', { id }))).not.toContain(PHONE)
  })

  test('domain.md §3.9 a cancellation tells the other parties who, in which role, and what goes back', () => {
    const world = new World()
    const id = world.booked('paid')
    world.acknowledge(CLIENT)
    world.ok(THERAPIST, 'cancel', { id, reason: 'therapist_unavailable' })
    const body = { bookingId: id, by: THERAPIST, role: 'therapist', refundPct: 100, reason: 'therapist_unavailable' }
    expect(world.notes(CLIENT).find(({ topic }) => topic === 'booking.cancelled')?.body).toEqual(body)
    expect(world.topics(THERAPIST)).not.toContain('booking.cancelled')
    const other = world.booked('requested')
    world.ok(ADMIN, 'cancel', { id: other, reason: 'other' })
    for (const principal of [CLIENT, THERAPIST]) {
      expect(world.notes(principal).at(-1)).toMatchObject({
        topic: 'booking.cancelled',
        body: { role: 'admin', refundPct: 0 },
      })
    }
  })
})

describe('domain.md §3.11 abuse', () => {
  test('domain.md §3.11 P1 P2 joining before payment or forms', () => {
    const world = new World()
    expect(world.answer(CLIENT, 'canJoin', { id: world.booked('payment_pending') })).toMatchObject({
      code: 'UNPAID_ACCESS',
    })
    const paid = world.booked('paid', { startsAt: world.now + 9 * DAY_MS })
    expect(world.answer(CLIENT, 'canJoin', { id: paid })).toMatchObject({ code: 'FORMS_INCOMPLETE' })
  })

  test('domain.md §3.11 P8 the same transaction with another outcome or attempt; another description is a repeat', () => {
    const world = new World()
    const id = world.booked('payment_pending')
    const attemptId = world.attempt(id)
    world.callback({ attemptId })
    const before = world.view(id)
    for (const change of [{ outcome: 'failure', resultCode: 7 }, { attemptId: 'att-9' }]) {
      const refusal = world.refused(WORKER, 'paymentCallback', {
        transactionId: 'tx-1',
        attemptId,
        outcome: 'success',
        amountMinor: PRICE,
        resultCode: 0,
        resultDesc: '',
        ...change,
      })
      expect(refusal).toEqual({ kind: 'reject', code: 'IDEMPOTENCY_CONFLICT', details: { transactionId: 'tx-1' } })
    }
    expect(world.callback({ attemptId, resultDesc: 'again' })).toMatchObject({ result: 'APPLIED', duplicate: true })
    expect(world.view(id)).toEqual(before)
    const rejected = world.audit(undefined, 'rejected')
    expect(rejected).toHaveLength(2)
    expect(rejected[0]).toMatchObject({
      code: 'IDEMPOTENCY_CONFLICT',
      bookingId: id,
      entity: 'callback',
      ref: 'tx-1',
      by: WORKER,
    })
  })

  test("domain.md §3.11 P9 another client's user joins, reads, pays, cancels", () => {
    const world = new World()
    const id = world.booked('approved')
    expect(world.ask(STRANGER, 'get', { id })).toMatchObject({ code: 'FORBIDDEN' })
    expect(world.ask(STRANGER, 'canJoin', { id })).toMatchObject({ code: 'FORBIDDEN' })
    expect(world.ask(STRANGER, 'refundQuote', { id })).toMatchObject({ code: 'FORBIDDEN' })
    expect(world.ask(STRANGER, 'audit', { id })).toMatchObject({ code: 'FORBIDDEN' })
    expect(world.refused(STRANGER, 'cancel', { id, reason: 'other' })).toMatchObject({
      code: 'FORBIDDEN',
      details: { id },
    })
    expect(world.refused(STRANGER, 'initiatePayment', { id, phone: PHONE })).toMatchObject({ code: 'FORBIDDEN' })
    expect(world.refused(WORKER, 'cancel', { id, reason: 'other' })).toMatchObject({ code: 'FORBIDDEN' })
    expect(world.triple(id)).toBe('pending/approved/not_started')
  })

  test('domain.md §3.11 P10 cancelling twice', () => {
    const world = new World()
    const id = world.booked('requested')
    world.ok(CLIENT, 'cancel', { id, reason: 'other' })
    expect(world.refused(CLIENT, 'cancel', { id, reason: 'other' })).toEqual({
      kind: 'reject',
      code: 'INVALID_STATE_TRANSITION',
      details: { entity: 'session', from: 'cancelled', to: 'cancelled', event: 'cancel', allowed: [] },
    })
  })

  test('domain.md §3.11 P12 a second booking of the therapist, or of the client, in the same hour', () => {
    const world = new World()
    const startsAt = world.now + 2 * DAY_MS
    const input = { therapistId: THERAPIST, startsAt, durationMin: 60, priceMinor: 100, currency: 'KES' }
    world.ok(CLIENT, 'requestBooking', input)
    const taken = { code: 'CONFLICT', details: { reason: 'SLOT_TAKEN' } }
    for (const shift of [0, -59, 59, 30]) {
      const other = { ...input, startsAt: startsAt + shift * 60_000 }
      expect(world.refused(STRANGER, 'requestBooking', other)).toMatchObject(taken)
      expect(world.refused(CLIENT, 'requestBooking', { ...other, therapistId: 'user:other' })).toMatchObject(taken)
    }
    expect(
      world.refused(STRANGER, 'requestBooking', { ...input, startsAt: startsAt - 239 * 60_000, durationMin: 240 }),
    ).toMatchObject(taken)
    // Back to back is free, and so is the slot of a booking that is over.
    world.ok(STRANGER, 'requestBooking', { ...input, startsAt: startsAt + 60 * 60_000 })
    world.ok(STRANGER, 'requestBooking', { ...input, startsAt: startsAt - 240 * 60_000, durationMin: 240 })
    world.ok(CLIENT, 'cancel', { id: 'bkg-1', reason: 'other' })
    world.ok(STRANGER, 'requestBooking', input)
  })

  test('domain.md §3.11 P14 a success after the cancellation is kept and goes back; the state is unchanged', () => {
    const world = new World()
    const id = world.booked('payment_pending')
    const attemptId = world.attempt(id)
    world.ok(CLIENT, 'cancel', { id, reason: 'financial_reasons' })
    expect(world.callback({ attemptId, receipt: 'R-1' })).toEqual({
      result: 'ORPHANED',
      bookingId: id,
      attemptId,
      payment: 'cancelled',
      session: 'cancelled',
    })
    expect(world.triple(id)).toBe('cancelled/cancelled/not_started')
    expect(world.view(id)).toMatchObject({
      captures: [{ transactionId: 'tx-1', amountMinor: PRICE, applied: false }],
      refunds: [{ reason: 'ORPHAN', amountMinor: PRICE, pct: 100, status: 'QUEUED' }],
    })
  })
})
