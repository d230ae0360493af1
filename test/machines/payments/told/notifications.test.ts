import { describe, expect, test } from 'vitest'
import { MINUTE_MS } from '../../../../src/base/time.ts'
import type { Value } from '../../../../src/codec/value/value.ts'
import { ADMIN, CLIENT, HASH, PHONE, PRICE, THERAPIST, World } from '../world.ts'

/** The list of domain.md §3.9: who is told of what, and with which body. Everybody else is not told. */
interface Row {
  /** A state of `World.booked`. */
  readonly from: string | null
  readonly act: (world: World, id: string) => unknown
  readonly topic: string
  readonly to: readonly string[]
  readonly body: { readonly [field: string]: Value }
}

const BOTH = [CLIENT, THERAPIST]
const OTHER_ADMIN = 'admin:bob'
const PRINCIPALS = [CLIENT, THERAPIST, ADMIN, OTHER_ADMIN]
const WAITING = 'waiting_for_participants'

const by = (principal: string, command: string, more: { readonly [field: string]: Value } = {}) => {
  return (world: World, id: string): unknown => world.ok(principal, command, { id, ...more })
}
const cancel = (principal: string) => by(principal, 'cancel', { reason: 'other' })
const toStart = (ms: number) => (world: World, id: string) => world.passToStart(id, ms)
const move = (...steps: readonly (readonly [entity: string, to: string])[]) =>
  by(ADMIN, 'transition', { steps: steps.map(([entity, to]) => ({ entity, to })), reason: 'by hand' })

