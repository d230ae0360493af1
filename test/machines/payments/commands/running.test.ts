import { describe, expect, test } from 'vitest'
import { MINUTE_MS } from '../../../../src/base/time.ts'
import { ADMIN, CLIENT, PRICE, THERAPIST, World } from '../world.ts'

describe('domain.md §3.4 K5 and K6: cancelled with a call', () => {
  test.each([
    ['ready', []],
    ['ready_waiting', ['ended']],
    ['ready_failed', ['waiting_for_participants', 'ended']],
    ['in_progress', ['ended']],
    ['in_progress_waiting', ['ended']],
    ['in_progress_failed', ['waiting_for_participants', 'ended']],
  ] as const)('domain.md §3.4 cancel in %s: payment, session, then the call %j, in one group', (state, video) => {
    const world = new World()
    const id = world.booked(state)
    world.ok(THERAPIST, 'cancel', { id, reason: 'illness' })
    const group = world.audit(id).filter(({ action, entity }) => action === 'cancel' && entity !== 'refund')
    expect(group.map(({ entity, to }) => `${entity} ${to}`)).toEqual([
      'payment refunded',
      'session cancelled',
      ...video.map((to) => `video ${to}`),
    ])
    expect(new Set(group.map((record) => record.group)).size).toBe(1)
    const running = state.startsWith('in_progress')
    expect(world.view(id)).toMatchObject({
      refunds: [{ reason: running ? 'MID_SESSION' : 'CANCELLED', pct: 100, amountMinor: PRICE }],
      endedAt: running ? world.now : null,
    })
  })

  test.each([
    [0, 75],
    [15 * MINUTE_MS - 1, 75],
    [15 * MINUTE_MS, 50],
    [30 * MINUTE_MS - 1, 50],
    [30 * MINUTE_MS, 25],
    [45 * MINUTE_MS - 1, 25],
    [45 * MINUTE_MS, 0],
    [89 * MINUTE_MS, 0],
  ])('domain.md §3.4 cancelled by the client %i ms into an hour: %i %%, as quoted; by the others 100 %%', (ms, pct) => {
    for (const issuer of [CLIENT, THERAPIST, ADMIN]) {
      const world = new World()
      const id = world.booked('in_progress')
      if (ms > 0) world.pass(ms)
      const share = issuer === CLIENT ? pct : 100
      const amountMinor = (PRICE * share) / 100
      expect(world.answer(issuer, 'refundQuote', { id })).toEqual({ pct: share, amountMinor, currency: 'KES' })
      world.ok(issuer, 'cancel', { id, reason: 'emergency' })
      const status = share === 0 ? 'NOT_DUE' : 'QUEUED'
      expect(world.view(id).refunds).toMatchObject([{ pct: share, amountMinor, status, reason: 'MID_SESSION' }])
    }
  })

  test('domain.md §3.4 a late retry of the call does not begin the session anew', () => {
    const world = new World()
    const id = world.booked('in_progress')
    world.pass(40 * MINUTE_MS)
    world.ok(CLIENT, 'reportVideoFailure', { id, detail: 'x' })
    world.ok(CLIENT, 'retryVideo', { id })
    for (const principal of [CLIENT, THERAPIST]) world.ok(principal, 'joinVideo', { id })
    expect(world.answer(CLIENT, 'refundQuote', { id })).toMatchObject({ pct: 25 })
  })
})

describe('domain.md §3.4 approveRefund and rejectRefund', () => {
  function awaiting() {
    const world = new World()
    const id = world.booked('paid', { priceMinor: 6_000_000 })
    world.ok(THERAPIST, 'cancel', { id, reason: 'illness' })
    expect(world.view(id).refunds).toMatchObject([{ id: 'ref-1', status: 'AWAITING_APPROVAL' }])
    return { world, id }
  }

  test('domain.md §3.4 an approved refund is a task with all that the provider must know, and settles', () => {
    const { world, id } = awaiting()
    expect(world.tasks('payment.refund')).toEqual([])
    expect(world.ok(ADMIN, 'approveRefund', { refundId: 'ref-1' })).toEqual({ refundId: 'ref-1', status: 'QUEUED' })
    const [task] = world.tasks('payment.refund')
    expect(task?.payload).toMatchObject({
      refundId: 'ref-1',
      bookingId: id,
      transactionId: `tx-${id}`,
      amountMinor: 6_000_000,
      currency: 'KES',
      payer: '254712345678',
      payerMasked: '*********678',
      idempotencyKey: '1-ref-1',
    })
    if (task !== undefined) world.complete(task, { providerRef: 'B2C' })
    expect(world.view(id)).toMatchObject({ refunds: [{ status: 'SETTLED' }], refundedMinor: 6_000_000 })
    const states = world.notes(CLIENT).filter(({ topic }) => topic === 'refund.status')
    expect(states.map(({ body }) => body['status'])).toEqual(['AWAITING_APPROVAL', 'QUEUED', 'SETTLED'])
    expect(world.totals().money.balanced).toBe(true)
  })

  test('domain.md §3.4 a rejected refund is left to people: FAILED_MANUAL, no task, and the note is kept', () => {
    const { world, id } = awaiting()
    const rejected = world.ok(ADMIN, 'rejectRefund', { refundId: 'ref-1', note: 'paid in cash' })
    expect(rejected).toEqual({ refundId: 'ref-1', status: 'FAILED_MANUAL' })
    expect(world.tasks('payment.refund')).toEqual([])
    expect(world.view(id)).toMatchObject({ refunds: [{ status: 'FAILED_MANUAL' }], refundedMinor: 0 })
    expect(world.audit(id).at(-1)).toMatchObject({
      action: 'rejectRefund',
      entity: 'refund',
      from: 'AWAITING_APPROVAL',
      to: 'FAILED_MANUAL',
      reason: 'paid in cash',
      by: ADMIN,
    })
    expect(world.totals().money.balanced).toBe(true)
  })

  test('domain.md §3.4 an orphan above the limit waits as well', () => {
    const world = new World()
    const id = world.booked('paid')
    world.callback({ transactionId: 'tx-2', attemptId: world.attempt(id), amountMinor: 7_000_000, receipt: 'R-2' })
    world.ok(ADMIN, 'approveRefund', { refundId: 'ref-1' })
    expect(world.tasks('payment.refund')).toMatchObject([
      { payload: { transactionId: 'tx-2', amountMinor: 7_000_000 } },
    ])
  })

  test.each(['approveRefund', 'rejectRefund'])(
    'domain.md §3.4 %s: unknown NOT_FOUND, others FORBIDDEN, anything else INVALID_STATE_TRANSITION',
    (command) => {
      const { world } = awaiting()
      expect(world.refused(ADMIN, command, { refundId: 'ref-9' })).toMatchObject({ code: 'NOT_FOUND' })
      for (const principal of [CLIENT, THERAPIST]) {
        expect(world.refused(principal, command, { refundId: 'ref-1' })).toMatchObject({ code: 'FORBIDDEN' })
      }
      world.ok(ADMIN, command, { refundId: 'ref-1' })
      const [task] = world.tasks('payment.refund')
      if (task !== undefined) world.complete(task, { providerRef: 'B2C' })
      expect(world.refused(ADMIN, command, { refundId: 'ref-1' })).toMatchObject({
        code: 'INVALID_STATE_TRANSITION',
        details: { entity: 'refund', from: command === 'approveRefund' ? 'SETTLED' : 'FAILED_MANUAL' },
      })
    },
  )
})
