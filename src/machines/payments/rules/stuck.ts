import { MINUTE_MS } from '../../../base/time.ts'
import type { Entity, Triple } from '../facts/states.ts'

/** How long a state is expected to last, in minutes (domain.md §3.9). States without an entry may last for ever. */
const EXPECTED_MIN: { readonly [Name in Entity]: { readonly [state: string]: number } } = {
  payment: { pending: 60, initiated: 5, failed: 1440 },
  session: {
    requested: 1440,
    approved: 60,
    payment_pending: 10,
    paid: 30,
    forms_required: 1440,
    ready: 60,
    in_progress: 90,
  },
  video: { waiting_for_participants: 15, active: 90, failed: 5 },
}

/** A state that has lasted too long; times in ms. */
export interface StuckState {
  readonly entity: Entity
  readonly state: string
  /** When the state was entered. */
  readonly sinceMs: number
  readonly forMs: number
}

/** A callback overtakes its push by seconds: money that is in suspense for longer is nobody's. */
const SUSPENSE_EXPECTED_MIN = 5

/** Money in suspense for more than twice the expected time, under its transaction; at most one. */
export function stuckSuspense(id: string, sinceMs: number, now: number) {
  const forMs = now - sinceMs
  return forMs > 2 * SUSPENSE_EXPECTED_MIN * MINUTE_MS
    ? [{ id, entity: 'money', state: 'suspense', sinceMs, forMs }]
    : []
}

/** When each of the three entered its state. */
type EnteredAt = { readonly [Name in Entity as `${Name}At`]: number }

/** Which of the three has been in its state for more than twice the expected time. */
export function stuckStates(booking: Triple & EnteredAt, now: number): StuckState[] {
  const found: StuckState[] = []
  for (const entity of ['payment', 'session', 'video'] as const) {
    const state = booking[entity]
    const expectedMin = EXPECTED_MIN[entity][state]
    const sinceMs = booking[`${entity}At`]
    const forMs = now - sinceMs
    if (expectedMin !== undefined && forMs > 2 * expectedMin * MINUTE_MS) found.push({ entity, state, sinceMs, forMs })
  }
  return found
}
