import type { GateFacts } from '../../gates/facts/gate-facts.ts'
import { GATE_KEYS, LAST_STAGE } from '../../gates/facts/stages.ts'
import { pairOf, unsatisfiedKeys } from '../../gates/rules/gate-values.ts'

/** Why a dialogue cannot be resolved now; by whom it is asked matters. */
export type ResolveRefusal =
  | { readonly error: 'GATES_NOT_SATISFIED'; readonly unsatisfied: readonly string[] }
  | { readonly error: 'PARTNER_NOT_READY'; readonly stage: number | null }
  | { readonly error: 'AGREEMENT_NOT_CONFIRMED' }

/** The guards of `resolve` in their order (domain.md §1.3), own before the partner's; null where they all hold. */
export function resolveRefusal(facts: GateFacts, user: string): ResolveRefusal | null {
  const pair = pairOf(facts, user)
  if (pair === null || pair.own.stage !== LAST_STAGE) {
    const unsatisfied = pair === null ? GATE_KEYS[LAST_STAGE] : unsatisfiedKeys(facts, user, LAST_STAGE)
    return { error: 'GATES_NOT_SATISFIED', unsatisfied }
  }
  if (pair.partner.stage !== LAST_STAGE) return { error: 'PARTNER_NOT_READY', stage: pair.partner.stage }
  const unsatisfied = unsatisfiedKeys(facts, user, LAST_STAGE)
  if (unsatisfied.length > 0) return { error: 'GATES_NOT_SATISFIED', unsatisfied }
  const agreed = facts.agreements.some(({ status }) => status === 'AGREED')
  return agreed ? null : { error: 'AGREEMENT_NOT_CONFIRMED' }
}
