import { planMoves, type Step } from './compounds.ts'
import { type ForbiddenCode, forbiddenCode } from './forbidden.ts'
import type { Entity, Triple } from '../facts/states.ts'
import { entityTransition } from '../facts/states.ts'

/** One step of an administrator's `transition`; both states are states of that entity. */
export interface AskedStep {
  readonly entity: Entity
  readonly to: string
  /** What the caller takes for the state before this step; never believed, only compared. */
  readonly expectFrom?: string | undefined
}

/** Why steps are refused, with what the answer's details name. */
export type TransitionRefused =
  | { readonly error: 'STALE_STATE'; readonly entity: Entity; readonly expected: string; readonly actual: string }
  | {
      readonly error: ForbiddenCode | 'AUTHORITY_VIOLATION'
      readonly entity: Entity
      readonly from: string
      readonly to: string
    }
  | {
      readonly error: 'INVALID_STATE_TRANSITION'
      readonly entity: Entity
      readonly from: string
      readonly to: string
      readonly allowed: readonly string[]
    }
  | { readonly error: 'PAYMENT_SESSION_SYNC' | 'SESSION_VIDEO_SYNC'; readonly triple: Triple }

/**
 * The steps of an administrator from a triple, each judged in the order of domain.md §3.7: what the caller expects, the
 * forbidden pairs, its own table, authority; after all of them the matrices. `formsOpen`: a required form is open and no
 * verbal consent stands for it.
 */
export function planTransition(
  triple: Triple,
  asked: readonly AskedStep[],
  formsOpen: boolean,
): { readonly steps: readonly Step[]; readonly triple: Triple } | TransitionRefused {
  const states: Record<Entity, string> = { payment: triple.payment, session: triple.session, video: triple.video }
  for (const { entity, to, expectFrom } of asked) {
    const from = states[entity]
    if (expectFrom !== undefined && expectFrom !== from) {
      return { error: 'STALE_STATE', entity, expected: expectFrom, actual: from }
    }
    const forbidden = forbiddenCode(entity, from, to)
    if (forbidden !== null) return { error: forbidden, entity, from, to }
    const verdict = entityTransition(entity, from, to)
    if ('error' in verdict) return { error: 'INVALID_STATE_TRANSITION', entity, from, to, allowed: verdict.allowed }
    const lacking = lackingAuthority(entity, to, formsOpen)
    if (lacking !== null) return { error: lacking, entity, from, to }
    states[entity] = to
  }
  const plan = planMoves(
    asked.map(({ entity, to }) => [entity, to]),
    triple,
  )
  if (!('error' in plan)) return plan
  // Every step was in its table, so only a matrix can refuse; the states came out of those tables.
  const error = plan.error === 'SESSION_VIDEO_SYNC' ? 'SESSION_VIDEO_SYNC' : 'PAYMENT_SESSION_SYNC'
  return { error, triple: states as unknown as Triple }
}

/** Only money makes a booking paid, and only forms or consent make it ready: no administrator's word does (domain.md §3.7). */
function lackingAuthority(
  entity: Entity,
  to: string,
  formsOpen: boolean,
): 'AUTHORITY_VIOLATION' | 'FORMS_REQUIRED' | null {
  if (entity === 'session' && to === 'paid') return 'AUTHORITY_VIOLATION'
  if (entity === 'payment' && to === 'confirmed') return 'AUTHORITY_VIOLATION'
  return entity === 'session' && to === 'ready' && formsOpen ? 'FORMS_REQUIRED' : null
}
