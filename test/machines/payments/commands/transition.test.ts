import { describe, expect, test } from 'vitest'
import { DAY_MS, MINUTE_MS } from '../../../../src/base/time.ts'
import type { Value } from '../../../../src/codec/value/value.ts'
import { ADMIN, CLIENT, PHONE, PRICE, STRANGER, THERAPIST, WORKER, World } from '../world.ts'

/** `payment initiated`: a step as the tests write it; after `@` what the caller takes for the state before. */
function steps(...texts: string[]): Value[] {
  return texts.map((text) => {
    const [entity = '', rest = ''] = text.split(' ')
    const [to = '', expectFrom] = rest.split('@')
    return { entity, to, ...(expectFrom === undefined ? {} : { expectFrom }) }
  })
}

const ask = (id: string, ...texts: string[]): Value => ({ id, steps: steps(...texts), reason: 'by hand' })

/** The table of domain.md §3.7, with the state that a booking is brought to. */
const FORBIDDEN = [
  ['requested', 'session', 'requested', 'ready', 'PAYMENT_REQUIRED'],
  ['approved', 'session', 'approved', 'in_progress', 'PAYMENT_REQUIRED'],
  ['paid', 'session', 'paid', 'in_progress', 'FORMS_REQUIRED'],
  ['completed', 'session', 'completed', 'payment_pending', 'RETROACTIVE_PAYMENT'],
  ['paid', 'payment', 'confirmed', 'pending', 'RETROACTIVE_CHANGE'],
  ['payment_pending', 'session', 'payment_pending', 'ready', 'PAYMENT_REQUIRED'],
  ['requested', 'session', 'requested', 'in_progress', 'PAYMENT_REQUIRED'],
  ['approved', 'session', 'approved', 'ready', 'PAYMENT_REQUIRED'],
  ['forms_required', 'session', 'forms_required', 'in_progress', 'FORMS_REQUIRED'],
  ['completed', 'session', 'completed', 'paid', 'RETROACTIVE_CHANGE'],
] as const

describe('domain.md §3.7 transition: the forbidden pairs', () => {
  for (const [state, entity, from, to, code] of FORBIDDEN) {
    test(`domain.md §3.7 ${entity} ${from}→${to} is ${code}`, () => {
      const world = new World()
      const id = world.booked(state)
      const before = world.view(id)
      expect(world.refused(ADMIN, 'transition', ask(id, `${entity} ${to}`))).toEqual({
        kind: 'reject',
        code,
        details: { entity, from, to },
      })
      expect(world.view(id)).toEqual(before)
      expect(world.audit(id, 'rejected').at(-1)).toMatchObject({ action: 'transition', entity, from, to, code })
    })
  }

  test('domain.md §3.7 video join + session payment_pending is UNPAID_ACCESS, + forms incomplete FORMS_INCOMPLETE', () => {
    const world = new World()
    const pending = world.booked('payment_pending')
    expect(world.refused(CLIENT, 'joinVideo', { id: pending })).toMatchObject({ code: 'UNPAID_ACCESS' })
    const open = world.booked('forms_required', { startsAt: world.now + 5 * DAY_MS })
    expect(world.refused(CLIENT, 'joinVideo', { id: open })).toMatchObject({ code: 'FORMS_INCOMPLETE' })
  })
})

