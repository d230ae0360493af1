import { describe, expect, test } from 'vitest'
import { DAY_MS, HOUR_MS, MINUTE_MS } from '../../../../src/base/time.ts'
import { ADMIN, CLIENT, PHONE, PRICE, THERAPIST, WORKER, World } from '../world.ts'

describe('domain.md §3.8 timers', () => {
  test('domain.md §3.8 a request is brought to mind after 24 h and expires after 48 h', () => {
    const world = new World()
    const id = world.booked('requested')
    world.acknowledge(THERAPIST)
    world.pass(DAY_MS - 1)
    expect(world.topics(THERAPIST)).toEqual([])
    world.pass(1)
    expect(world.notes(THERAPIST)).toMatchObject([
      { topic: 'booking.requested', body: { bookingId: id, reminder: true } },
    ])
    world.pass(DAY_MS - 1)
    expect(world.triple(id)).toBe('pending/requested/not_started')
    world.pass(1)
    expect(world.triple(id)).toBe('cancelled/cancelled/not_started')
    expect(world.view(id).cancel).toMatchObject({ reason: 'request_expired', role: 'system' })
    expect(world.audit(id).at(-1)).toMatchObject({ action: 'request-expiry', by: 'system', reason: 'request_expired' })
  })

  test('domain.md §3.8 neither waits beyond the start', () => {
    const world = new World()
    const request = world.booked('requested', { startsAt: world.now + HOUR_MS })
    const approved = world.booked('approved', { startsAt: world.now + 3 * HOUR_MS })
    world.pass(HOUR_MS)
    expect(world.view(request).cancel).toMatchObject({ reason: 'request_expired' })
    world.pass(2 * HOUR_MS)
    expect(world.view(approved).cancel).toMatchObject({ reason: 'payment_expired' })
  })

  test('domain.md §3.8 an approval is brought to mind after 60 min and expires after 24 h', () => {
    const world = new World()
    const id = world.booked('approved')
    world.acknowledge(CLIENT)
    world.pass(HOUR_MS)
    expect(world.notes(CLIENT)).toMatchObject([{ topic: 'booking.approved', body: { reminder: true } }])
    world.pass(23 * HOUR_MS - 1)
    expect(world.triple(id)).toBe('pending/approved/not_started')
    world.pass(1)
    expect(world.view(id).cancel).toMatchObject({ reason: 'payment_expired' })
  })

  test('domain.md §3.8 a payment is asked about after 5 min, fails after 30, and expires 24 h later', () => {
    const world = new World()
    const id = world.booked('payment_pending')
    world.startPushes()
    world.pass(5 * MINUTE_MS)
    expect(world.tasks('payment.query')).toMatchObject([{ payload: { bookingId: id, checkoutRequestId: 'co-att-1' } }])
    world.pass(25 * MINUTE_MS - 1)
    expect(world.triple(id)).toBe('initiated/payment_pending/not_started')
    world.pass(1)
    expect(world.triple(id)).toBe('failed/payment_pending/not_started')
    expect(world.notes(CLIENT).at(-1)).toMatchObject({ topic: 'payment.retry_needed', body: { reason: 'TIMEOUT' } })
    expect(world.topics(ADMIN)).toContain('admin.alert')
    world.pass(DAY_MS - 1)
    expect(world.triple(id)).toBe('failed/payment_pending/not_started')
    world.pass(1)
    expect(world.view(id).cancel).toMatchObject({ reason: 'payment_expired' })
  })

  test('domain.md §3.8 a success after the time-out is APPLIED_LATE', () => {
    const world = new World()
    const id = world.booked('payment_pending')
    const attemptId = world.attempt(id)
    world.pass(31 * MINUTE_MS)
    expect(world.callback({ attemptId })).toMatchObject({ result: 'APPLIED_LATE', session: 'paid' })
  })

  test('domain.md §3.8 a paid booking is routed after 30 min', () => {
    const world = new World()
    const forms = world.booked('paid')
    const none = world.booked('paid', { forms: [], startsAt: world.now + 9 * DAY_MS })
    world.pass(30 * MINUTE_MS)
    expect(world.triple(forms)).toBe('confirmed/forms_required/not_started')
    expect(world.triple(none)).toBe('confirmed/ready/not_started')
    expect(world.audit(forms).at(-1)).toMatchObject({ action: 'auto-route', by: 'system' })
  })

  test('domain.md §3.8 open forms are urgent an hour before the start and lapse 15 min after it', () => {
    const world = new World()
    const id = world.booked('forms_required')
    const { startsAt } = world.view(id)
    world.acknowledge(CLIENT)
    world.acknowledge(THERAPIST)
    world.pass(startsAt - HOUR_MS - world.now)
    for (const principal of [CLIENT, THERAPIST]) {
      expect(world.notes(principal)).toMatchObject([{ topic: 'booking.forms_required', body: { urgent: true } }])
    }
    world.pass(75 * MINUTE_MS)
    expect(world.view(id)).toMatchObject({
      cancel: { reason: 'forms_lapsed' },
      refunds: [{ reason: 'FORMS_LAPSED', pct: 0, amountMinor: 0, status: 'NOT_DUE' }],
    })
    expect(world.triple(id)).toBe('refunded/cancelled/not_started')
  })

  test('domain.md §3.8 money that arrives after the start of the session lapses at once, all of it back', () => {
    const world = new World()
    const id = world.booked('approved', { startsAt: world.now + 10 * MINUTE_MS })
    world.ok(CLIENT, 'initiatePayment', { id, phone: PHONE })
    world.startPushes()
    world.pass(26 * MINUTE_MS)
    expect(world.callback({ attemptId: world.attempt(id) })).toMatchObject({ result: 'APPLIED', session: 'paid' })
    world.pass(1)
    expect(world.view(id)).toMatchObject({
      cancel: { reason: 'system_lapse' },
      refunds: [{ reason: 'SYSTEM_LAPSE', pct: 100, amountMinor: PRICE }],
    })
  })

  test('domain.md §3.8 C36 nobody came: cancelled by the system, all of it back, and somebody looks at it', () => {
    const world = new World()
    const id = world.booked('ready')
    world.pass(world.view(id).startsAt + 15 * MINUTE_MS - 1 - world.now)
    expect(world.triple(id)).toBe('confirmed/ready/not_started')
    world.pass(1)
    expect(world.view(id)).toMatchObject({
      cancel: { reason: 'both_absent' },
      manualReview: true,
      refunds: [{ reason: 'BOTH_ABSENT', pct: 100, amountMinor: PRICE }],
    })
  })

  test('domain.md §0.3 D3 one long silence or a Tick a minute: the same state at the end', () => {
    const end = (step: number): unknown => {
      const world = new World()
      const id = world.booked('payment_pending', { startsAt: world.now + 2 * HOUR_MS })
      for (let passed = 0; passed < 4 * HOUR_MS; passed += step) world.pass(step)
      return { view: world.view(id), audit: world.audit(id).map(({ hash }) => hash), totals: world.totals() }
    }
    expect(end(4 * HOUR_MS)).toEqual(end(MINUTE_MS))
  })

  test('domain.md §3.8 a booking that is over leaves no timer behind', () => {
    const world = new World()
    for (const state of ['requested', 'approved', 'payment_pending', 'failed', 'paid', 'forms_required', 'ready']) {
      const id = world.booked(state)
      world.ok(THERAPIST, 'cancel', { id, reason: 'other' })
      world.startPushes()
      for (const task of world.tasks('payment.refund')) world.complete(task, { providerRef: 'B2C' })
      world.acknowledge(WORKER)
    }
    expect(world.log.machine.counts).toMatchObject({ timers: 0, tasks: 0 })
  })
})

