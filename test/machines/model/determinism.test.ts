import { describe, expect, test } from 'vitest'
import { HOUR_MS, MINUTE_MS } from '../../../src/base/time.ts'
import type { Entry } from '../../../src/codec/entry/entry.ts'
import { mount } from '../../../src/machine/run/mount.ts'
import { payments } from '../../../src/machines/payments/machine.ts'
import { SessionStateMachine } from '../../../src/session/session-state-machine.ts'
import { ADMIN, CLIENT, callbackOf, HASH, PHONE, PRICE, STRANGER, THERAPIST, WORKER, World } from '../payments/world.ts'
import { codec, RECORD_BYTES } from '../../session/log.ts'

/** The rules of domain.md §0.3, on payments; D6 and D8 are proved where machines meet and where rows are restored. */

/** Another replica, which applies what it is given. */
function replica(): { readonly apply: (entry: Entry) => string } {
  const machine = new SessionStateMachine(mount([payments], codec).userMachine, codec, { report: () => undefined })
  return {
    apply: (entry) => {
      machine.apply(entry, RECORD_BYTES)
      return machine.stateHash()
    },
  }
}

/** All that people and workers can see. */
function seen(world: World, id: string): unknown {
  return {
    view: world.view(id),
    totals: world.totals(),
    audit: world.audit(),
    due: world.log.machine.nextTimerDue(),
    told: [CLIENT, THERAPIST, ADMIN, WORKER].map((principal) => world.outbox(principal)),
  }
}

describe('domain.md §0.3 determinism rules', () => {
  test('D1 apply is a function of state and entry: two replicas that apply one log are equal after every entry', () => {
    const world = new World()
    world.booked('completed')
    world.ok(CLIENT, 'cancel', { id: world.booked('paid'), reason: 'other' })
    const [one, other] = [replica(), replica()]
    const hashes = world.log.entries.map((entry) => [one.apply(entry), other.apply(entry)])
    expect(hashes.every(([left, right]) => left === right)).toBe(true)
    expect(hashes.at(-1)?.[0]).toBe(world.log.machine.stateHash())
  })

  test('D2 time enters with the entry and never goes back: an entry stamped earlier happens at the latest time known', () => {
    const world = new World()
    const id = world.booked('requested')
    world.pass(HOUR_MS)
    const latest = world.now
    world.log.now -= HOUR_MS
    world.ok(THERAPIST, 'approve', { id, expectPriceMinor: PRICE })
    expect(world.audit(id).at(-1)).toMatchObject({ action: 'approve', at: latest })
    // The timers of the new state count from there as well.
    expect(world.log.machine.nextTimerDue()).toBe(latest + HOUR_MS)
  })

  test('D3 timers that are due fire before the entry, each at its own time, and may arm others that fire in the same pass', () => {
    const world = new World()
    const id = world.booked('payment_pending')
    const from = world.now
    world.startPushes()
    world.acknowledge(WORKER)
    world.log.advance(30 * MINUTE_MS + 24 * HOUR_MS)
    expect(world.refused(CLIENT, 'initiatePayment', { id, phone: PHONE })).toMatchObject({
      code: 'INVALID_STATE_TRANSITION',
      details: { from: 'cancelled' },
    })
    const fired = world.audit(id).filter(({ by }) => by === 'system')
    expect(fired.map(({ action, at }) => [action, at - from])).toEqual([
      ['payment-timeout', 30 * MINUTE_MS],
      ['failed-expiry', 30 * MINUTE_MS + 24 * HOUR_MS],
      ['failed-expiry', 30 * MINUTE_MS + 24 * HOUR_MS],
    ])
  })

  test('D4 what a provider says is an input: a task goes out, and its result comes back as an entry', () => {
    const world = new World()
    const id = world.booked('payment_pending')
    const entries = world.log.entries.length
    world.startPushes()
    expect(world.log.entries).toHaveLength(entries + 1)
    // A replica that never spoke to the provider knows what it said.
    const other = replica()
    expect(world.log.entries.map((entry) => other.apply(entry)).at(-1)).toBe(world.log.machine.stateHash())
    expect(world.callback({ transactionId: 'co-att-1', checkoutRequestId: 'co-att-1' })).toMatchObject({
      bookingId: id,
    })
  })

  test('D5 a refusal is a response: it changes nothing that can be seen but the record of it', () => {
    const world = new World()
    const id = world.booked('ready')
    const before = seen(world, id)
    const refusals = [
      [STRANGER, 'cancel', { id, reason: 'other' }],
      [CLIENT, 'initiatePayment', { id, phone: PHONE }],
      [CLIENT, 'joinVideo', { id }],
      [CLIENT, 'completeForm', { id, formId: 'none', contentHash: HASH }],
      [THERAPIST, 'markNoShow', { id, who: 'client' }],
      [ADMIN, 'transition', { id, steps: [{ entity: 'session', to: 'paid' }], reason: 'x' }],
    ] as const
    for (const [at, [by, command, input]] of refusals.entries()) {
      const { code } = world.refused(by, command, input)
      expect(world.audit(id, 'rejected').at(-1)).toMatchObject({ seq: at + 1, action: command, by, code })
      expect(seen(world, id)).toEqual(before)
    }
  })

  test('D9 a query changes nothing, whatever it is and whoever asks', () => {
    const world = new World()
    const id = world.booked('ready')
    const hash = world.log.machine.stateHash()
    const inputs = {
      get: { id },
      list: {},
      canJoin: { id },
      refundQuote: { id },
      audit: { id },
      stuck: {},
      totals: {},
      suspense: {},
      reviews: {},
      receipts: {},
      refunds: {},
      unparsed: {},
    }
    expect(Object.keys(inputs).sort()).toEqual(Object.keys(payments.queries).sort())
    for (const principal of [CLIENT, THERAPIST, ADMIN, STRANGER, null]) {
      for (const [query, input] of Object.entries(inputs)) world.ask(principal, query, input)
    }
    expect(world.ask(ADMIN, 'get', { id })).toMatchObject({ kind: 'value' })
    expect(world.log.machine.stateHash()).toBe(hash)
  })

  test('D10 a request that was applied is answered from the cache; what the machine knows itself outlives the session', () => {
    const world = new World()
    const id = world.booked('payment_pending')
    const session = world.sessionOf(WORKER)
    const input = callbackOf({ attemptId: world.attempt(id) })
    const send = () => world.log.request(session, 77, 'paymentCallback', { machine: 'payments', version: 2, input })
    const first = send()
    const applied = world.audit(id).length
    expect(send()).toEqual({ ...first, replayed: true })
    expect(world.audit(id)).toHaveLength(applied)
    // Another session has another cache: the machine answers with the first body.
    world.open(WORKER, ['payments'])
    expect(world.callback({ attemptId: world.attempt(id) })).toMatchObject({ result: 'APPLIED', duplicate: true })
    expect(world.audit(id)).toHaveLength(applied)
  })
})

