import { describe, expect, test } from 'vitest'
import { MINUTE_MS } from '../../../../src/base/time.ts'
import { ADMIN, CLIENT, PHONE, PRICE, THERAPIST, World } from '../world.ts'
import { TRIPLES } from './edges.ts'

/** The compounds of domain.md §3.4: out of which triple, who does what, and the steps in their order. */
interface Row {
  readonly from: string
  readonly make?: (world: World) => string
  readonly act: (world: World, id: string) => unknown
  readonly steps: readonly string[]
  readonly to: string
}

const cancel = (principal: string) => (world: World, id: string) =>
  world.ok(principal, 'cancel', { id, reason: 'other' })
const toNoShow = (world: World, id: string): void => world.passToStart(id, 15 * MINUTE_MS)

/** The therapist waits and the client is absent; `failed`: their call broke down while waiting. */
function therapistWaits(world: World, failed: boolean): string {
  const id = world.booked('ready')
  world.passToStart(id, 0)
  world.ok(THERAPIST, 'joinVideo', { id })
  if (failed) world.ok(THERAPIST, 'reportVideoFailure', { id, detail: 'no picture' })
  return id
}

/** Ready in the millisecond from which on a no-show may be reported, with nobody there. */
function nobodyThere(world: World): string {
  const id = world.booked('payment_pending', { startsAt: world.now + 10 * MINUTE_MS, forms: [] })
  world.startPushes()
  world.pass(25 * MINUTE_MS)
  world.callback({ transactionId: `tx-${id}`, attemptId: world.attempt(id) })
  world.ok(THERAPIST, 'routeAfterPayment', { id })
  return id
}

const failure = { outcome: 'failure', resultCode: 1032 }

