import { MINUTE_MS } from '../../../base/time.ts'
import type { SessionState, VideoState } from '../facts/states.ts'

/** What the join rules look at (domain.md §3.6). Times are ms since the Unix epoch. */
export interface JoinQuestion {
  /** False for anyone but the booking's client and therapist. */
  readonly participant: boolean
  readonly session: SessionState
  readonly video: VideoState
  /** A required form is open and no verbal consent stands for it. */
  readonly formsOpen: boolean
  readonly startsAt: number
  readonly now: number
}

/** The window of times in which joining is allowed, or the first rule that refuses. */
export type JoinVerdict =
  | { readonly ok: true; readonly opensAt: number; readonly closesAt: number }
  | { readonly error: 'FORBIDDEN' | 'UNPAID_ACCESS' | 'FORMS_INCOMPLETE' | 'BOOKING_CLOSED' | 'VIDEO_FAILED' }
  | { readonly error: 'OUTSIDE_JOIN_WINDOW'; readonly opensAt: number; readonly closesAt: number }

/** The door opens this long before the start … */
const JOIN_OPENS_BEFORE_MS = 15 * MINUTE_MS
/** … and closes this long after it; both ends belong to the window. */
const JOIN_CLOSES_AFTER_MS = 120 * MINUTE_MS

/** May this person join the call now? The rules in their fixed order; the first that refuses answers. */
export function joinCheck(question: JoinQuestion): JoinVerdict {
  const { session, startsAt, now } = question
  if (!question.participant) return { error: 'FORBIDDEN' }
  if (session === 'requested' || session === 'approved' || session === 'payment_pending')
    return { error: 'UNPAID_ACCESS' }
  if (session === 'paid' || session === 'forms_required') return { error: 'FORMS_INCOMPLETE' }
  const running = session === 'ready' || session === 'in_progress'
  if (running && question.formsOpen) return { error: 'FORMS_INCOMPLETE' }
  if (!running) return { error: 'BOOKING_CLOSED' }
  const { opensAt, closesAt } = joinWindow(startsAt)
  if (now < opensAt || now > closesAt) return { error: 'OUTSIDE_JOIN_WINDOW', opensAt, closesAt }
  if (question.video === 'failed') return { error: 'VIDEO_FAILED' }
  return { ok: true, opensAt, closesAt }
}

/** The times between which the call of a booking can be joined, both inclusive. */
export function joinWindow(startsAt: number): { readonly opensAt: number; readonly closesAt: number } {
  return { opensAt: startsAt - JOIN_OPENS_BEFORE_MS, closesAt: startsAt + JOIN_CLOSES_AFTER_MS }
}
