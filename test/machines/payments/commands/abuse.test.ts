import { describe, expect, test } from 'vitest'
import { MINUTE_MS } from '../../../../src/base/time.ts'
import type { Value } from '../../../../src/codec/value/value.ts'
import { ADMIN, CLIENT, callbackOf, PRICE, STRANGER, THERAPIST, WORKER, World } from '../world.ts'

const IST = 'INVALID_STATE_TRANSITION'

/** One step of one machine, by the administrators' command. */
const move = (id: string, ...moves: readonly (readonly [entity: string, to: string])[]): Value => ({
  id,
  steps: moves.map(([entity, to]) => ({ entity, to })),
  reason: 'an attempt',
})

/** The table of domain.md §3.11: what is tried, in a world of its own, and the code that answers. */
const CASES: { readonly [name: string]: (world: World) => readonly (readonly [code: string, expected: string])[] } = {
  'P1 join with session payment_pending': (world) => {
    const id = world.booked('payment_pending')
    return [[world.refused(CLIENT, 'joinVideo', { id }).code, 'UNPAID_ACCESS']]
  },
  'P2 join with session paid': (world) => {
    const id = world.booked('paid')
    return [[world.refused(CLIENT, 'joinVideo', { id }).code, 'FORMS_INCOMPLETE']]
  },
  'P3 transition session requested→ready': (world) => {
    const id = world.booked('requested')
    return [[world.refused(ADMIN, 'transition', move(id, ['session', 'ready'])).code, 'PAYMENT_REQUIRED']]
  },
  'P4 transition session paid→in_progress': (world) => {
    const id = world.booked('paid')
    return [[world.refused(ADMIN, 'transition', move(id, ['session', 'in_progress'])).code, 'FORMS_REQUIRED']]
  },
  'P5 transition session completed→payment_pending; payment confirmed→pending': (world) => {
    const id = world.booked('completed')
    return [
      [world.refused(ADMIN, 'transition', move(id, ['session', 'payment_pending'])).code, 'RETROACTIVE_PAYMENT'],
      [world.refused(ADMIN, 'transition', move(id, ['payment', 'pending'])).code, 'RETROACTIVE_CHANGE'],
    ]
  },
  'P6 transition session approved→payment_pending alone': (world) => {
    const id = world.booked('approved')
    return [[world.refused(ADMIN, 'transition', move(id, ['session', 'payment_pending'])).code, 'PAYMENT_SESSION_SYNC']]
  },
  'P7 transition session payment_pending→paid + payment initiated→confirmed by admin': (world) => {
    const id = world.booked('payment_pending')
    const both = [
      ['payment', 'confirmed'],
      ['session', 'paid'],
    ] as const
    return [
      [world.refused(ADMIN, 'transition', move(id, ...both)).code, 'AUTHORITY_VIOLATION'],
      [world.refused(ADMIN, 'transition', move(id, ...both.toReversed())).code, 'AUTHORITY_VIOLATION'],
    ]
  },
  'P8 same transactionId, other amount, both successes': (world) => {
    const id = world.booked('payment_pending')
    const attemptId = world.attempt(id)
    world.callback({ attemptId })
    return [[String(world.callback({ attemptId, amountMinor: PRICE - 100 })['result']), 'ORPHANED']]
  },
  'P8b failure told first, then success of the same transactionId': (world) => {
    const id = world.booked('payment_pending')
    const attemptId = world.attempt(id)
    world.callback({ attemptId, outcome: 'failure', resultCode: 1037 })
    return [[String(world.callback({ attemptId })['result']), 'APPLIED_LATE']]
  },
  'P8c success, then failure of the same transactionId': (world) => {
    const id = world.booked('payment_pending')
    const attemptId = world.attempt(id)
    world.callback({ attemptId })
    const failure = callbackOf({ attemptId, outcome: 'failure', resultCode: 1 })
    return [
      [world.refused(WORKER, 'paymentCallback', failure).code, 'IDEMPOTENCY_CONFLICT'],
      [world.triple(id), 'confirmed/paid/not_started'],
    ]
  },
  'P9 another client’s user joins, reads, cancels': (world) => {
    const id = world.booked('ready')
    const reading = world.ask(STRANGER, 'get', { id })
    return [
      [world.refused(STRANGER, 'joinVideo', { id }).code, 'FORBIDDEN'],
      [reading.kind === 'reject' ? reading.code : 'read', 'FORBIDDEN'],
      [world.refused(STRANGER, 'cancel', { id, reason: 'other' }).code, 'FORBIDDEN'],
    ]
  },
  'P10 cancel twice; cancel a completed booking': (world) => {
    const twice = world.booked('cancelled')
    const completed = world.booked('completed', { startsAt: world.now + 9e8 })
    return [
      [world.refused(CLIENT, 'cancel', { id: twice, reason: 'other' }).code, IST],
      [world.refused(CLIENT, 'cancel', { id: completed, reason: 'other' }).code, IST],
    ]
  },
  'P11 client marks therapist no-show 10 min after start': (world) => {
    const id = world.booked('ready')
    world.passToStart(id, 10 * MINUTE_MS)
    return [[world.refused(CLIENT, 'markNoShow', { id, who: 'therapist' }).code, 'TOO_EARLY']]
  },
  'P12 second booking of the therapist in the same hour': (world) => {
    const id = world.booked('requested')
    const { startsAt } = world.view(id)
    const input = { therapistId: THERAPIST, startsAt: startsAt + 30 * MINUTE_MS, durationMin: 60, priceMinor: 100 }
    const refusal = world.refused(STRANGER, 'requestBooking', { ...input, currency: 'KES' })
    return [[`${refusal.code} ${JSON.stringify(refusal.details)}`, 'CONFLICT {"reason":"SLOT_TAKEN"}']]
  },
  'P13 join 16 min early / 121 min late': (world) => {
    const id = world.booked('ready', { durationMin: 240 })
    world.passToStart(id, -16 * MINUTE_MS)
    const early = world.refused(CLIENT, 'joinVideo', { id }).code
    world.passToStart(id, -10 * MINUTE_MS)
    for (const principal of [CLIENT, THERAPIST]) world.ok(principal, 'joinVideo', { id })
    world.ok(CLIENT, 'leaveVideo', { id })
    world.passToStart(id, 121 * MINUTE_MS)
    return [
      [early, 'OUTSIDE_JOIN_WINDOW'],
      [world.refused(CLIENT, 'joinVideo', { id }).code, 'OUTSIDE_JOIN_WINDOW'],
    ]
  },
  'P14 success callback after cancellation': (world) => {
    const id = world.booked('cancelled')
    const before = world.triple(id)
    const result = world.callback({ transactionId: 'tx-late', attemptId: world.attempt(id) })['result']
    return [
      [String(result), 'ORPHANED'],
      [world.triple(id), before],
    ]
  },
}

describe('domain.md §3.11 abuse cases', () => {
  for (const [name, attempt] of Object.entries(CASES)) {
    test(`domain.md §3.11 ${name}`, () => {
      for (const [code, expected] of attempt(new World())) expect(code).toBe(expected)
    })
  }
})