const ROWS: { readonly [name: string]: Row } = {
  'K1 initiatePayment': {
    from: 'pending/approved/not_started',
    act: (world, id) => world.ok(CLIENT, 'initiatePayment', { id, phone: PHONE }),
    steps: ['payment pending→initiated', 'session approved→payment_pending'],
    to: 'initiated/payment_pending/not_started',
  },
  'K1 initiatePayment, retry': {
    from: 'failed/payment_pending/not_started',
    act: (world, id) => world.ok(CLIENT, 'initiatePayment', { id, phone: PHONE }),
    steps: ['payment failed→initiated'],
    to: 'initiated/payment_pending/not_started',
  },
  'K2 a success callback': {
    from: 'initiated/payment_pending/not_started',
    act: (world, id) => world.callback({ attemptId: world.attempt(id) }),
    steps: ['payment initiated→confirmed', 'session payment_pending→paid'],
    to: 'confirmed/paid/not_started',
  },
  'K2 verifyPaymentManually': {
    from: 'initiated/payment_pending/not_started',
    act: (world, id) =>
      world.ok(ADMIN, 'verifyPaymentManually', { id, transactionId: 'R-1', amountMinor: PRICE, note: 'statement' }),
    steps: ['payment initiated→confirmed', 'session payment_pending→paid'],
    to: 'confirmed/paid/not_started',
  },
  'K2L a late success callback': {
    from: 'failed/payment_pending/not_started',
    act: (world, id) => world.callback({ attemptId: world.attempt(id) }),
    steps: ['payment failed→initiated', 'payment initiated→confirmed', 'session payment_pending→paid'],
    to: 'confirmed/paid/not_started',
  },
  'K3 a failure callback': {
    from: 'initiated/payment_pending/not_started',
    act: (world, id) => world.callback({ attemptId: world.attempt(id), ...failure }),
    steps: ['payment initiated→failed'],
    to: 'failed/payment_pending/not_started',
  },
  'K4 decline': {
    from: 'pending/requested/not_started',
    act: (world, id) => world.ok(THERAPIST, 'decline', { id }),
    steps: ['payment pending→cancelled', 'session requested→cancelled'],
    to: 'cancelled/cancelled/not_started',
  },
  'K4 cancel before payment, requested': {
    from: 'pending/requested/not_started',
    act: cancel(CLIENT),
    steps: ['payment pending→cancelled', 'session requested→cancelled'],
    to: 'cancelled/cancelled/not_started',
  },
  'K4 cancel before payment, approved': {
    from: 'pending/approved/not_started',
    act: cancel(THERAPIST),
    steps: ['payment pending→cancelled', 'session approved→cancelled'],
    to: 'cancelled/cancelled/not_started',
  },
  'K4 cancel before payment, initiated': {
    from: 'initiated/payment_pending/not_started',
    act: cancel(ADMIN),
    steps: ['payment initiated→cancelled', 'session payment_pending→cancelled'],
    to: 'cancelled/cancelled/not_started',
  },
  'K4 cancel before payment, failed': {
    from: 'failed/payment_pending/not_started',
    act: cancel(CLIENT),
    steps: ['payment failed→cancelled', 'session payment_pending→cancelled'],
    to: 'cancelled/cancelled/not_started',
  },
  'K5 cancel paid': {
    from: 'confirmed/paid/not_started',
    act: cancel(CLIENT),
    steps: ['payment confirmed→refunded', 'session paid→cancelled'],
    to: 'refunded/cancelled/not_started',
  },
  'K5 cancel forms_required': {
    from: 'confirmed/forms_required/not_started',
    act: cancel(THERAPIST),
    steps: ['payment confirmed→refunded', 'session forms_required→cancelled'],
    to: 'refunded/cancelled/not_started',
  },
  'K5 cancel ready, video not_started': {
    from: 'confirmed/ready/not_started',
    act: cancel(ADMIN),
    steps: ['payment confirmed→refunded', 'session ready→cancelled'],
    to: 'refunded/cancelled/not_started',
  },
  'K5 cancel ready, video waiting': {
    from: 'confirmed/ready/waiting_for_participants',
    act: cancel(CLIENT),
    steps: ['payment confirmed→refunded', 'session ready→cancelled', 'video waiting_for_participants→ended'],
    to: 'refunded/cancelled/ended',
  },
  'K5 cancel ready, video failed': {
    from: 'confirmed/ready/failed',
    act: cancel(CLIENT),
    steps: [
      'payment confirmed→refunded',
      'session ready→cancelled',
      'video failed→waiting_for_participants',
      'video waiting_for_participants→ended',
    ],
    to: 'refunded/cancelled/ended',
  },
  'K6 cancel in_progress, video waiting': {
    from: 'confirmed/in_progress/waiting_for_participants',
    act: cancel(THERAPIST),
    steps: ['payment confirmed→refunded', 'session in_progress→cancelled', 'video waiting_for_participants→ended'],
    to: 'refunded/cancelled/ended',
  },
  'K6 cancel in_progress, video active': {
    from: 'confirmed/in_progress/active',
    act: cancel(CLIENT),
    steps: ['payment confirmed→refunded', 'session in_progress→cancelled', 'video active→ended'],
    to: 'refunded/cancelled/ended',
  },
  'K6 cancel in_progress, video failed': {
    from: 'confirmed/in_progress/failed',
    act: cancel(ADMIN),
    steps: [
      'payment confirmed→refunded',
      'session in_progress→cancelled',
      'video failed→waiting_for_participants',
      'video waiting_for_participants→ended',
    ],
    to: 'refunded/cancelled/ended',
  },
  'K7 complete, video waiting': {
    from: 'confirmed/in_progress/waiting_for_participants',
    act: (world, id) => world.ok(CLIENT, 'endSession', { id }),
    steps: ['session in_progress→completed', 'video waiting_for_participants→ended'],
    to: 'confirmed/completed/ended',
  },
  'K7 complete, video active': {
    from: 'confirmed/in_progress/active',
    act: (world, id) => world.ok(THERAPIST, 'endSession', { id }),
    steps: ['session in_progress→completed', 'video active→ended'],
    to: 'confirmed/completed/ended',
  },
  'K7 complete, video failed': {
    from: 'confirmed/in_progress/failed',
    act: (world, id) => world.ok(THERAPIST, 'endSession', { id }),
    steps: [
      'session in_progress→completed',
      'video failed→waiting_for_participants',
      'video waiting_for_participants→ended',
    ],
    to: 'confirmed/completed/ended',
  },
  'K8 no_show_therapist, video not_started': {
    from: 'confirmed/ready/not_started',
    make: nobodyThere,
    act: (world, id) => world.ok(CLIENT, 'markNoShow', { id, who: 'therapist' }),
    steps: ['payment confirmed→refunded', 'session ready→no_show_therapist'],
    to: 'refunded/no_show_therapist/not_started',
  },
  'K8 no_show_therapist, video waiting': {
    from: 'confirmed/ready/waiting_for_participants',
    act: toNoShow,
    steps: ['payment confirmed→refunded', 'session ready→no_show_therapist', 'video waiting_for_participants→ended'],
    to: 'refunded/no_show_therapist/ended',
  },
  'K8 no_show_therapist, video failed': {
    from: 'confirmed/ready/failed',
    act: toNoShow,
    steps: [
      'payment confirmed→refunded',
      'session ready→no_show_therapist',
      'video failed→waiting_for_participants',
      'video waiting_for_participants→ended',
    ],
    to: 'refunded/no_show_therapist/ended',
  },
  'K9 no_show_client, video not_started': {
    from: 'confirmed/ready/not_started',
    make: nobodyThere,
    act: (world, id) => world.ok(THERAPIST, 'markNoShow', { id, who: 'client' }),
    steps: ['session ready→no_show_client'],
    to: 'confirmed/no_show_client/not_started',
  },
  'K9 no_show_client, video waiting': {
    from: 'confirmed/ready/waiting_for_participants',
    make: (world) => therapistWaits(world, false),
    act: toNoShow,
    steps: ['session ready→no_show_client', 'video waiting_for_participants→ended'],
    to: 'confirmed/no_show_client/ended',
  },
  'K9 no_show_client, video failed': {
    from: 'confirmed/ready/failed',
    make: (world) => therapistWaits(world, true),
    act: toNoShow,
    steps: [
      'session ready→no_show_client',
      'video failed→waiting_for_participants',
      'video waiting_for_participants→ended',
    ],
    to: 'confirmed/no_show_client/ended',
  },
}

describe('domain.md §3.4 compounds', () => {
  for (const [name, { from, make, act, steps, to }] of Object.entries(ROWS)) {
    test(`domain.md §3.4 ${name}: its steps in their order, in one group, out of ${from}`, () => {
      const world = new World()
      const id = (make ?? TRIPLES[from])?.(world) ?? ''
      expect(world.triple(id)).toBe(from)
      const seen = world.audit(id).length
      act(world, id)
      expect(world.triple(id)).toBe(to)
      const moved = world.audit(id).slice(seen)
      const taken = moved.filter(({ entity }) => ['payment', 'session', 'video'].includes(entity))
      expect(taken.map((record) => `${record.entity} ${record.from}→${record.to}`)).toEqual(steps)
      // What comes with the steps, a refund or a callback, is in their group too: one command, one group.
      expect(new Set(moved.map(({ group }) => group)).size).toBe(1)
      expect(world.view(id)).toMatchObject({ therapistReview: name.startsWith('K8') })
    })
  }
})
