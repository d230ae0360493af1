import { MINUTE_MS } from '../../../../src/base/time.ts'
import { ADMIN, CLIENT, HASH, PHONE, PRICE, THERAPIST, type World } from '../world.ts'

/** The states of the three tables of domain.md §3.1, and a way to each triple that commands reach, each written out. */

export type Machine = 'payment' | 'session' | 'video'

export const STATES_OF: { readonly [Name in Machine]: readonly string[] } = {
  payment: ['pending', 'initiated', 'confirmed', 'failed', 'refunded', 'cancelled'],
  session: [
    'requested',
    'approved',
    'payment_pending',
    'paid',
    'forms_required',
    'ready',
    'in_progress',
    'completed',
    'cancelled',
    'no_show_client',
    'no_show_therapist',
  ],
  video: ['not_started', 'waiting_for_participants', 'active', 'failed', 'ended'],
}

/** The tables of domain.md §3.1: `machine from→to`. 8 + 17 + 7. */
export const EDGES: readonly string[] = [
  'payment pending→initiated',
  'payment pending→cancelled',
  'payment initiated→confirmed',
  'payment initiated→failed',
  'payment initiated→cancelled',
  'payment confirmed→refunded',
  'payment failed→initiated',
  'payment failed→cancelled',
  'session requested→approved',
  'session requested→cancelled',
  'session approved→payment_pending',
  'session approved→cancelled',
  'session payment_pending→paid',
  'session payment_pending→cancelled',
  'session paid→forms_required',
  'session paid→ready',
  'session paid→cancelled',
  'session forms_required→ready',
  'session forms_required→cancelled',
  'session ready→in_progress',
  'session ready→no_show_client',
  'session ready→no_show_therapist',
  'session ready→cancelled',
  'session in_progress→completed',
  'session in_progress→cancelled',
  'video not_started→waiting_for_participants',
  'video waiting_for_participants→active',
  'video waiting_for_participants→failed',
  'video waiting_for_participants→ended',
  'video active→ended',
  'video active→failed',
  'video failed→waiting_for_participants',
]

/** The table of domain.md §3.7, its pairs of payment and session. */
export const FORBIDDEN: { readonly [edge: string]: string } = {
  'session requested→ready': 'PAYMENT_REQUIRED',
  'session approved→in_progress': 'PAYMENT_REQUIRED',
  'session paid→in_progress': 'FORMS_REQUIRED',
  'session completed→payment_pending': 'RETROACTIVE_PAYMENT',
  'payment confirmed→pending': 'RETROACTIVE_CHANGE',
  'session payment_pending→ready': 'PAYMENT_REQUIRED',
  'session requested→in_progress': 'PAYMENT_REQUIRED',
  'session approved→ready': 'PAYMENT_REQUIRED',
  'session forms_required→in_progress': 'FORMS_REQUIRED',
  'session completed→paid': 'RETROACTIVE_CHANGE',
}

/** Ready, with nobody at the door, in the very millisecond in which a no-show may be reported. */
function absent(world: World, who: 'client' | 'therapist'): string {
  const id = world.booked('payment_pending', { startsAt: world.now + 10 * MINUTE_MS, forms: [] })
  world.startPushes()
  world.pass(25 * MINUTE_MS)
  world.callback({ transactionId: `tx-${id}`, attemptId: world.attempt(id) })
  world.ok(THERAPIST, 'routeAfterPayment', { id })
  world.ok(who === 'client' ? THERAPIST : CLIENT, 'markNoShow', { id, who })
  return id
}

function cancelled(world: World, from: string): string {
  const id = world.booked(from)
  world.ok(THERAPIST, 'cancel', { id, reason: 'illness' })
  return id
}

const at = (state: string) => (world: World) => world.booked(state)

