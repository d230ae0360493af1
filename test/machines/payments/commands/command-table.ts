import type { Value } from '../../../../src/codec/value/value.ts'
import { MINUTE_MS } from '../../../../src/base/time.ts'
import { ADMIN, CLIENT, callbackOf, PHONE, PRICE, THERAPIST, WORKER, type World } from '../world.ts'

/** The complete table command × state of domain.md §3.4, as it stands there; columns with a call are split by its state. */

const IST = 'INVALID_STATE_TRANSITION'
const HASH = 'a'.repeat(64)

/** The states of `World.booked`. */
export const STATES = [
  'requested',
  'approved',
  'payment_pending',
  'failed',
  'paid',
  'forms_required',
  'ready',
  'ready_waiting',
  'ready_failed',
  'in_progress',
  'in_progress_waiting',
  'in_progress_failed',
  'completed',
  'cancelled',
  'no_show_client',
  'no_show_therapist',
] as const
type State = (typeof STATES)[number]

type Cell = string | { readonly [key: string]: Value }

interface Row {
  /** The command, and after a space which case of it. */
  readonly command: string
  readonly issuers: readonly string[]
  /** May also let time pass first. */
  readonly input: (world: World, id: string) => Value
  /** Per state: the error code, or what the answer holds. */
  readonly cells: { readonly [Name in State]: Cell }
}

export const nameOf = (row: Row): string => row.command.split(' ')[0] ?? ''

const all = (cell: Cell): Record<State, Cell> =>
  Object.fromEntries(STATES.map((state) => [state, cell])) as Record<State, Cell>

const some = (states: readonly State[], cell: Cell): Partial<Record<State, Cell>> =>
  Object.fromEntries(states.map((state) => [state, cell]))

const UNPAID: readonly State[] = ['requested', 'approved', 'payment_pending', 'failed']
const BEFORE_READY: readonly State[] = ['paid', 'forms_required']
const READY: readonly State[] = ['ready', 'ready_waiting', 'ready_failed']
const RUNNING: readonly State[] = ['in_progress', 'in_progress_waiting', 'in_progress_failed']
const CLOSED: readonly State[] = ['completed', 'cancelled', 'no_show_client', 'no_show_therapist']

const attemptOf = (world: World, id: string): string => world.view(id).attemptList.at(-1)?.id ?? 'att-none'
const UNKNOWN = { result: 'UNKNOWN_ATTEMPT', bookingId: null }

const only = (_: World, id: string): Value => ({ id })

/** The door is open from 15 minutes before the start; `ready` alone is days before it. */
function atTheDoor(world: World, id: string): Value {
  const { session, startsAt } = world.view(id)
  if (session === 'ready' && world.now < startsAt - 10 * MINUTE_MS) world.passToStart(id, -10 * MINUTE_MS)
  return { id }
}

const JOIN_CELLS = {
  ...all('BOOKING_CLOSED'),
  ...some(UNPAID, 'UNPAID_ACCESS'),
  ...some(BEFORE_READY, 'FORMS_INCOMPLETE'),
  ready: { session: 'ready', video: 'waiting_for_participants' },
  ready_failed: 'VIDEO_FAILED',
  in_progress: { session: 'in_progress', video: 'active', alreadyJoined: true },
  in_progress_waiting: { session: 'in_progress', video: 'waiting_for_participants' },
  in_progress_failed: 'VIDEO_FAILED',
}

