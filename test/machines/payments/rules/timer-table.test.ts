import { describe, expect, test } from 'vitest'
import { DAY_MS, HOUR_MS, MINUTE_MS } from '../../../../src/base/time.ts'
import { ADMIN, CLIENT, PHONE, PRICE, THERAPIST, World } from '../world.ts'

/** The table of domain.md §3.8: where a timer is armed, when it is due, and what it does then and not a millisecond before. */
interface Row {
  readonly make: (world: World) => string
  /** From when the state was entered, or from the start of the session. */
  readonly due: { readonly after: number } | { readonly fromStart: number }
  /** What can be seen of the effect: false before it is due, true from then on. */
  readonly seen: (world: World, id: string) => boolean
  /** What must be so once it has fired. */
  readonly effect?: (world: World, id: string) => void
}

const at = (state: string, changes: { readonly startsIn?: number } = {}) => {
  const { startsIn } = changes
  return (world: World) => world.booked(state, startsIn === undefined ? {} : { startsAt: world.now + startsIn })
}

const told =
  (principal: string, topic: string, body: object) =>
  (world: World): boolean =>
    world.notes(principal).some((note) => note.topic === topic && contains(note.body, body))

const contains = (body: object, part: object): boolean =>
  Object.entries(part).every(([field, value]) => body[field as keyof typeof body] === value)

const cancelledFor =
  (reason: string) =>
  (world: World, id: string): boolean => {
    const { cancel } = world.view(id)
    return cancel?.reason === reason && cancel.role === 'system'
  }

const inTriple =
  (triple: string) =>
  (world: World, id: string): boolean =>
    world.triple(id) === triple

/** Who is there from ten minutes before the start on. */
const attended =
  (...principals: string[]) =>
  (world: World): string => {
    const id = world.booked('ready')
    world.passToStart(id, -10 * MINUTE_MS)
    for (const principal of principals) world.ok(principal, 'joinVideo', { id })
    return id
  }

/** A payment under way, whose push the provider has taken. */
function pushed(world: World): string {
  const id = world.booked('payment_pending')
  world.startPushes()
  return id
}

/** Paid so shortly before the start that no routing comes before the lapse. */
function paidLate(world: World): string {
  const id = world.booked('approved', { startsAt: world.now + 10 * MINUTE_MS })
  world.ok(CLIENT, 'initiatePayment', { id, phone: PHONE })
  world.callback({ attemptId: world.attempt(id) })
  return id
}