/** The twenty triples of domain.md §3.3, and how a booking comes there. */
export const TRIPLES: { readonly [triple: string]: (world: World) => string } = {
  'pending/requested/not_started': at('requested'),
  'pending/approved/not_started': at('approved'),
  'initiated/payment_pending/not_started': at('payment_pending'),
  'failed/payment_pending/not_started': at('failed'),
  'confirmed/paid/not_started': at('paid'),
  'confirmed/forms_required/not_started': at('forms_required'),
  'confirmed/ready/not_started': at('ready'),
  'confirmed/ready/waiting_for_participants': at('ready_waiting'),
  'confirmed/ready/failed': at('ready_failed'),
  'confirmed/in_progress/waiting_for_participants': at('in_progress_waiting'),
  'confirmed/in_progress/active': at('in_progress'),
  'confirmed/in_progress/failed': at('in_progress_failed'),
  'confirmed/completed/ended': at('completed'),
  'cancelled/cancelled/not_started': (world) => cancelled(world, 'requested'),
  'refunded/cancelled/not_started': (world) => cancelled(world, 'paid'),
  'refunded/cancelled/ended': (world) => cancelled(world, 'ready_waiting'),
  'confirmed/no_show_client/not_started': (world) => absent(world, 'client'),
  'confirmed/no_show_client/ended': at('no_show_client'),
  'refunded/no_show_therapist/not_started': (world) => absent(world, 'therapist'),
  'refunded/no_show_therapist/ended': at('no_show_therapist'),
}

const both = (world: World, command: string, id: string): void => {
  for (const principal of [CLIENT, THERAPIST]) world.ok(principal, command, { id })
}

/** Each edge by the command that takes it: from which triple, and what is done there. */
export const TAKEN: {
  readonly [edge: string]: readonly [from: string, act: (world: World, id: string) => unknown]
} = {
  'payment pending→initiated': [
    'pending/approved/not_started',
    (world, id) => world.ok(CLIENT, 'initiatePayment', { id, phone: PHONE }),
  ],
  'payment pending→cancelled': ['pending/requested/not_started', (world, id) => world.ok(THERAPIST, 'decline', { id })],
  'payment initiated→confirmed': [
    'initiated/payment_pending/not_started',
    (world, id) => world.callback({ attemptId: world.attempt(id) }),
  ],
  'payment initiated→failed': [
    'initiated/payment_pending/not_started',
    (world, id) => world.callback({ attemptId: world.attempt(id), outcome: 'failure', resultCode: 1032 }),
  ],
  'payment initiated→cancelled': [
    'initiated/payment_pending/not_started',
    (world, id) => world.ok(CLIENT, 'cancel', { id, reason: 'other' }),
  ],
  'payment confirmed→refunded': [
    'confirmed/paid/not_started',
    (world, id) => world.ok(CLIENT, 'cancel', { id, reason: 'other' }),
  ],
  'payment failed→initiated': [
    'failed/payment_pending/not_started',
    (world, id) => world.ok(CLIENT, 'initiatePayment', { id, phone: PHONE }),
  ],
  'payment failed→cancelled': [
    'failed/payment_pending/not_started',
    (world, id) => world.ok(CLIENT, 'cancel', { id, reason: 'other' }),
  ],
  'session requested→approved': [
    'pending/requested/not_started',
    (world, id) => world.ok(THERAPIST, 'approve', { id, expectPriceMinor: PRICE }),
  ],
  'session requested→cancelled': [
    'pending/requested/not_started',
    (world, id) => world.ok(THERAPIST, 'decline', { id }),
  ],
  'session approved→payment_pending': [
    'pending/approved/not_started',
    (world, id) => world.ok(CLIENT, 'initiatePayment', { id, phone: PHONE }),
  ],
  'session approved→cancelled': [
    'pending/approved/not_started',
    (world, id) => world.ok(ADMIN, 'cancel', { id, reason: 'other' }),
  ],
  'session payment_pending→paid': [
    'initiated/payment_pending/not_started',
    (world, id) =>
      world.ok(ADMIN, 'verifyPaymentManually', { id, transactionId: 'R-1', amountMinor: PRICE, note: 'statement' }),
  ],
  'session payment_pending→cancelled': [
    'failed/payment_pending/not_started',
    (world, id) => world.ok(CLIENT, 'cancel', { id, reason: 'other' }),
  ],
  'session paid→forms_required': [
    'confirmed/paid/not_started',
    (world, id) => world.ok(THERAPIST, 'routeAfterPayment', { id }),
  ],
  'session paid→ready': [
    'confirmed/paid/not_started',
    (world, id) => {
      world.ok(CLIENT, 'completeForm', { id, formId: 'intake', contentHash: HASH })
      world.ok(THERAPIST, 'routeAfterPayment', { id })
    },
  ],
  'session paid→cancelled': [
    'confirmed/paid/not_started',
    (world, id) => world.ok(THERAPIST, 'cancel', { id, reason: 'illness' }),
  ],
  'session forms_required→ready': [
    'confirmed/forms_required/not_started',
    (world, id) => world.ok(CLIENT, 'completeForm', { id, formId: 'intake', contentHash: HASH }),
  ],
  'session forms_required→cancelled': [
    'confirmed/forms_required/not_started',
    (world, id) => world.ok(CLIENT, 'cancel', { id, reason: 'other' }),
  ],
  'session ready→in_progress': [
    'confirmed/ready/waiting_for_participants',
    (world, id) => world.ok(THERAPIST, 'joinVideo', { id }),
  ],
  'session ready→no_show_client': [
    'confirmed/ready/not_started',
    (world, id) => {
      world.passToStart(id, 0)
      world.ok(THERAPIST, 'joinVideo', { id })
      world.passToStart(id, 15 * MINUTE_MS)
    },
  ],
  'session ready→no_show_therapist': [
    'confirmed/ready/waiting_for_participants',
    (world, id) => world.passToStart(id, 15 * MINUTE_MS),
  ],
  'session ready→cancelled': [
    'confirmed/ready/failed',
    (world, id) => world.ok(CLIENT, 'cancel', { id, reason: 'technical_issues' }),
  ],
  'session in_progress→completed': [
    'confirmed/in_progress/active',
    (world, id) => world.ok(CLIENT, 'endSession', { id }),
  ],
  'session in_progress→cancelled': [
    'confirmed/in_progress/active',
    (world, id) => world.ok(CLIENT, 'cancel', { id, reason: 'emergency' }),
  ],
  'video not_started→waiting_for_participants': [
    'confirmed/ready/not_started',
    (world, id) => {
      world.passToStart(id, 0)
      world.ok(CLIENT, 'joinVideo', { id })
    },
  ],
  'video waiting_for_participants→active': [
    'confirmed/in_progress/waiting_for_participants',
    (world, id) => both(world, 'joinVideo', id),
  ],
  'video waiting_for_participants→failed': [
    'confirmed/ready/waiting_for_participants',
    (world, id) => world.ok(CLIENT, 'reportVideoFailure', { id, detail: 'no picture' }),
  ],
  'video waiting_for_participants→ended': [
    'confirmed/ready/waiting_for_participants',
    (world, id) => world.ok(CLIENT, 'cancel', { id, reason: 'technical_issues' }),
  ],
  'video active→ended': ['confirmed/in_progress/active', (world, id) => world.ok(THERAPIST, 'endSession', { id })],
  'video active→failed': [
    'confirmed/in_progress/active',
    (world, id) => world.ok(CLIENT, 'reportVideoFailure', { id, detail: 'no sound' }),
  ],
  'video failed→waiting_for_participants': [
    'confirmed/in_progress/failed',
    (world, id) => world.ok(CLIENT, 'retryVideo', { id }),
  ],
}