const ROWS: { readonly [name: string]: Row } = {
  'booking.requested → T': {
    from: null,
    act: (world) => world.request(),
    topic: 'booking.requested',
    to: [THERAPIST],
    body: { bookingId: 'bkg-1', durationMin: 60 },
  },
  'booking.approved → C': {
    from: 'requested',
    act: by(THERAPIST, 'approve', { expectPriceMinor: PRICE }),
    topic: 'booking.approved',
    to: [CLIENT],
    body: { bookingId: 'bkg-1' },
  },
  'booking.cancelled {by, role, refundPct} → the other parties, by C': {
    from: 'paid',
    act: cancel(CLIENT),
    topic: 'booking.cancelled',
    to: [THERAPIST],
    body: { by: CLIENT, role: 'client', refundPct: 100 },
  },
  'booking.cancelled {by, role, refundPct} → the other parties, by T': {
    from: 'ready',
    act: cancel(THERAPIST),
    topic: 'booking.cancelled',
    to: [CLIENT],
    body: { by: THERAPIST, role: 'therapist', refundPct: 100 },
  },
  'booking.cancelled {by, role, refundPct} → the other parties, by T who declines': {
    from: 'requested',
    act: by(THERAPIST, 'decline'),
    topic: 'booking.cancelled',
    to: [CLIENT],
    body: { by: THERAPIST, role: 'therapist', refundPct: 0 },
  },
  'booking.cancelled {by, role, refundPct} → the other parties, by A': {
    from: 'in_progress',
    act: cancel(ADMIN),
    topic: 'booking.cancelled',
    to: BOTH,
    body: { by: ADMIN, role: 'admin', refundPct: 100 },
  },
  'booking.cancelled {by, role, refundPct} → the other parties, by A with transition': {
    from: 'paid',
    act: move(['payment', 'refunded'], ['session', 'cancelled']),
    topic: 'booking.cancelled',
    to: BOTH,
    body: { by: ADMIN, role: 'admin', refundPct: 100 },
  },
  'booking.cancelled {by, role, refundPct} → the other parties, by A with transition, unpaid': {
    from: 'failed',
    act: move(['session', 'cancelled']),
    topic: 'booking.cancelled',
    to: BOTH,
    body: { by: ADMIN, role: 'admin', refundPct: 0 },
  },
  'booking.cancelled {by, role, refundPct} → the other parties, by S': {
    from: 'ready',
    act: toStart(15 * MINUTE_MS),
    topic: 'booking.cancelled',
    to: BOTH,
    body: { by: 'system', role: 'system', refundPct: 100, reason: 'both_absent' },
  },
  'payment.initiated → C': {
    from: 'approved',
    act: by(CLIENT, 'initiatePayment', { phone: PHONE }),
    topic: 'payment.initiated',
    to: [CLIENT],
    body: { bookingId: 'bkg-1', attemptId: 'att-1', no: 1 },
  },
  'payment.confirmed → C, T': {
    from: 'payment_pending',
    act: (world, id) => world.callback({ attemptId: world.attempt(id) }),
    topic: 'payment.confirmed',
    to: BOTH,
    body: { bookingId: 'bkg-1', amountMinor: PRICE, currency: 'KES' },
  },
  'payment.retry_needed {reason} → C': {
    from: 'payment_pending',
    act: (world, id) => world.callback({ attemptId: world.attempt(id), outcome: 'failure', resultCode: 1032 }),
    topic: 'payment.retry_needed',
    to: [CLIENT],
    body: { bookingId: 'bkg-1', reason: '1032' },
  },
  'payment.retry_needed {reason} → C, after a payment that an administrator failed': {
    from: 'payment_pending',
    act: move(['payment', 'failed']),
    topic: 'payment.retry_needed',
    to: [CLIENT],
    body: { bookingId: 'bkg-1', reason: 'ADMIN' },
  },
  'booking.forms_required → C': {
    from: 'paid',
    act: by(THERAPIST, 'routeAfterPayment'),
    topic: 'booking.forms_required',
    to: [CLIENT],
    body: { bookingId: 'bkg-1', open: 1 },
  },
  'booking.ready → C, T': {
    from: 'forms_required',
    act: by(CLIENT, 'completeForm', { formId: 'intake', contentHash: HASH }),
    topic: 'booking.ready',
    to: BOTH,
    body: { bookingId: 'bkg-1' },
  },
  'video.waiting {who} → the other, of C': {
    from: 'ready',
    act: (world, id) => {
      world.passToStart(id, 0)
      world.ok(CLIENT, 'joinVideo', { id })
    },
    topic: 'video.waiting',
    to: [THERAPIST],
    body: { bookingId: 'bkg-1', who: 'client' },
  },
  'video.waiting {who} → the other, of T': {
    from: 'ready',
    act: (world, id) => {
      world.passToStart(id, 0)
      world.ok(THERAPIST, 'joinVideo', { id })
    },
    topic: 'video.waiting',
    to: [CLIENT],
    body: { bookingId: 'bkg-1', who: 'therapist' },
  },
  'video.failed → C, T': {
    from: 'in_progress',
    act: by(CLIENT, 'reportVideoFailure', { detail: 'no sound' }),
    topic: 'video.failed',
    to: BOTH,
    body: { bookingId: 'bkg-1' },
  },
  'video.failed → C, T, by A with transition': {
    from: 'in_progress',
    act: move(['video', 'failed']),
    topic: 'video.failed',
    to: BOTH,
    body: { bookingId: 'bkg-1' },
  },
  'session.started → C, T': {
    from: 'ready_waiting',
    act: by(THERAPIST, 'joinVideo'),
    topic: 'session.started',
    to: BOTH,
    body: { bookingId: 'bkg-1' },
  },
  'session.completed → C, T': {
    from: 'in_progress',
    act: by(CLIENT, 'endSession'),
    topic: 'session.completed',
    to: BOTH,
    body: { bookingId: 'bkg-1' },
  },
  'booking.no_show {who} → C, T': {
    from: 'ready_waiting',
    act: toStart(15 * MINUTE_MS),
    topic: 'booking.no_show',
    to: BOTH,
    body: { bookingId: 'bkg-1', who: 'therapist' },
  },
  'booking.no_show {who} → C, T, by A with transition': {
    from: 'ready',
    act: move(['session', 'no_show_client']),
    topic: 'booking.no_show',
    to: BOTH,
    body: { bookingId: 'bkg-1', who: 'client' },
  },
  'refund.status {status, amountMinor} → C': {
    from: 'paid',
    act: cancel(THERAPIST),
    topic: 'refund.status',
    to: [CLIENT],
    body: { status: 'QUEUED', amountMinor: PRICE },
  },
  'admin.alert {kind} → every admin principal known': {
    from: 'payment_pending',
    act: (world) => {
      world.startPushes()
      world.pass(30 * MINUTE_MS)
    },
    topic: 'admin.alert',
    to: [ADMIN, OTHER_ADMIN],
    body: { kind: 'PAYMENT_TIMEOUT' },
  },
}

describe('domain.md §3.9 who is told of what', () => {
  for (const [name, { from, act, topic, to, body }] of Object.entries(ROWS)) {
    test(`domain.md §3.9 ${name}`, () => {
      const world = new World()
      world.open(OTHER_ADMIN)
      const id = from === null ? '' : world.booked(from)
      for (const principal of PRINCIPALS) world.acknowledge(principal)
      act(world, id)
      for (const principal of PRINCIPALS) {
        const notes = world.notes(principal).filter((note) => note.topic === topic)
        expect(notes, principal).toHaveLength(to.includes(principal) ? 1 : 0)
        if (to.includes(principal)) expect(notes[0]?.body).toMatchObject(body)
        expect(JSON.stringify(world.notes(principal))).not.toContain(PHONE)
      }
    })
  }

  test('domain.md §3.9 the list is whole: a booking’s whole way tells of these topics and no other', () => {
    const world = new World()
    world.booked('completed')
    const topics = new Set(PRINCIPALS.slice(0, 3).flatMap((principal) => world.topics(principal)))
    const listed = new Set(Object.values(ROWS).map(({ topic }) => topic))
    expect([...topics].filter((topic) => !listed.has(topic))).toEqual([])
    expect(listed.size).toBe(15)
    expect(world.triple('bkg-1')).not.toContain(WAITING)
  })
})