const ROWS: { readonly [name: string]: Row } = {
  'request-alert: +24 h in requested, notify T': {
    make: at('requested'),
    due: { after: 24 * HOUR_MS },
    seen: told(THERAPIST, 'booking.requested', { reminder: true }),
  },
  'request-expiry: +48 h in requested, system cancel K4 request_expired': {
    make: at('requested'),
    due: { after: 48 * HOUR_MS },
    seen: cancelledFor('request_expired'),
    effect: (world, id) => expect(world.triple(id)).toBe('cancelled/cancelled/not_started'),
  },
  'request-expiry: never after startsAt': {
    make: at('requested', { startsIn: 30 * HOUR_MS }),
    due: { fromStart: 0 },
    seen: cancelledFor('request_expired'),
  },
  'request-alert: never after startsAt': {
    make: at('requested', { startsIn: 10 * HOUR_MS }),
    due: { fromStart: 0 },
    seen: told(THERAPIST, 'booking.requested', { reminder: true }),
  },
  'approve-remind: +60 min in approved, notify C': {
    make: at('approved'),
    due: { after: 60 * MINUTE_MS },
    seen: told(CLIENT, 'booking.approved', { reminder: true }),
  },
  'approve-expiry: +24 h in approved, system cancel payment_expired': {
    make: at('approved'),
    due: { after: 24 * HOUR_MS },
    seen: cancelledFor('payment_expired'),
    effect: (world, id) => expect(world.triple(id)).toBe('cancelled/cancelled/not_started'),
  },
  'approve-expiry: never after startsAt': {
    make: at('approved', { startsIn: 3 * HOUR_MS }),
    due: { fromStart: 0 },
    seen: cancelledFor('payment_expired'),
  },
  'payment-query: +5 min in initiated, task payment.query': {
    make: pushed,
    due: { after: 5 * MINUTE_MS },
    seen: (world) => world.tasks('payment.query').length === 1,
  },
  'payment-timeout: +30 min in initiated, P→failed (TIMEOUT), notify C retry, alert admin': {
    make: pushed,
    due: { after: 30 * MINUTE_MS },
    seen: inTriple('failed/payment_pending/not_started'),
    effect: (world) => {
      expect(told(CLIENT, 'payment.retry_needed', { reason: 'TIMEOUT' })(world)).toBe(true)
      expect(told(ADMIN, 'admin.alert', { kind: 'PAYMENT_TIMEOUT' })(world)).toBe(true)
    },
  },
  'failed-expiry: +24 h in failed, system cancel payment_expired': {
    make: at('failed'),
    due: { after: 24 * HOUR_MS },
    seen: cancelledFor('payment_expired'),
    effect: (world, id) => expect(world.triple(id)).toBe('cancelled/cancelled/not_started'),
  },
  'failed-expiry: never after startsAt': {
    make: at('failed', { startsIn: 2 * HOUR_MS }),
    due: { fromStart: 0 },
    seen: cancelledFor('payment_expired'),
  },
  'auto-route: +30 min in paid, routeAfterPayment': {
    make: at('paid'),
    due: { after: 30 * MINUTE_MS },
    seen: inTriple('confirmed/forms_required/not_started'),
  },
  'forms-remind: startsAt − 60 min in forms_required, notify C (urgent) and T': {
    make: at('forms_required'),
    due: { fromStart: -60 * MINUTE_MS },
    seen: told(CLIENT, 'booking.forms_required', { urgent: true }),
    effect: (world) => expect(told(THERAPIST, 'booking.forms_required', { urgent: true })(world)).toBe(true),
  },
  'lapse: startsAt + 15 min in paid, system_lapse 100 %': {
    make: paidLate,
    due: { fromStart: 15 * MINUTE_MS },
    seen: cancelledFor('system_lapse'),
    effect: (world, id) =>
      expect(world.view(id).refunds).toMatchObject([{ reason: 'SYSTEM_LAPSE', pct: 100, amountMinor: PRICE }]),
  },
  'lapse: startsAt + 15 min in forms_required, forms_lapsed client tier': {
    make: at('forms_required'),
    due: { fromStart: 15 * MINUTE_MS },
    seen: cancelledFor('forms_lapsed'),
    effect: (world, id) =>
      expect(world.view(id).refunds).toMatchObject([{ reason: 'FORMS_LAPSED', pct: 0, status: 'NOT_DUE' }]),
  },
  'no-show: startsAt + 15 min in ready, only C attended, K8': {
    make: attended(CLIENT),
    due: { fromStart: 15 * MINUTE_MS },
    seen: inTriple('refunded/no_show_therapist/ended'),
    effect: (world, id) => expect(world.view(id)).toMatchObject({ therapistReview: true, refunds: [{ pct: 100 }] }),
  },
  'no-show: startsAt + 15 min in ready, only T attended, K9': {
    make: attended(THERAPIST),
    due: { fromStart: 15 * MINUTE_MS },
    seen: inTriple('confirmed/no_show_client/ended'),
    effect: (world, id) => expect(world.view(id)).toMatchObject({ therapistReview: false, refunds: [] }),
  },
  'no-show: startsAt + 15 min in ready, nobody, both_absent 100 %, manualReview': {
    make: attended(),
    due: { fromStart: 15 * MINUTE_MS },
    seen: cancelledFor('both_absent'),
    effect: (world, id) =>
      expect(world.view(id)).toMatchObject({ manualReview: true, refunds: [{ reason: 'BOTH_ABSENT', pct: 100 }] }),
  },
  'waiting-alert: +15 min in video waiting, notify both': {
    make: at('in_progress_waiting'),
    due: { after: 15 * MINUTE_MS },
    seen: told(CLIENT, 'video.waiting', { reminder: true }),
    effect: (world) => expect(told(THERAPIST, 'video.waiting', { reminder: true })(world)).toBe(true),
  },
  'overrun: actualStart + duration + 30 min in in_progress, endSession by system': {
    make: at('in_progress'),
    due: { after: 90 * MINUTE_MS },
    seen: inTriple('confirmed/completed/ended'),
    effect: (world, id) => expect(world.audit(id).at(-1)).toMatchObject({ action: 'overrun', by: 'system' }),
  },
}

/** A booking in its state, one millisecond before the timer is due. */
function justBefore(row: Row): { readonly world: World; readonly id: string } {
  const world = new World()
  const id = row.make(world)
  const entered = world.now
  const dueAt = 'after' in row.due ? entered + row.due.after : world.view(id).startsAt + row.due.fromStart
  world.pass(dueAt - 1 - world.now)
  return { world, id }
}

describe('domain.md §3.8 each timer of the table', () => {
  for (const [name, row] of Object.entries(ROWS)) {
    test(`domain.md §3.8 ${name}`, () => {
      const { world, id } = justBefore(row)
      expect(row.seen(world, id)).toBe(false)
      world.pass(1)
      expect(row.seen(world, id)).toBe(true)
      row.effect?.(world, id)
    })

    test(`domain.md §3.8 ${name}: cancelled when its state is left`, () => {
      const { world, id } = justBefore(row)
      world.ok(THERAPIST, 'cancel', { id, reason: 'illness' })
      const left = { view: world.view(id), audit: world.audit(id) }
      world.pass(1)
      expect(row.seen(world, id)).toBe(false)
      expect({ view: world.view(id), audit: world.audit(id) }).toEqual(left)
      // Tasks of the booking have timers of their own: by then they are over.
      world.pass(90 * DAY_MS)
      expect(row.seen(world, id)).toBe(false)
      expect(world.log.machine.counts).toMatchObject({ timers: 0 })
    })
  }
})
