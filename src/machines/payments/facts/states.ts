/**
 * The three tables of the payments machine, literally as required (domain.md §3.1), and the functions that read them.
 * Same-state pairs are no transitions. Everything here is pure and takes text, so that states from outside can be
 * judged as well.
 */

/** Payment states, in the order of the requirement. `refunded` and `cancelled` are terminal. */
export const PAYMENT_STATES = ['pending', 'initiated', 'confirmed', 'failed', 'refunded', 'cancelled'] as const
export type PaymentState = (typeof PAYMENT_STATES)[number]

/** States of a booking's session: the appointment itself. The last four are terminal. */
export const SESSION_STATES = [
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
] as const
export type SessionState = (typeof SESSION_STATES)[number]

/** States of the video call. `ended` is terminal. */
export const VIDEO_STATES = ['not_started', 'waiting_for_participants', 'active', 'failed', 'ended'] as const
export type VideoState = (typeof VIDEO_STATES)[number]

/** The state a booking is in: one state of each machine. */
export interface Triple {
  readonly payment: PaymentState
  readonly session: SessionState
  readonly video: VideoState
}

/** Which of the three machines. */
export type Entity = keyof Triple

/** Where every booking begins. */
export const INITIAL_TRIPLE: Triple = { payment: 'pending', session: 'requested', video: 'not_started' }

type Table<State extends string> = { readonly [From in State]: readonly State[] }

/** Payment: state → states that it may go to. */
export const PAYMENT_TRANSITIONS: Table<PaymentState> = {
  pending: ['initiated', 'cancelled'],
  initiated: ['confirmed', 'failed', 'cancelled'],
  confirmed: ['refunded'],
  failed: ['initiated', 'cancelled'],
  refunded: [],
  cancelled: [],
}

/** Session: state → states that it may go to. */
export const SESSION_TRANSITIONS: Table<SessionState> = {
  requested: ['approved', 'cancelled'],
  approved: ['payment_pending', 'cancelled'],
  payment_pending: ['paid', 'cancelled'],
  paid: ['forms_required', 'ready', 'cancelled'],
  forms_required: ['ready', 'cancelled'],
  ready: ['in_progress', 'no_show_client', 'no_show_therapist', 'cancelled'],
  in_progress: ['completed', 'cancelled'],
  completed: [],
  cancelled: [],
  no_show_client: [],
  no_show_therapist: [],
}

/** Video call: state → states that it may go to. */
export const VIDEO_TRANSITIONS: Table<VideoState> = {
  not_started: ['waiting_for_participants'],
  waiting_for_participants: ['active', 'failed', 'ended'],
  active: ['ended', 'failed'],
  failed: ['waiting_for_participants'],
  ended: [],
}

/** A pair that its table holds. */
export interface AllowedTransition<State extends string = string> {
  readonly entity: Entity
  readonly from: State
  readonly to: State
}

/** A pair that its table lacks (INVALID_STATE_TRANSITION), or one that names no state at all (VALIDATION_ERROR). */
export interface RefusedTransition {
  readonly error: 'INVALID_STATE_TRANSITION' | 'VALIDATION_ERROR'
  readonly entity: Entity
  readonly from: string
  readonly to: string
  /** Where `from` may go; empty for a terminal or unknown state. */
  readonly allowed: readonly string[]
}

/** Judges a payment's step; the pair itself when the table holds it. */
export function paymentTransition(from: string, to: string): AllowedTransition<PaymentState> | RefusedTransition {
  return judge('payment', PAYMENT_TRANSITIONS, from, to)
}

/** Judges a step of the booking's session. */
export function sessionTransition(from: string, to: string): AllowedTransition<SessionState> | RefusedTransition {
  return judge('session', SESSION_TRANSITIONS, from, to)
}

/** The same function under a name that no other machine's `session` can be taken for. */
export const bookingSessionTransition = sessionTransition

/** Judges a step of the video call. */
export function videoTransition(from: string, to: string): AllowedTransition<VideoState> | RefusedTransition {
  return judge('video', VIDEO_TRANSITIONS, from, to)
}

/** Judges a step of any of the three. */
export function entityTransition(entity: Entity, from: string, to: string): AllowedTransition | RefusedTransition {
  if (entity === 'payment') return paymentTransition(from, to)
  return entity === 'session' ? sessionTransition(from, to) : videoTransition(from, to)
}

/** True when nothing leads out of the state. */
export function isTerminalSession(state: SessionState): boolean {
  return SESSION_TRANSITIONS[state].length === 0
}

function judge<State extends string>(
  entity: Entity,
  table: Table<State>,
  from: string,
  to: string,
): AllowedTransition<State> | RefusedTransition {
  if (!isState(table, from) || !isState(table, to)) return { error: 'VALIDATION_ERROR', entity, from, to, allowed: [] }
  const allowed: readonly State[] = table[from]
  if (!allowed.includes(to)) return { error: 'INVALID_STATE_TRANSITION', entity, from, to, allowed }
  return { entity, from, to }
}

function isState<State extends string>(table: Table<State>, text: string): text is State {
  return Object.hasOwn(table, text)
}