describe('domain.md §3.7 transition: the order of refusals', () => {
  test('domain.md §3.7 (1) an unknown entity or state, no step at all, or no reason is VALIDATION_ERROR', () => {
    const world = new World()
    const id = world.booked('requested')
    const bad: Value[] = [
      ask(id, 'form completed'),
      ask(id, 'session nowhere'),
      ask(id, 'payment ready'),
      ask(id, 'video join'),
      ask(id, 'session approved@nowhere'),
      ask(id),
      { id, steps: steps('session approved'), reason: ' ' },
    ]
    for (const input of bad) {
      expect(world.refused(ADMIN, 'transition', input), JSON.stringify(input)).toMatchObject({
        code: 'VALIDATION_ERROR',
      })
    }
  })

  test('domain.md §3.7 (2) STALE_STATE comes before the forbidden table: the caller’s word is only compared', () => {
    const world = new World()
    const id = world.booked('requested')
    expect(world.refused(ADMIN, 'transition', ask(id, 'session ready@paid'))).toMatchObject({
      code: 'STALE_STATE',
      details: { field: 'session', expected: 'paid', actual: 'requested' },
    })
    expect(world.ok(ADMIN, 'transition', ask(id, 'session approved@requested'))).toMatchObject({ session: 'approved' })
  })

  test('domain.md §3.7 (3) before (4): what the table forbids has its code, the rest INVALID_STATE_TRANSITION', () => {
    const world = new World()
    const id = world.booked('requested')
    expect(world.refused(ADMIN, 'transition', ask(id, 'session completed'))).toMatchObject({
      code: 'INVALID_STATE_TRANSITION',
      details: { entity: 'session', from: 'requested', to: 'completed', allowed: ['approved', 'cancelled'] },
    })
    expect(world.refused(ADMIN, 'transition', ask(id, 'session requested'))).toMatchObject({
      code: 'INVALID_STATE_TRANSITION',
    })
  })

  test('domain.md §3.7 (4) before (5): a step that no table holds is no question of authority', () => {
    const world = new World()
    const id = world.booked('requested')
    expect(world.refused(ADMIN, 'transition', ask(id, 'session paid'))).toMatchObject({
      code: 'INVALID_STATE_TRANSITION',
    })
    expect(world.refused(ADMIN, 'transition', ask(id, 'payment confirmed'))).toMatchObject({
      code: 'INVALID_STATE_TRANSITION',
    })
  })

  test('domain.md §3.7 (5) before (6), and payment is judged before video', () => {
    const world = new World()
    const id = world.booked('payment_pending')
    expect(world.refused(ADMIN, 'transition', ask(id, 'payment confirmed'))).toMatchObject({
      code: 'AUTHORITY_VIOLATION',
      details: { entity: 'payment', from: 'initiated', to: 'confirmed' },
    })
    expect(
      world.refused(ADMIN, 'transition', ask(id, 'payment cancelled', 'video waiting_for_participants')),
    ).toMatchObject({
      code: 'PAYMENT_SESSION_SYNC',
      details: { payment: 'cancelled', session: 'payment_pending', video: 'waiting_for_participants' },
    })
    expect(world.refused(ADMIN, 'transition', ask(id, 'video waiting_for_participants'))).toMatchObject({
      code: 'SESSION_VIDEO_SYNC',
    })
  })

  test('domain.md §3.7 authority: ready with an open form is FORMS_REQUIRED, with consent by word it is not asked', () => {
    const world = new World()
    for (const state of ['paid', 'forms_required']) {
      const id = world.booked(state, { startsAt: world.now + (state === 'paid' ? 3 : 6) * DAY_MS })
      expect(world.refused(ADMIN, 'transition', ask(id, 'session ready'))).toMatchObject({ code: 'FORMS_REQUIRED' })
    }
    const none = world.booked('paid', { startsAt: world.now + 9 * DAY_MS, forms: [] })
    expect(world.ok(ADMIN, 'transition', ask(none, 'session ready'))).toMatchObject({ session: 'ready' })
  })

  test('domain.md §3.7 a later step that is refused takes back the earlier ones', () => {
    const world = new World()
    const id = world.booked('approved')
    const before = { view: world.view(id), audit: world.audit(), totals: world.totals() }
    const input = ask(id, 'payment initiated', 'session payment_pending', 'session paid')
    expect(world.refused(ADMIN, 'transition', input)).toMatchObject({ code: 'AUTHORITY_VIOLATION' })
    expect({ view: world.view(id), audit: world.audit(), totals: world.totals() }).toEqual(before)
  })

  test('domain.md §3.4 transition is the administrators’', () => {
    const world = new World()
    const id = world.booked('requested')
    for (const principal of [CLIENT, THERAPIST, STRANGER, WORKER]) {
      expect(world.refused(principal, 'transition', ask(id, 'session approved'))).toMatchObject({ code: 'FORBIDDEN' })
    }
    expect(world.refused(ADMIN, 'transition', ask('bkg-9', 'session approved'))).toMatchObject({ code: 'NOT_FOUND' })
  })
})

