import type { GateFacts } from '../facts/gate-facts.ts'
import { LAST_STAGE, STAGES, type Stage } from '../facts/stages.ts'
import { pairOf, unsatisfiedKeys } from './gate-values.ts'

/** Why somebody cannot go on to the next stage, with the details of the code. */
export type AdvanceRefusal =
  | { readonly error: 'INVALID_STAGE_TRANSITION'; readonly actual: Stage | null }
  | { readonly error: 'GATES_NOT_SATISFIED'; readonly unsatisfied: readonly string[] }
  | { readonly error: 'PARTNER_NOT_READY'; readonly stage: Stage | null }

/**
 * The checks of `advanceStage` behind the dialogue's status, in their order (domain.md §2.5); null where they all hold. Nobody
 * leaves the last stage: that is resolving the dialogue.
 */
export function advanceRefusal(
  facts: GateFacts,
  user: string,
  { fromStage, toStage }: { readonly fromStage: number; readonly toStage: number },
): AdvanceRefusal | null {
  const pair = pairOf(facts, user)
  const actual = pair?.own.stage ?? null
  if (pair === null || actual === null || fromStage !== actual || toStage !== fromStage + 1 || toStage > LAST_STAGE) {
    return { error: 'INVALID_STAGE_TRANSITION', actual }
  }
  const unsatisfied = unsatisfiedKeys(facts, user, actual)
  if (unsatisfied.length > 0) return { error: 'GATES_NOT_SATISFIED', unsatisfied }
  // Implied by the keys of stage 3 as they are, and kept because it is a stated precondition of its own (C11).
  const { partner } = pair
  const late =
    toStage === LAST_STAGE && partner.stage !== LAST_STAGE && unsatisfiedKeys(facts, partner.user, 3).length > 0
  return late ? { error: 'PARTNER_NOT_READY', stage: partner.stage } : null
}

/** Whether somebody could go on from where they stand; never from the last stage. */
export function mayAdvance(facts: GateFacts, user: string): boolean {
  const stage = pairOf(facts, user)?.own.stage ?? null
  const next = stage === null ? undefined : STAGES[stage + 1]
  return (
    stage !== null && next !== undefined && advanceRefusal(facts, user, { fromStage: stage, toStage: next }) === null
  )
}
