import { describe, expect, test } from 'vitest'
import { DAY_MS, MINUTE_MS } from '../../../src/base/time.ts'
import type { Value } from '../../../src/codec/value/value.ts'
import { ADMIN, CLIENT, HASH, PHONE, PRICE, STRANGER, THERAPIST, WORKER, World } from '../payments/world.ts'

/**
 * The order of domain.md §0.5, on payments: each case breaks the check that it is named after and every later one that can be
 * broken with it, and the earlier one answers.
 */
const refusal = (world: World, ...[by, command, input]: [string, string, Value]): string =>
  world.refused(by, command, input).code

describe('domain.md §0.5 the order of checks', () => {
  test('1 timers first: a command in the millisecond in which a timer is due finds what the timer left', () => {
    const world = new World()
    const id = world.booked('requested')
    world.log.advance(2 * DAY_MS)
    const refused = world.refused(THERAPIST, 'approve', { id, expectPriceMinor: PRICE })
    expect(refused).toMatchObject({ code: 'INVALID_STATE_TRANSITION', details: { from: 'cancelled' } })
    const due = world.booked('requested', { startsAt: world.now + 9 * DAY_MS })
    world.log.advance(2 * DAY_MS - 1)
    expect(world.ok(THERAPIST, 'approve', { id: due, expectPriceMinor: PRICE })).toMatchObject({ session: 'approved' })
  })

  test('1 shape before everything else, and before the log: nothing is executed, nothing written down', () => {
    const world = new World()
    world.booked('requested')
    const entries = world.log.entries.length
    const bad: readonly Value[] = [
      { id: 'bkg-404', expectPriceMinor: -1 },
      { id: 'bkg-404', expectPriceMinor: 1, more: true },
      { id: '' },
      {},
      null,
    ]
    for (const input of bad) expect(refusal(world, STRANGER, 'approve', input)).toBe('VALIDATION_ERROR')
    const nested = { id: 'bkg-404', steps: [{ entity: 'session', to: 'ready', more: 1 }], reason: 'x' }
    expect(refusal(world, STRANGER, 'transition', nested)).toBe('VALIDATION_ERROR')
    expect(world.log.entries).toHaveLength(entries)
    expect(world.audit(undefined, 'rejected')).toEqual([])
  })

  test('2 principal: no session is opened without one, and a query outside a session is UNAUTHENTICATED', () => {
    const world = new World()
    for (const principal of ['', 'system', 'system:x']) {
      const { reply } = world.log.tryOpen('x', { principal })
      expect(reply, principal).toMatchObject({ kind: 'refused', code: 'INVALID' })
    }
    // Before the entity: there is no such booking.
    expect(world.ask(null, 'get', { id: 'bkg-404' })).toMatchObject({ code: 'UNAUTHENTICATED' })
  })

  test('4 the entity before the role: what is not there is NOT_FOUND to whoever may not do it, too', () => {
    const world = new World()
    for (const by of [STRANGER, WORKER, CLIENT]) {
      expect(refusal(world, by, 'approve', { id: 'bkg-404', expectPriceMinor: 1 })).toBe('NOT_FOUND')
    }
    const ids = { attemptId: 'att-404', checkoutRequestId: 'co', merchantRequestId: 'm' }
    expect(refusal(world, STRANGER, 'paymentStarted', ids)).toBe('NOT_FOUND')
    // A stranger to a booking that is there gets FORBIDDEN: ids of bookings are no secret.
    expect(refusal(world, STRANGER, 'cancel', { id: world.booked('requested'), reason: 'other' })).toBe('FORBIDDEN')
  })

  test('5 the role before what was done already: a stranger’s repeat is FORBIDDEN, not a duplicate', () => {
    const world = new World()
    const id = world.booked('ready')
    const form = { id, formId: 'intake', contentHash: HASH }
    expect(world.ok(CLIENT, 'completeForm', form)).toMatchObject({ duplicate: true })
    for (const by of [STRANGER, THERAPIST, ADMIN]) expect(refusal(world, by, 'completeForm', form)).toBe('FORBIDDEN')
    const over = world.booked('completed', { startsAt: world.now + 9 * DAY_MS })
    expect(refusal(world, STRANGER, 'endSession', { id: over })).toBe('FORBIDDEN')
  })

  test('6 what was done already before the state: the same content is a duplicate, other content a conflict', () => {
    const world = new World()
    const id = world.booked('completed')
    expect(world.ok(THERAPIST, 'endSession', { id })).toMatchObject({ session: 'completed', duplicate: true })
    expect(world.ok(CLIENT, 'completeForm', { id, formId: 'intake', contentHash: HASH })).toMatchObject({
      duplicate: true,
    })
    const other = { id, formId: 'intake', contentHash: 'b'.repeat(64) }
    expect(refusal(world, CLIENT, 'completeForm', other)).toBe('CONFLICT')
    // A form that nobody completed is judged by the state.
    expect(refusal(world, CLIENT, 'completeForm', { ...other, formId: 'extra' })).toBe('INVALID_STATE_TRANSITION')
  })

  test('7 the state before the state within: a payment in flight is looked at where one can be', () => {
    const world = new World()
    for (const [state, code] of [
      ['requested', 'INVALID_STATE_TRANSITION'],
      ['payment_pending', 'CONFLICT'],
      ['paid', 'INVALID_STATE_TRANSITION'],
    ] as const) {
      const id = world.booked(state, { startsAt: world.now + (state.length + 3) * DAY_MS })
      expect(refusal(world, CLIENT, 'initiatePayment', { id, phone: PHONE }), state).toBe(code)
    }
  })

  test('8 the state within before the other guards: a call that has not failed is not retried, whoever is there', () => {
    const world = new World()
    const id = world.booked('ready_waiting')
    const refused = world.refused(CLIENT, 'retryVideo', { id })
    expect(refused).toMatchObject({ code: 'INVALID_STATE_TRANSITION', details: { entity: 'video' } })
  })

  test('9 the guards last, in their order: the state before the price, TOO_EARLY before ATTENDED', () => {
    const world = new World()
    const approved = world.booked('approved')
    expect(refusal(world, THERAPIST, 'approve', { id: approved, expectPriceMinor: 1 })).toBe('INVALID_STATE_TRANSITION')
    const waiting = world.booked('ready_waiting', { startsAt: world.now + 9 * DAY_MS })
    expect(refusal(world, THERAPIST, 'markNoShow', { id: waiting, who: 'client' })).toBe('TOO_EARLY')
    world.ok(CLIENT, 'leaveVideo', { id: waiting })
    world.ok(THERAPIST, 'joinVideo', { id: waiting })
    world.passToStart(waiting, 15 * MINUTE_MS)
    expect(refusal(world, THERAPIST, 'markNoShow', { id: waiting, who: 'client' })).toBe('CONFLICT')
  })

  test('10 steps, rows, notifications and timers come last, together: a refused command leaves none of them', () => {
    const world = new World()
    const id = world.booked('approved')
    const before = { view: world.view(id), due: world.log.machine.nextTimerDue(), told: world.notes(CLIENT) }
    for (const by of [STRANGER, THERAPIST]) world.refused(by, 'initiatePayment', { id, phone: PHONE })
    expect({ view: world.view(id), due: world.log.machine.nextTimerDue(), told: world.notes(CLIENT) }).toEqual(before)
    world.ok(CLIENT, 'initiatePayment', { id, phone: PHONE })
    // The first of its timers: the lease of the push.
    expect(world.log.machine.nextTimerDue()).toBe(world.now + 30_000)
    expect(world.topics(CLIENT).at(-1)).toBe('payment.initiated')
    expect(world.tasks('payment.stk_push')).toHaveLength(1)
  })
})
