import { describe, expect, test } from 'vitest'
import { DAY_MS, HOUR_MS, MINUTE_MS } from '../../../../src/base/time.ts'
import { describeRejection } from '../../../../src/machine/define/rejection.ts'
import type { AuditRecord } from '../../../../src/machines/payments/change/audit.ts'
import { generateCallbacks } from '../../../../src/machines/payments/tools/generate-callbacks.ts'
import { planReplay } from '../../../../src/machines/payments/tools/plan-replay.ts'
import { stuckStates } from '../../../../src/machines/payments/rules/stuck.ts'
import type { Booking } from '../../../../src/machines/payments/facts/rows.ts'
import { TOTAL_NAMES } from '../../../../src/machines/payments/facts/totals.ts'
import { ADMIN, CLIENT, PHONE, PRICE, STRANGER, THERAPIST, WORKER, World } from '../world.ts'

type List = { readonly bookings: readonly { readonly id: string }[]; readonly next: number | null }

describe('domain.md §3.9 queries', () => {
  test('domain.md §3.9 get shows client, therapist and administrators everything of a booking but the phone number', () => {
    const world = new World()
    const id = world.booked('forms_required')
    for (const principal of [CLIENT, THERAPIST, ADMIN]) {
      expect(world.answer(principal, 'get', { id })).toMatchObject({
        id,
        clientId: CLIENT,
        therapistId: THERAPIST,
        priceMinor: PRICE,
        attempts: 1,
        attemptId: 'att-1',
        formsOpen: 1,
        forms: [
          { formId: 'extra', required: false },
          { formId: 'intake', required: true, completedAt: null },
        ],
        attemptList: [{ id: 'att-1', no: 1, phone: '*********678', outcome: 'SUCCESS', resultCode: '0' }],
        captures: [{ transactionId: principal === ADMIN ? `tx-${id}` : null, applied: true }],
      })
    }
    expect(world.ask(CLIENT, 'get', { id: 'bkg-9' })).toMatchObject({ code: 'NOT_FOUND' })
  })

  test('domain.md §3.9 list pages through one’s own bookings, oldest first; others only for administrators', () => {
    const world = new World()
    const ids = Array.from({ length: 12 }, (_, day) => world.request({ startsAt: world.now + (day + 1) * DAY_MS }))
    const page = world.answer<List>(THERAPIST, 'list', { limit: 5 })
    expect(page.bookings.map(({ id }) => id)).toEqual(ids.slice(0, 5))
    expect(world.answer<List>(THERAPIST, 'list', { after: page.next ?? 0 }).bookings.map(({ id }) => id)).toEqual(
      ids.slice(5),
    )
    expect(world.answer(STRANGER, 'list', {})).toEqual({ bookings: [], next: null })
    expect(world.ask(STRANGER, 'list', { principal: CLIENT })).toMatchObject({ code: 'FORBIDDEN' })
    expect(world.answer<List>(ADMIN, 'list', { principal: CLIENT }).bookings).toHaveLength(12)
    expect(world.ask(CLIENT, 'list', { limit: 101 })).toMatchObject({ code: 'VALIDATION_ERROR' })
  })

  test('domain.md §3.9 canJoin opens 15 min before the start to client and therapist, not to administrators', () => {
    const world = new World()
    const id = world.booked('ready')
    const { startsAt } = world.view(id)
    const window = { opensAt: startsAt - 15 * MINUTE_MS, closesAt: startsAt + 120 * MINUTE_MS }
    world.pass(startsAt - 15 * MINUTE_MS - 1 - world.now)
    expect(world.answer(CLIENT, 'canJoin', { id })).toEqual({ ok: false, code: 'OUTSIDE_JOIN_WINDOW', ...window })
    world.pass(1)
    for (const principal of [CLIENT, THERAPIST]) {
      expect(world.answer(principal, 'canJoin', { id })).toEqual({ ok: true, code: null, ...window })
    }
    expect(world.answer(ADMIN, 'canJoin', { id })).toMatchObject({ ok: false, code: 'FORBIDDEN' })
    world.ok(CLIENT, 'cancel', { id, reason: 'illness' })
    expect(world.answer(CLIENT, 'canJoin', { id })).toEqual({
      ok: false,
      code: 'BOOKING_CLOSED',
      opensAt: null,
      closesAt: null,
    })
  })

  test('domain.md §3.9 audit: administrators all of it, the parties their booking, and of the rejected their own', () => {
    const world = new World()
    const id = world.booked('approved')
    const other = world.booked('requested', { startsAt: world.now + 9 * DAY_MS })
    world.refused(CLIENT, 'routeAfterPayment', { id })
    world.refused(THERAPIST, 'routeAfterPayment', { id })
    const page = (who: string, input: object): { records: AuditRecord[]; next: number | null } =>
      world.answer(who, 'audit', { ...input })
    expect(page(CLIENT, { id }).records.map(({ action }) => action)).toEqual([
      'requestBooking',
      'requestBooking',
      'requestBooking',
      'approve',
    ])
    expect(page(CLIENT, { id, outcome: 'rejected' }).records).toMatchObject([{ by: CLIENT, code: 'FORBIDDEN' }])
    expect(page(ADMIN, { id, outcome: 'rejected' }).records.map(({ by }) => by)).toEqual([CLIENT, THERAPIST])
    expect(world.ask(CLIENT, 'audit', {})).toMatchObject({ code: 'FORBIDDEN' })
    expect(page(ADMIN, {}).records).toHaveLength(7)
    const first = page(ADMIN, { limit: 1 })
    expect(first.records).toHaveLength(3)
    expect(page(ADMIN, { from: first.next, limit: 1 }).records).toMatchObject([{ seq: 4, action: 'approve' }])
    expect(page(ADMIN, { outcome: 'rejected', limit: 1 })).toMatchObject({ records: [{ seq: 1 }], next: 2 })
    expect(page(ADMIN, { id: other }).records.every(({ bookingId }) => bookingId === other)).toBe(true)
    expect(page(ADMIN, { id: 'bkg-1', from: 99 })).toEqual({ records: [], next: null })
  })

  test('domain.md §3.9 stuck names what stays for more than twice the expected time', () => {
    const world = new World()
    const id = world.booked('payment_pending')
    world.startPushes()
    expect(world.answer(ADMIN, 'stuck', {})['stuck']).toEqual([])
    expect(world.ask(CLIENT, 'stuck', {})).toMatchObject({ code: 'FORBIDDEN' })
    expect(world.answer(ADMIN, 'stuck', { now: world.now + 10 * MINUTE_MS })['stuck']).toEqual([])
    const later = world.now + 10 * MINUTE_MS + 1
    expect(world.answer(ADMIN, 'stuck', { now: later })['stuck']).toEqual([
      { id, entity: 'payment', state: 'initiated', sinceMs: world.now, forMs: 10 * MINUTE_MS + 1 },
    ])
    world.ok(CLIENT, 'cancel', { id, reason: 'other' })
    expect(world.answer(ADMIN, 'stuck', { now: world.now + 99 * DAY_MS })['stuck']).toEqual([])
  })

  test('domain.md §3.9 the expected minutes per state', () => {
    const states = {
      payment: { pending: 60, initiated: 5, failed: 1440 },
      session: {
        requested: 1440,
        approved: 60,
        payment_pending: 10,
        paid: 30,
        forms_required: 1440,
        ready: 60,
        in_progress: 90,
      },
      video: { waiting_for_participants: 15, active: 90, failed: 5 },
    }
    for (const [entity, table] of Object.entries(states)) {
      for (const [state, minutes] of Object.entries(table)) {
        const calm = {
          payment: 'confirmed',
          session: 'completed',
          video: 'ended',
          paymentAt: 0,
          sessionAt: 0,
          videoAt: 0,
        }
        const booking = { ...calm, [entity]: state } as unknown as Booking
        expect(stuckStates(booking, 2 * minutes * MINUTE_MS)).toEqual([])
        expect(stuckStates(booking, 2 * minutes * MINUTE_MS + 1)).toMatchObject([{ entity, state }])
      }
    }
  })
})

