import { transitions, type StateOf } from '../../../machine/graph/transitions.ts'

/**
 * The states of one direction of the exchange and what moves it (domain.md §4.2). The first events of each state are those of
 * the founding document's own program, the others are ours. Three cells are never taken here, because an analysis takes time
 * and always passes through ANALYZING: HELD with GAPS_DETECTED or MARK_READY, and RESUBMIT_WITH_GAPS.
 *
 * NEEDS_WORK is of old data: it can be read and left, and nothing enters it.
 */
export const EMPATHY_TRANSITIONS = transitions(
  {
    HELD: { START_ANALYSIS: 'ANALYZING', GAPS_DETECTED: 'AWAITING_SHARING', MARK_READY: 'READY' },
    ANALYZING: { GAPS_DETECTED: 'AWAITING_SHARING', NO_SIGNIFICANT_GAPS: 'READY', MARK_READY: 'READY' },
    AWAITING_SHARING: {
      CONTEXT_SHARED: 'REFINING',
      DECLINE_SHARING: 'READY',
      MARK_READY: 'READY',
      OFFER_EXPIRED: 'READY',
    },
    REFINING: {
      MARK_READY: 'READY',
      RESUBMIT_WITH_GAPS: 'AWAITING_SHARING',
      RESUBMIT: 'ANALYZING',
      SKIP_PRE: 'READY',
      SKIP_POST: 'VALIDATED',
    },
    NEEDS_WORK: {
      CONTEXT_SHARED: 'REFINING',
      DECLINE_SHARING: 'READY',
      MARK_READY: 'READY',
      RESUBMIT: 'ANALYZING',
      SKIP_PRE: 'READY',
      SKIP_POST: 'VALIDATED',
    },
    READY: { MUTUAL_REVEAL: 'REVEALED' },
    REVEALED: { VALIDATE: 'VALIDATED', VALIDATION_FEEDBACK_SENT: 'REFINING' },
    VALIDATED: {},
  },
  { entity: 'empathy' },
)

/** Where a direction stands that has an attempt; one without is null. */
export type EmpathyStatus = StateOf<typeof EMPATHY_TRANSITIONS.table>
/** What moves a direction. */
export type EmpathyEvent = (typeof EMPATHY_TRANSITIONS.events)[number]

/** For schemas. */
export const EMPATHY_STATUSES = [
  'HELD',
  'ANALYZING',
  'AWAITING_SHARING',
  'REFINING',
  'NEEDS_WORK',
  'READY',
  'REVEALED',
  'VALIDATED',
] as const satisfies readonly EmpathyStatus[]

/** An allowed step. */
export interface EmpathyStep {
  readonly entity: 'empathy'
  readonly from: EmpathyStatus
  readonly event: EmpathyEvent
  readonly to: EmpathyStatus
}

/** A step that the table lacks (INVALID_STATE_TRANSITION), or one of no status or event at all (VALIDATION_ERROR). */
export interface RefusedEmpathyStep {
  readonly error: 'INVALID_STATE_TRANSITION' | 'VALIDATION_ERROR'
  readonly entity: 'empathy'
  readonly from: string
  readonly event: string
  /** Events that the status allows; empty for VALIDATED and for what is no status. */
  readonly allowed: readonly string[]
}

/** Where an event takes a direction, or why not. */
export function empathyTransition(status: string, event: string): EmpathyStep | RefusedEmpathyStep {
  if (!isStatus(status) || !isEvent(event)) {
    return { error: 'VALIDATION_ERROR', entity: 'empathy', from: status, event, allowed: [] }
  }
  const next = EMPATHY_TRANSITIONS.next(status, event)
  if (next.ok) return { entity: 'empathy', from: status, event, to: next.value }
  const allowed = EMPATHY_TRANSITIONS.allowedEvents(status)
  return { error: 'INVALID_STATE_TRANSITION', entity: 'empathy', from: status, event, allowed }
}

/** Whether a status takes an event. */
export const canTransition = (status: string, event: string): boolean => !('error' in empathyTransition(status, event))

/** The events that a status takes, in the table's order; none for what is no status. */
export const validEventsFor = (status: string): readonly EmpathyEvent[] =>
  isStatus(status) ? EMPATHY_TRANSITIONS.allowedEvents(status) : []

const isStatus = (text: string): text is EmpathyStatus => Object.hasOwn(EMPATHY_TRANSITIONS.table, text)
const isEvent = (text: string): text is EmpathyEvent => EMPATHY_TRANSITIONS.events.some((event) => event === text)