export const TABLE: readonly Row[] = [
  {
    command: 'approve',
    issuers: [THERAPIST, ADMIN],
    input: (_, id) => ({ id, expectPriceMinor: PRICE }),
    cells: { ...all(IST), requested: { session: 'approved', payment: 'pending' } },
  },
  {
    command: 'decline',
    issuers: [THERAPIST],
    input: only,
    cells: { ...all(IST), requested: { session: 'cancelled', payment: 'cancelled' } },
  },
  {
    command: 'initiatePayment',
    issuers: [CLIENT],
    input: (_, id) => ({ id, phone: PHONE }),
    cells: {
      ...all(IST),
      approved: { session: 'payment_pending', payment: 'initiated', no: 1 },
      payment_pending: 'CONFLICT',
      failed: { session: 'payment_pending', payment: 'initiated', no: 2 },
    },
  },
  {
    command: 'paymentCallback success',
    issuers: [WORKER],
    input: (world, id) => callbackOf({ transactionId: 'tx-new', attemptId: attemptOf(world, id) }),
    cells: {
      ...all({ result: 'ORPHANED' }),
      requested: UNKNOWN,
      approved: UNKNOWN,
      payment_pending: { result: 'APPLIED', session: 'paid' },
      failed: { result: 'APPLIED_LATE', session: 'paid' },
      ready: { result: 'ORPHANED', payment: 'confirmed', session: 'ready' },
      in_progress: { result: 'ORPHANED', payment: 'confirmed', session: 'in_progress' },
      cancelled: { result: 'ORPHANED', payment: 'refunded', session: 'cancelled' },
    },
  },
  {
    command: 'paymentCallback failure',
    issuers: [WORKER],
    input: (world, id) =>
      callbackOf({ transactionId: 'tx-new', attemptId: attemptOf(world, id), outcome: 'failure', resultCode: 1 }),
    cells: {
      ...all({ result: 'IGNORED_STALE', payment: 'confirmed' }),
      requested: UNKNOWN,
      approved: UNKNOWN,
      payment_pending: { result: 'APPLIED', payment: 'failed', session: 'payment_pending' },
      failed: { result: 'IGNORED_STALE', payment: 'failed' },
      cancelled: { result: 'IGNORED_STALE', payment: 'refunded' },
      no_show_therapist: { result: 'IGNORED_STALE', payment: 'refunded' },
    },
  },
  {
    command: 'verifyPaymentManually',
    issuers: [ADMIN],
    input: (_, id) => ({ id, transactionId: 'R-1', amountMinor: PRICE, note: 'seen in the statement' }),
    cells: {
      ...all(IST),
      payment_pending: { result: 'APPLIED', session: 'paid' },
      failed: { result: 'APPLIED_LATE', session: 'paid' },
    },
  },
  {
    command: 'routeAfterPayment',
    issuers: [THERAPIST, ADMIN],
    input: only,
    cells: { ...all(IST), paid: { session: 'forms_required' } },
  },
  {
    command: 'completeForm',
    issuers: [CLIENT],
    // Its form `intake` is complete from `ready` on: another one is asked for where that matters.
    input: (world, id) => ({
      id,
      formId: ['requested', 'forms_required'].includes(world.view(id).session) ? 'intake' : 'extra',
      contentHash: HASH,
    }),
    cells: {
      ...all(IST),
      ...some(UNPAID, 'PAYMENT_REQUIRED'),
      paid: { session: 'paid', formsOpen: 1 },
      forms_required: { session: 'ready', formsOpen: 0 },
    },
  },
  {
    command: 'completeForm again',
    issuers: [CLIENT],
    input: (_, id) => ({ id, formId: 'intake', contentHash: HASH }),
    cells: {
      // A form that is complete with this very content is answered before the state is looked at.
      ...all({ duplicate: true }),
      ...some(UNPAID, 'PAYMENT_REQUIRED'),
      paid: { session: 'paid', formsOpen: 0 },
      forms_required: { session: 'ready', formsOpen: 0 },
      cancelled: IST,
    },
  },
  {
    command: 'recordVerbalConsent',
    issuers: [THERAPIST],
    input: (_, id) => ({ id, note: 'by phone' }),
    cells: { ...all(IST), forms_required: { session: 'ready' } },
  },
  {
    command: 'joinVideo client',
    issuers: [CLIENT],
    input: atTheDoor,
    cells: { ...JOIN_CELLS, ready_waiting: { session: 'ready', alreadyJoined: true } },
  },
  {
    command: 'joinVideo therapist',
    issuers: [THERAPIST],
    input: atTheDoor,
    cells: { ...JOIN_CELLS, ready_waiting: { session: 'in_progress', video: 'active' } },
  },
  {
    command: 'leaveVideo client',
    issuers: [CLIENT],
    input: only,
    cells: {
      ...all(IST),
      ready_waiting: { session: 'ready', video: 'waiting_for_participants' },
      in_progress: { session: 'in_progress', video: 'active' },
    },
  },
  {
    command: 'leaveVideo therapist',
    issuers: [THERAPIST],
    input: only,
    cells: { ...all(IST), in_progress: { session: 'in_progress', video: 'active' } },
  },
  {
    command: 'reportVideoFailure',
    issuers: [CLIENT, THERAPIST, WORKER],
    input: (_, id) => ({ id, detail: 'no sound' }),
    cells: {
      ...all(IST),
      ready_waiting: { session: 'ready', video: 'failed' },
      in_progress: { session: 'in_progress', video: 'failed' },
      in_progress_waiting: { session: 'in_progress', video: 'failed' },
    },
  },
  {
    command: 'retryVideo',
    issuers: [CLIENT, THERAPIST],
    input: only,
    cells: {
      ...all(IST),
      ready_failed: { session: 'ready', video: 'waiting_for_participants' },
      in_progress_failed: { session: 'in_progress', video: 'waiting_for_participants' },
    },
  },
  {
    command: 'endSession',
    issuers: [CLIENT, THERAPIST],
    input: only,
    cells: {
      ...all(IST),
      ...some(RUNNING, { payment: 'confirmed', session: 'completed', video: 'ended' }),
      completed: { session: 'completed', duplicate: true },
    },
  },
  {
    command: 'markNoShow client',
    issuers: [THERAPIST, ADMIN],
    input: (_, id) => ({ id, who: 'client' }),
    cells: { ...all(IST), ...some(READY, 'TOO_EARLY') },
  },
  {
    command: 'markNoShow therapist',
    issuers: [CLIENT, ADMIN],
    input: (_, id) => ({ id, who: 'therapist' }),
    cells: { ...all(IST), ...some(READY, 'TOO_EARLY') },
  },
  {
    command: 'cancel',
    issuers: [CLIENT, THERAPIST, ADMIN],
    input: (_, id) => ({ id, reason: 'emergency' }),
    cells: {
      ...some(UNPAID, { payment: 'cancelled', session: 'cancelled', video: 'not_started' }),
      ...some(BEFORE_READY, { payment: 'refunded', session: 'cancelled', video: 'not_started' }),
      ...some([...READY, ...RUNNING], { payment: 'refunded', session: 'cancelled', video: 'ended' }),
      ready: { payment: 'refunded', session: 'cancelled', video: 'not_started' },
      ...some(CLOSED, IST),
    } as Record<State, Cell>,
  },
]

/** Everybody who may do what a row does. */
export const issuersOf = (row: Row): string[] =>
  TABLE.filter((other) => nameOf(other) === nameOf(row) && other.input === row.input).flatMap(({ issuers }) => issuers)