describe('domain.md §3.13 totals', () => {
  test('domain.md §3.13 totals are for administrators and payment workers', () => {
    const world = new World()
    expect(world.answer(WORKER, 'totals', {})).toEqual(world.totals())
    expect(world.ask(CLIENT, 'totals', {})).toMatchObject({ code: 'FORBIDDEN' })
    expect(TOTAL_NAMES).toHaveLength(new Set(TOTAL_NAMES).size)
  })

  test('domain.md §3.13 totals agree with the bookings they sum up', () => {
    const world = new World()
    const states = [
      'requested',
      'approved',
      'payment_pending',
      'failed',
      'paid',
      'forms_required',
      'ready',
      'cancelled',
    ] as const
    const views = states
      .map((state, day) => world.booked(state, { startsAt: world.now + (day + 3) * DAY_MS }))
      .map((id) => {
        world.callback({ transactionId: `more-${id}`, attemptId: world.view(id).attemptList[0]?.id ?? 'att-none' })
        return world.view(id)
      })
    const totals = world.totals()
    expect(totals.bookings.count).toBe(views.length)
    for (const entity of ['payment', 'session', 'video'] as const) {
      for (const [state, count] of Object.entries(totals.bookings[entity])) {
        expect(count, `${entity} ${state}`).toBe(views.filter((view) => view[entity] === state).length)
      }
    }
    const captures = views.flatMap((view) => view.captures)
    for (const applied of [true, false]) {
      const group = captures.filter((capture) => capture.applied === applied)
      const minor = group.reduce((sum, { amountMinor }) => sum + amountMinor, 0)
      expect(totals.captures[applied ? 'applied' : 'orphan']).toEqual({ count: group.length, minor })
    }
    const refunds = views.flatMap((view) => view.refunds)
    expect(totals.refunds.count).toBe(refunds.length)
    expect(totals.refunds.minor).toBe(refunds.reduce((sum, { amountMinor }) => sum + amountMinor, 0))
    expect(totals.attempts).toBe(views.reduce((sum, view) => sum + view.attemptList.length, 0))
    // Two bookings without an attempt; one payment under way and five of the set-up; one failed; four settled already.
    expect(totals.callbacks).toMatchObject({ UNKNOWN_ATTEMPT: 2, APPLIED: 6, APPLIED_LATE: 1, ORPHANED: 4 })
  })

  /** Plays a plan booking by booking; `duplicates` twice over. */
  const replay = (count: number, order: 'file' | 'reversed'): { totals: unknown; answers: Map<string, number> } => {
    const world = new World()
    const plan = planReplay(generateCallbacks({ count, seed: 11 }), { lanes: 1 })
    const answers = new Map<string, number>()
    for (const { clientId, therapistId } of plan.bookings.slice(0, 1))
      for (const name of [clientId, therapistId]) world.open(name)
    for (const booking of order === 'file' ? plan.bookings : [...plan.bookings].reverse()) {
      const { clientId, therapistId, durationMin, priceMinor, currency } = booking
      const startsAt = world.now + booking.startsAfterMs
      const id = String(
        world.ok(clientId, 'requestBooking', { therapistId, startsAt, durationMin, priceMinor, currency })['id'],
      )
      world.ok(therapistId, 'approve', { id, expectPriceMinor: priceMinor })
      for (const step of booking.steps) {
        if (step.kind === 'attempt') {
          world.ok(clientId, 'initiatePayment', { id, phone: step.phone })
          const { checkoutRequestId, merchantRequestId } = step
          for (const task of world.tasks('payment.stk_push'))
            world.complete(task, { checkoutRequestId, merchantRequestId })
          world.acknowledge(WORKER)
        } else {
          const answer = world.ok(WORKER, 'paymentCallback', { ...step.callback })
          const key = answer['duplicate'] === true ? 'replayed' : String(answer['result'])
          answers.set(key, (answers.get(key) ?? 0) + 1)
        }
      }
    }
    return { totals: world.totals(), answers }
  }

  test('domain.md §3.13 a generated file replays without a refusal; totals ignore the order of bookings', () => {
    const inOrder = replay(200, 'file')
    expect(inOrder.totals).toEqual(replay(200, 'reversed').totals)
    expect([...inOrder.answers.keys()].sort()).toEqual(['APPLIED', 'replayed'])
    const { bookings, malformed } = planReplay(generateCallbacks({ count: 200, seed: 11 }))
    expect([...inOrder.answers.values()].reduce((sum, count) => sum + count, 0) + malformed.length).toBe(200)
    expect((inOrder.totals as { bookings: { count: number } }).bookings.count).toBe(bookings.length)
  })
})