describe('a timer that failed', () => {
  /** The booking's timer throws until `mend` is called. */
  function broken() {
    let works = false
    const world = new World((machine) =>
      Object.assign(Object.create(machine), {
        onTimer: (...[context, timer]: Parameters<NonNullable<typeof machine.onTimer>>) => {
          machine.onTimer?.(context, timer)
          if (!works) throw new Error('a bug in a timer')
        },
      }),
    )
    return { world, mend: () => void (works = true) }
  }

  test('domain.md §3.8 is armed again by a change after which it is still the next', () => {
    const { world, mend } = broken()
    const id = world.booked('forms_required')
    world.pass(world.view(id).startsAt - HOUR_MS - world.now)
    expect(world.topics(CLIENT).filter((topic) => topic === 'booking.forms_required')).toHaveLength(1)
    mend()
    world.pass(MINUTE_MS)
    expect(world.topics(CLIENT).filter((topic) => topic === 'booking.forms_required')).toHaveLength(1)
    world.ok(CLIENT, 'completeForm', { id, formId: 'extra', contentHash: 'a'.repeat(64) })
    world.pass(1)
    expect(world.topics(CLIENT).filter((topic) => topic === 'booking.forms_required')).toHaveLength(2)
    world.pass(DAY_MS)
    expect(world.view(id).cancel).toMatchObject({ reason: 'forms_lapsed' })
  })
})

