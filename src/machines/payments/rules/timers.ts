import { DAY_MS, HOUR_MS, MINUTE_MS } from '../../../base/time.ts'
import type { Booking } from '../facts/rows.ts'
import { SESSION_STATES } from '../facts/states.ts'
import { hasAttended } from './attendance.ts'
import { joinWindow } from './join.ts'

/**
 * The timers of domain.md §3.8. They are a function of the booking, so the machine arms one
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
  | 'waiting-alert'
  | 'overrun'

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
  readonly of: 'payment' | 'session' | 'video'
  /** Session states in which it may be armed. */
  readonly sessions: readonly Booking['session'][]
  /** Null when it is not to fire after all. */
  readonly dueAt: (booking: Booking) => number | null
}

/** A rule's position is stored with the timer that fired last (`fired`): new rules go to the end. */
const RULES: readonly Rule[] = [
  { kind: 'request-alert', of: 'session', sessions: ['requested'], dueAt: untilStart(DAY_MS) },
  { kind: 'request-expiry', of: 'session', sessions: ['requested'], dueAt: untilStart(2 * DAY_MS) },
  { kind: 'approve-remind', of: 'session', sessions: ['approved'], dueAt: untilStart(HOUR_MS) },
  { kind: 'approve-expiry', of: 'session', sessions: ['approved'], dueAt: untilStart(DAY_MS) },
  { kind: 'payment-query', of: 'payment', sessions: ['payment_pending'], dueAt: initiated(5 * MINUTE_MS) },
  { kind: 'payment-timeout', of: 'payment', sessions: ['payment_pending'], dueAt: initiated(30 * MINUTE_MS) },
  { kind: 'failed-expiry', of: 'payment', sessions: ['payment_pending'], dueAt: failedExpiry },
  {
    kind: 'auto-route',
    of: 'session',
    sessions: ['paid'],
    dueAt: ({ sessionAt }) => sessionAt + 30 * MINUTE_MS,
  },
  { kind: 'forms-remind', of: 'session', sessions: ['forms_required'], dueAt: formsRemind },
  { kind: 'lapse', of: 'session', sessions: ['paid', 'forms_required'], dueAt: noShowAt },
  { kind: 'no-show', of: 'session', sessions: ['ready'], dueAt: noShow },
  { kind: 'waiting-alert', of: 'video', sessions: ['ready', 'in_progress'], dueAt: waitingAlert },
  { kind: 'overrun', of: 'session', sessions: ['in_progress'], dueAt: overrun },
]

type NumberedRule = Rule & { readonly order: number }

/** PERF: two or three rules per state instead of eleven; a callback asks twice. */
const RULES_OF_SESSION: ReadonlyMap<Booking['session'], readonly NumberedRule[]> = new Map(
  SESSION_STATES.map((state) => [state, numbered().filter(({ sessions }) => sessions.includes(state))]),
)

/**
 * The next timer of a booking, or null. What is past when its state is entered is due one millisecond later, so every
 * timer of a new state lies behind `fired`, and the order (dueAt, rule) never goes back.
 */
export function nextTimer(booking: Booking): DueTimer | null {
  const fired = booking.rare?.fired ?? null
  let next: DueTimer | null = null
  for (const rule of RULES_OF_SESSION.get(booking.session) ?? []) {
    const { order } = rule
    const ruleDueAt = rule.dueAt(booking)
    if (ruleDueAt === null) continue
    const dueAt = Math.max(ruleDueAt, booking[`${rule.of}At`] + 1)
    if (fired !== null && !isAfter(dueAt, order, fired)) continue
    if (next === null || dueAt < next.dueAt) next = { kind: rule.kind, dueAt, order }
  }
  return next
}

function isAfter(dueAt: number, order: number, fired: { readonly dueAt: number; readonly order: number }): boolean {
  return dueAt > fired.dueAt || (dueAt === fired.dueAt && order > fired.order)
}

function numbered(): NumberedRule[] {
  return RULES.map((rule, order) => ({ ...rule, order }))
}

/** That long after the state was entered, but never after the start. */
function untilStart(after: number): Rule['dueAt'] {
  return ({ sessionAt, startsAt }) => Math.min(sessionAt + after, startsAt)
}

function initiated(after: number): Rule['dueAt'] {
  return ({ payment, paymentAt }) => (payment === 'initiated' ? paymentAt + after : null)
}

function failedExpiry({ payment, paymentAt, startsAt }: Booking): number | null {
  return payment === 'failed' ? Math.min(paymentAt + DAY_MS, startsAt) : null
}

/** Not sent when the state is entered within the last hour: the client has just been told. */
function formsRemind({ sessionAt, startsAt }: Booking): number | null {
  const dueAt = startsAt - HOUR_MS
  return dueAt > sessionAt ? dueAt : null
}

/** From here on who has not come is late: 15 minutes after the start. */
export function noShowAt({ startsAt }: Pick<Booking, 'startsAt'>): number {
  return startsAt + 15 * MINUTE_MS
}

/**
 * 15 minutes after the start; when both have come by then and were not there together, once the door is closed: neither of
 * them stayed away (domain.md §3.8). The door's last millisecond still lets them in.
 */
function noShow(booking: Booking): number {
  const met = hasAttended(booking, 'client') && hasAttended(booking, 'therapist')
  return met ? joinWindow(booking.startsAt).closesAt + 1 : noShowAt(booking)
}

function waitingAlert({ video, videoAt }: Booking): number | null {
  return video === 'waiting_for_participants' ? videoAt + 15 * MINUTE_MS : null
}

function overrun({ rare, sessionAt, durationMin }: Booking): number {
  return (rare?.actualStart ?? sessionAt) + (durationMin + 30) * MINUTE_MS
}
