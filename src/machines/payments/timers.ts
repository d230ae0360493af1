import { DAY_MS, HOUR_MS, MINUTE_MS } from '../../base/time.ts'
import type { Booking } from './rows.ts'

/**
 * The timers of domain 3.8 for the states up to `ready`. They are a function of the booking, so the machine arms one
 * durable timer per booking, the earliest, instead of one per rule: a callback then re-arms one row instead of four.
 */
export type TimerKind =
  | 'request-alert'
  | 'request-expiry'
  | 'approve-remind'
  | 'approve-expiry'
  | 'payment-query'
  | 'payment-timeout'
  | 'failed-expiry'
  | 'auto-route'
  | 'forms-remind'
  | 'lapse'
  | 'no-show'

/** A timer that is still to fire. */
export interface DueTimer {
  readonly kind: TimerKind
  readonly dueAt: number
  /** Position among the rules: decides between two that are due at once. */
  readonly order: number
}

interface Rule {
  readonly kind: TimerKind
  /** Whose state the rule belongs to. */
  readonly of: 'payment' | 'session'
  /** Null in states that the rule does not concern. */
  readonly dueAt: (booking: Booking) => number | null
}

const RULES: readonly Rule[] = [
  { kind: 'request-alert', of: 'session', dueAt: (booking) => inSession(booking, 'requested', 24 * HOUR_MS) },
  { kind: 'request-expiry', of: 'session', dueAt: (booking) => inSession(booking, 'requested', 48 * HOUR_MS) },
  { kind: 'approve-remind', of: 'session', dueAt: (booking) => inSession(booking, 'approved', HOUR_MS) },
  { kind: 'approve-expiry', of: 'session', dueAt: (booking) => inSession(booking, 'approved', 24 * HOUR_MS) },
  { kind: 'payment-query', of: 'payment', dueAt: (booking) => inPayment(booking, 'initiated', 5 * MINUTE_MS) },
  { kind: 'payment-timeout', of: 'payment', dueAt: (booking) => inPayment(booking, 'initiated', 30 * MINUTE_MS) },
  { kind: 'failed-expiry', of: 'payment', dueAt: failedExpiry },
  {
    kind: 'auto-route',
    of: 'session',
    dueAt: ({ session, enteredAt }) => (session === 'paid' ? enteredAt.session + 30 * MINUTE_MS : null),
  },
  { kind: 'forms-remind', of: 'session', dueAt: formsRemind },
  {
    kind: 'lapse',
    of: 'session',
    dueAt: ({ session, startsAt }) =>
      session === 'paid' || session === 'forms_required' ? startsAt + 15 * MINUTE_MS : null,
  },
  {
    kind: 'no-show',
    of: 'session',
    dueAt: ({ session, startsAt }) => (session === 'ready' ? startsAt + 15 * MINUTE_MS : null),
  },
]

/**
 * The next timer of a booking, or null. What is past when its state is entered is due one millisecond later, so every
 * timer of a new state lies behind `fired`, and the order (dueAt, rule) never goes back.
 */
export function nextTimer(booking: Booking): DueTimer | null {
  let next: DueTimer | null = null
  for (const [order, rule] of RULES.entries()) {
    const ruleDueAt = rule.dueAt(booking)
    if (ruleDueAt === null) continue
    const dueAt = Math.max(ruleDueAt, booking.enteredAt[rule.of] + 1)
    if (booking.fired !== null && !isAfter(dueAt, order, booking.fired)) continue
    if (next === null || dueAt < next.dueAt) next = { kind: rule.kind, dueAt, order }
  }
  return next
}

function isAfter(dueAt: number, order: number, fired: { readonly dueAt: number; readonly order: number }): boolean {
  return dueAt > fired.dueAt || (dueAt === fired.dueAt && order > fired.order)
}

function inSession(booking: Booking, session: Booking['session'], after: number): number | null {
  return booking.session === session ? Math.min(booking.enteredAt.session + after, booking.startsAt) : null
}

function inPayment(booking: Booking, payment: Booking['payment'], after: number): number | null {
  return booking.payment === payment ? booking.enteredAt.payment + after : null
}

/** A payment can be failed beside a cancelled session (by an administrator): then nothing expires. */
function failedExpiry(booking: Booking): number | null {
  const waiting = booking.payment === 'failed' && booking.session === 'payment_pending'
  return waiting ? Math.min(booking.enteredAt.payment + DAY_MS, booking.startsAt) : null
}

/** Not sent when the state is entered within the last hour: the client has just been told. */
function formsRemind({ session, enteredAt: at, startsAt }: Booking): number | null {
  const dueAt = startsAt - HOUR_MS
  return session === 'forms_required' && dueAt > at.session ? dueAt : null
}