const AUTHORITY = 'AUTHORITY_VIOLATION'
const PAYMENT = 'PAYMENT_SESSION_SYNC'
const VIDEO = 'SESSION_VIDEO_SYNC'
const TAKEN_ALONE = 'taken'

/**
 * What an administrator's `transition` by one edge alone answers: the code of domain.md §3.7, or that it is taken. Findings F1
 * to F13 of domain.md §3.2, under the amended matrices of domain.md §3.3.
 */
export const ALONE: { readonly [triple: string]: { readonly [edge: string]: string } } = {
  'pending/requested/not_started': {
    'payment pending→initiated': PAYMENT,
    'payment pending→cancelled': PAYMENT,
    'session requested→approved': TAKEN_ALONE,
    'session requested→cancelled': PAYMENT,
    'video not_started→waiting_for_participants': VIDEO,
  },
  'pending/approved/not_started': {
    'payment pending→initiated': PAYMENT,
    'payment pending→cancelled': PAYMENT,
    'session approved→payment_pending': PAYMENT,
    'session approved→cancelled': PAYMENT,
    'video not_started→waiting_for_participants': VIDEO,
  },
  'initiated/payment_pending/not_started': {
    'payment initiated→confirmed': AUTHORITY,
    'payment initiated→failed': TAKEN_ALONE,
    'payment initiated→cancelled': PAYMENT,
    'session payment_pending→paid': AUTHORITY,
    'session payment_pending→cancelled': PAYMENT,
    'video not_started→waiting_for_participants': VIDEO,
  },
  'failed/payment_pending/not_started': {
    'payment failed→initiated': TAKEN_ALONE,
    'payment failed→cancelled': PAYMENT,
    'session payment_pending→paid': AUTHORITY,
    'session payment_pending→cancelled': TAKEN_ALONE,
    'video not_started→waiting_for_participants': VIDEO,
  },
  'confirmed/paid/not_started': {
    'payment confirmed→refunded': PAYMENT,
    'session paid→forms_required': TAKEN_ALONE,
    'session paid→ready': 'FORMS_REQUIRED',
    'session paid→cancelled': PAYMENT,
    'video not_started→waiting_for_participants': VIDEO,
  },
  'confirmed/forms_required/not_started': {
    'payment confirmed→refunded': PAYMENT,
    'session forms_required→ready': 'FORMS_REQUIRED',
    'session forms_required→cancelled': PAYMENT,
    'video not_started→waiting_for_participants': VIDEO,
  },
  'confirmed/ready/not_started': {
    'payment confirmed→refunded': PAYMENT,
    'session ready→in_progress': VIDEO,
    'session ready→no_show_client': TAKEN_ALONE,
    'session ready→no_show_therapist': PAYMENT,
    'session ready→cancelled': PAYMENT,
    'video not_started→waiting_for_participants': TAKEN_ALONE,
  },
  'confirmed/ready/waiting_for_participants': {
    'payment confirmed→refunded': PAYMENT,
    'session ready→in_progress': TAKEN_ALONE,
    'session ready→no_show_client': VIDEO,
    'session ready→no_show_therapist': PAYMENT,
    'session ready→cancelled': PAYMENT,
    'video waiting_for_participants→active': VIDEO,
    'video waiting_for_participants→failed': TAKEN_ALONE,
    'video waiting_for_participants→ended': VIDEO,
  },
  'confirmed/ready/failed': {
    'payment confirmed→refunded': PAYMENT,
    'session ready→in_progress': TAKEN_ALONE,
    'session ready→no_show_client': VIDEO,
    'session ready→no_show_therapist': PAYMENT,
    'session ready→cancelled': PAYMENT,
    'video failed→waiting_for_participants': TAKEN_ALONE,
  },
  'confirmed/in_progress/waiting_for_participants': {
    'payment confirmed→refunded': PAYMENT,
    'session in_progress→completed': VIDEO,
    'session in_progress→cancelled': PAYMENT,
    'video waiting_for_participants→active': TAKEN_ALONE,
    'video waiting_for_participants→failed': TAKEN_ALONE,
    'video waiting_for_participants→ended': VIDEO,
  },
  'confirmed/in_progress/active': {
    'payment confirmed→refunded': PAYMENT,
    'session in_progress→completed': VIDEO,
    'session in_progress→cancelled': PAYMENT,
    'video active→ended': VIDEO,
    'video active→failed': TAKEN_ALONE,
  },
  'confirmed/in_progress/failed': {
    'payment confirmed→refunded': PAYMENT,
    'session in_progress→completed': VIDEO,
    'session in_progress→cancelled': PAYMENT,
    'video failed→waiting_for_participants': TAKEN_ALONE,
  },
  'confirmed/completed/ended': { 'payment confirmed→refunded': PAYMENT },
  'cancelled/cancelled/not_started': { 'video not_started→waiting_for_participants': VIDEO },
  'refunded/cancelled/not_started': { 'video not_started→waiting_for_participants': VIDEO },
  'refunded/cancelled/ended': {},
  'confirmed/no_show_client/not_started': {
    'payment confirmed→refunded': PAYMENT,
    'video not_started→waiting_for_participants': VIDEO,
  },
  'confirmed/no_show_client/ended': { 'payment confirmed→refunded': PAYMENT },
  'refunded/no_show_therapist/not_started': { 'video not_started→waiting_for_participants': VIDEO },
  'refunded/no_show_therapist/ended': {},
}