describe('domain.md §0.11 one golden message per error code', () => {
  test('domain.md §0.11 messages name from, to and what is allowed', () => {
    const world = new World()
    const id = world.booked('approved')
    world.ok(CLIENT, 'initiatePayment', { id, phone: PHONE })
    world.callback({ attemptId: 'att-1', outcome: 'failure', resultCode: 1 })
    const later = { startsAt: world.now + 30 * HOUR_MS }
    const messages = [
      world.refused(THERAPIST, 'approve', { id, expectPriceMinor: PRICE }),
      world.refused(STRANGER, 'cancel', { id, reason: 'other' }),
      world.refused(CLIENT, 'cancel', { id: 'bkg-9', reason: 'other' }),
      world.refused(WORKER, 'paymentCallback', {
        transactionId: 'tx-1',
        attemptId: 'att-9',
        outcome: 'failure',
        resultCode: 1,
        resultDesc: '',
      }),
      world.refused(CLIENT, 'completeForm', { id, formId: 'intake', contentHash: 'a'.repeat(64) }),
      world.refused(THERAPIST, 'approve', { id: world.booked('requested', later), expectPriceMinor: 1 }),
    ].map(({ code, details }) => describeRejection(code, details))
    expect(messages).toEqual([
      'session in state payment_pending cannot go to approved; allowed: paid, cancelled',
      'FORBIDDEN: the principal or its roles may not do this {"id":"bkg-1"}',
      'NOT_FOUND: there is no such entity, or it is not visible to the issuer {"id":"bkg-9"}',
      'IDEMPOTENCY_CONFLICT {"transactionId":"tx-1"}',
      'PAYMENT_REQUIRED {"session":"payment_pending"}',
      `STALE_STATE: the expected value is not the current one {"field":"priceMinor","expected":1,"actual":${PRICE}}`,
    ])
  })
})