describe('domain.md §0.7 the payment tasks', () => {
  test('domain.md §0.7 payment.stk_push records the ids; a push that fails makes the payment fail', () => {
    const world = new World()
    const id = world.booked('payment_pending')
    for (const task of world.tasks('payment.stk_push')) world.fail(task)
    expect(world.triple(id)).toBe('failed/payment_pending/not_started')
    expect(world.notes(CLIENT).at(-1)).toMatchObject({ topic: 'payment.retry_needed', body: { reason: 'PUSH_FAILED' } })
  })

  test('domain.md §0.7 a push that failed for its worker but was started all the same goes on', () => {
    const world = new World()
    const id = world.booked('payment_pending')
    world.ok(WORKER, 'paymentStarted', {
      attemptId: world.attempt(id),
      checkoutRequestId: 'co',
      merchantRequestId: 'm',
    })
    for (const task of world.tasks('payment.stk_push')) world.fail(task)
    expect(world.triple(id)).toBe('initiated/payment_pending/not_started')
  })

  test('domain.md §0.7 a push result with other ids than paymentStarted is ignored and shown to the administrators', () => {
    const world = new World()
    const id = world.booked('payment_pending')
    const attemptId = world.attempt(id)
    world.ok(WORKER, 'paymentStarted', { attemptId, checkoutRequestId: 'co-1', merchantRequestId: 'm-1' })
    const [task] = world.tasks('payment.stk_push')
    if (task === undefined) throw new Error('no task')
    expect(world.complete(task, { checkoutRequestId: 'co-2', merchantRequestId: 'm-1' })).toEqual({
      attemptId,
      conflict: 'OTHER_IDS',
    })
    expect(world.topics(ADMIN)).toContain('admin.alert')
    const other = world.booked('payment_pending', { startsAt: world.now + 9 * DAY_MS })
    const [next] = world.tasks('payment.stk_push').slice(-1)
    if (next === undefined) throw new Error('no task')
    expect(world.complete(next, { checkoutRequestId: 'co-1', merchantRequestId: 'm-9' })).toMatchObject({
      conflict: 'CHECKOUT_TAKEN',
    })
    expect(world.triple(other)).toBe('initiated/payment_pending/not_started')
  })

  test('domain.md §0.7 payment.query settles the payment, or leaves it to the time-out', () => {
    for (const final of [
      null,
      { transactionId: 'co-1', outcome: 'success', amountMinor: PRICE, resultCode: 0, resultDesc: '' },
    ]) {
      const world = new World()
      const id = world.booked('payment_pending')
      world.startPushes()
      world.pass(5 * MINUTE_MS)
      const [task] = world.tasks('payment.query')
      if (task === undefined) throw new Error('no task')
      expect(world.complete(task, { final })).toEqual(final === null ? null : { result: 'APPLIED' })
      expect(world.triple(id)).toBe(
        final === null ? 'initiated/payment_pending/not_started' : 'confirmed/paid/not_started',
      )
    }
  })

  test('domain.md §0.7 a query answer that is a success without an amount is a failed attempt, and the callback counts', () => {
    const world = new World()
    const id = world.booked('payment_pending')
    world.startPushes()
    world.pass(5 * MINUTE_MS)
    const [task] = world.tasks('payment.query')
    if (task === undefined) throw new Error('no task')
    const final = { transactionId: 'co-1', outcome: 'success', resultCode: 0, resultDesc: '' }
    const { taskId, attempt } = task
    const refusal = world.refused(WORKER, 'complete', { taskId, attempt, result: { final } }, 'task')
    expect(JSON.stringify(refusal)).toContain('VALIDATION_ERROR')
    expect(world.triple(id)).toBe('initiated/payment_pending/not_started')
    const callback = { transactionId: 'co-1', attemptId: world.attempt(id) }
    expect(world.callback(callback)).toMatchObject({ result: 'APPLIED', session: 'paid' })
    expect(world.view(id)).toMatchObject({ capturedMinor: PRICE, refunds: [] })
  })

  test('domain.md §0.7 a query answer that contradicts the callback is ignored and shown to the administrators', () => {
    const world = new World()
    const id = world.booked('payment_pending')
    world.startPushes()
    world.pass(5 * MINUTE_MS)
    const [task] = world.tasks('payment.query')
    if (task === undefined) throw new Error('no task')
    world.callback({ transactionId: 'co-1', attemptId: world.attempt(id) })
    const final = { transactionId: 'co-1', outcome: 'failure', resultCode: 1, resultDesc: '' }
    expect(world.complete(task, { final })).toEqual({ result: 'IDEMPOTENCY_CONFLICT' })
    expect(world.triple(id)).toBe('confirmed/paid/not_started')
    expect(world.topics(ADMIN)).toContain('admin.alert')
    expect(world.audit(id, 'rejected')).toMatchObject([
      { action: 'payment.query', entity: 'callback', ref: 'co-1', by: WORKER, code: 'IDEMPOTENCY_CONFLICT' },
    ])
  })

  test('domain.md §0.7 a query that nobody answers is asked three times and given up', () => {
    const world = new World()
    const id = world.booked('payment_pending')
    world.startPushes()
    world.pass(5 * MINUTE_MS)
    world.pass(10 * MINUTE_MS)
    expect(world.tasks('payment.query').map(({ attempt }) => attempt)).toEqual([1, 2, 3])
    expect(world.triple(id)).toBe('initiated/payment_pending/not_started')
  })

  test('domain.md §3.4 a refund that fails three times is left to people and alerts the administrators', () => {
    const world = new World()
    const id = world.booked('paid')
    world.ok(CLIENT, 'cancel', { id, reason: 'other' })
    for (let round = 1; round <= 3; round += 1) {
      const [task] = world.tasks('payment.refund').slice(-1)
      expect(task).toMatchObject({ attempt: round })
      if (task !== undefined) world.fail(task)
      world.pass(5000)
    }
    expect(world.view(id)).toMatchObject({ refunds: [{ status: 'FAILED_MANUAL', tries: 3 }], refundedMinor: 0 })
    expect(world.notes(CLIENT).at(-1)).toMatchObject({
      topic: 'refund.status',
      body: { status: 'FAILED_MANUAL', amountMinor: PRICE },
    })
    expect(world.topics(ADMIN)).toContain('admin.alert')
    expect(world.totals().refunds.status).toMatchObject({ FAILED_MANUAL: 1, QUEUED: 0 })
  })
})