describe('domain.md §0.2 types and units', () => {
  test('domain.md §0.2 ids count up, and what the outside sees of them begins with the incarnation', () => {
    const world = new World()
    expect(world.booked('requested')).toBe('bkg-1')
    const second = world.booked('paid', { startsAt: world.now + 9 * 24 * HOUR_MS })
    expect(second).toBe('bkg-2')
    world.ok(THERAPIST, 'cancel', { id: second, reason: 'illness' })
    expect(world.view(second)).toMatchObject({ attemptList: [{ id: 'att-1' }], refunds: [{ id: 'ref-1' }] })
    expect(world.tasks().map(({ taskId }) => taskId)).toEqual(['1-task-1', '1-task-2'])
    expect(world.tasks('payment.stk_push')).toMatchObject([{ payload: { reference: '1-att-1' } }])
    expect(world.tasks('payment.refund')).toMatchObject([{ payload: { idempotencyKey: '1-ref-1' } }])
  })

  test('domain.md §0.2 no fraction, no negative amount, no time out of range is taken, and no number in state is one', () => {
    const world = new World()
    const input = { therapistId: THERAPIST, startsAt: world.now + 1, durationMin: 60, priceMinor: 100, currency: 'KES' }
    for (const bad of [{ priceMinor: 100.5 }, { priceMinor: -100 }, { startsAt: -1 }]) {
      expect(world.refused(CLIENT, 'requestBooking', { ...input, ...bad })).toMatchObject({ code: 'VALIDATION_ERROR' })
    }
    const id = world.booked('in_progress', { priceMinor: 333_300 })
    world.pass(20 * MINUTE_MS)
    world.ok(CLIENT, 'cancel', { id, reason: 'other' })
    const numbers = JSON.stringify([world.view(id), world.totals(), world.audit()]).match(/:-?\d[\d.e+-]*/g) ?? []
    expect(numbers.filter((number) => !/^:-?\d+$/.test(number))).toEqual([])
  })

  test('domain.md §0.2 a required text that is empty once it is trimmed is VALIDATION_ERROR', () => {
    const world = new World()
    const id = world.booked('in_progress')
    for (const detail of ['', ' ', '\t\n ']) {
      expect(world.refused(CLIENT, 'reportVideoFailure', { id, detail })).toMatchObject({ code: 'VALIDATION_ERROR' })
    }
    world.ok(CLIENT, 'reportVideoFailure', { id, detail: '  no sound ' })
    expect(world.audit(id).at(-1)).toMatchObject({ reason: 'no sound' })
  })
})