describe('domain.md §3.4 transition: exactly the given steps', () => {
  test('domain.md §3.3 the three triples that no other command reaches', () => {
    for (const [texts, triple] of [
      [['session cancelled'], 'failed/cancelled/not_started'],
      [['session cancelled', 'video waiting_for_participants', 'video ended'], 'failed/cancelled/ended'],
      [
        ['payment cancelled', 'session cancelled', 'video waiting_for_participants', 'video ended'],
        'cancelled/cancelled/ended',
      ],
    ] as const) {
      const world = new World()
      const id = world.booked('failed')
      world.ok(ADMIN, 'transition', ask(id, ...texts))
      expect(world.triple(id)).toBe(triple)
      const group = world.audit(id).filter(({ action }) => action === 'transition')
      expect(group.map(({ entity, to, reason }) => [`${entity} ${to}`, reason])).toEqual(
        texts.map((text) => [text, 'by hand']),
      )
      expect(new Set(group.map((record) => record.group)).size).toBe(1)
      expect(world.view(id).cancel).toMatchObject({ role: 'admin', reason: 'by hand' })
      // Money that comes now is the client's.
      const late = world.callback({ transactionId: 'tx-late', attemptId: world.attempt(id) })
      expect(late).toMatchObject({ result: 'ORPHANED' })
      expect(world.triple(id)).toBe(triple)
    }
  })

  test('domain.md §3.4 a step to refunded gives the whole price back, and is no other policy', () => {
    const world = new World()
    const id = world.booked('ready')
    world.passToStart(id, -MINUTE_MS)
    const input = ask(id, 'payment refunded', 'session cancelled')
    expect(world.ok(ADMIN, 'transition', input)).toMatchObject({ payment: 'refunded', session: 'cancelled' })
    expect(world.view(id).refunds).toMatchObject([
      { reason: 'ADMIN', pct: 100, amountMinor: PRICE, status: 'QUEUED', transactionId: `tx-${id}` },
    ])
    for (const principal of [CLIENT, THERAPIST]) {
      expect(world.notes(principal).find(({ topic }) => topic === 'booking.cancelled')?.body).toEqual({
        bookingId: id,
        by: ADMIN,
        role: 'admin',
        session: 'cancelled',
        refundPct: 100,
      })
    }
  })

  test('domain.md §3.4 a session that is begun by hand counts from then, and ends as any other', () => {
    const world = new World()
    const id = world.booked('ready_waiting')
    world.ok(ADMIN, 'transition', ask(id, 'session in_progress', 'video active'))
    expect(world.view(id)).toMatchObject({ actualStart: world.now, session: 'in_progress' })
    world.ok(ADMIN, 'transition', ask(id, 'video failed'))
    expect(world.view(id).attendance?.client.leftAt).toBe(world.now)
    world.pass(90 * MINUTE_MS)
    expect(world.triple(id)).toBe('confirmed/completed/ended')
  })

  test('domain.md §3.4 a payment that is initiated by hand has an attempt without a push, asks nobody, and times out', () => {
    const world = new World()
    const id = world.booked('approved')
    world.ok(ADMIN, 'transition', ask(id, 'payment initiated', 'session payment_pending'))
    expect(world.view(id).attemptList).toMatchObject([{ no: 1, phone: '', outcome: null }])
    expect(world.tasks()).toEqual([])
    world.pass(5 * MINUTE_MS)
    expect(world.tasks()).toEqual([])
    world.pass(25 * MINUTE_MS)
    expect(world.triple(id)).toBe('failed/payment_pending/not_started')
    expect(world.ok(CLIENT, 'initiatePayment', { id, phone: PHONE })).toMatchObject({ no: 2 })
  })

  test('domain.md §3.4 its money is verified by hand, and a refund of it names no payer', () => {
    const world = new World()
    const id = world.booked('approved', { forms: [] })
    world.ok(ADMIN, 'transition', ask(id, 'payment initiated', 'session payment_pending'))
    const money = { id, transactionId: 'R-1', amountMinor: PRICE, note: 'seen in the statement' }
    expect(world.ok(ADMIN, 'verifyPaymentManually', money)).toMatchObject({ result: 'APPLIED', session: 'paid' })
    world.ok(CLIENT, 'cancel', { id, reason: 'other' })
    expect(world.tasks('payment.refund')).toMatchObject([
      { payload: { receipt: 'R-1', payer: null, payerMasked: null } },
    ])
  })

  test('domain.md §3.4 a payment that is failed by hand ends its attempt, and a late success pays all the same', () => {
    const world = new World()
    const id = world.booked('payment_pending')
    world.ok(ADMIN, 'transition', ask(id, 'payment failed'))
    expect(world.view(id).attemptList).toMatchObject([{ outcome: 'FAILED', resultCode: 'ADMIN' }])
    expect(world.callback({ attemptId: world.attempt(id) })).toMatchObject({ result: 'APPLIED_LATE' })
  })
})