describe('domain.md §3.4 the refund of a cancellation', () => {
  test.each([
    [48 * HOUR_MS, 100],
    [48 * HOUR_MS - 1, 75],
    [24 * HOUR_MS, 75],
    [24 * HOUR_MS - 1, 50],
    [12 * HOUR_MS, 50],
    [12 * HOUR_MS - 1, 25],
    [6 * HOUR_MS, 25],
    [6 * HOUR_MS - 1, 0],
    [1, 0],
  ])('PP8 cancelled by the client %i ms before the start: %i %%, as quoted', (noticeMs, pct) => {
    const world = new World()
    const id = world.booked('ready')
    world.pass(world.view(id).startsAt - noticeMs - world.now)
    const amountMinor = (PRICE * pct) / 100
    expect(world.answer(CLIENT, 'refundQuote', { id })).toEqual({ pct, amountMinor, currency: 'KES' })
    expect(world.answer(THERAPIST, 'refundQuote', { id })).toMatchObject({ pct: 100 })
    world.ok(CLIENT, 'cancel', { id, reason: 'personal_reasons' })
    expect(world.triple(id)).toBe('refunded/cancelled/not_started')
    const status = pct === 0 ? 'NOT_DUE' : 'QUEUED'
    expect(world.view(id).refunds).toMatchObject([
      { pct, amountMinor, status, reason: 'CANCELLED', transactionId: `tx-${id}` },
    ])
  })

  test('domain.md §3.4 above 5,000,000 minor units somebody approves the refund first', () => {
    for (const [priceMinor, status] of [
      [5_000_000, 'QUEUED'],
      [5_000_100, 'AWAITING_APPROVAL'],
    ] as const) {
      const world = new World()
      const id = world.booked('paid', { priceMinor })
      world.ok(ADMIN, 'cancel', { id, reason: 'other' })
      expect(world.view(id).refunds).toMatchObject([{ status, amountMinor: priceMinor }])
      expect(world.tasks('payment.refund')).toHaveLength(status === 'QUEUED' ? 1 : 0)
    }
  })

  test('domain.md §3.9 nothing is quoted before the payment, and no quote is given once it is over', () => {
    const world = new World()
    expect(world.answer(CLIENT, 'refundQuote', { id: world.booked('approved') })).toMatchObject({
      pct: 0,
      amountMinor: 0,
    })
    const over = world.booked('cancelled', { startsAt: world.now + 9 * DAY_MS })
    expect(world.ask(CLIENT, 'refundQuote', { id: over })).toMatchObject({ code: 'INVALID_STATE_TRANSITION' })
  })
})
