import type { GateFacts } from '../../gates/facts/gate-facts.ts'
import { LAST_STAGE, type Stage } from '../../gates/facts/stages.ts'
import { ownPartsDone, pairOf, unsatisfiedKeys } from '../../gates/rules/gate-values.ts'
import type { DialogueStatus } from '../facts/states.ts'
import { resolveRefusal } from './resolve.ts'

/** What is shown of where a dialogue stands. WAITING is derived and never stored (domain.md §1.4). */
export type DisplayStatus = DialogueStatus | 'WAITING'

/** The status that both of the two are shown: WAITING while exactly one of them waits for the other. */
export function displayStatus(status: DialogueStatus, facts: GateFacts): DisplayStatus {
  return status === 'ACTIVE' && waiters(facts).length === 1 ? 'WAITING' : status
}

/**
 * Who waits for the other, by the lower of the two stages. At stages 1 and 2 the founding rule holds to the letter: whoever has
 * all keys of that stage, or has passed it. At stages 0, 3 and 4, whose keys include the partner's, that could never be true of
 * one alone; there it is who has done all that can be done alone and cannot go on (C08).
 */
export function waiters(facts: GateFacts): readonly string[] {
  const [one, other] = facts.people
  if (one.stage === null || other.stage === null) return []
  const lower = one.stage < other.stage ? one.stage : other.stage
  const literal = lower === 1 || lower === 2
  const waits = literal ? hasDone(facts, lower) : isBlocked(facts)
  return facts.people.filter(({ user }) => waits(user)).map(({ user }) => user)
}

/** What a person who has done everything alone still waits for; empty while there is something to do. */
export function waitingOn(facts: GateFacts, user: string): readonly string[] {
  const stage = pairOf(facts, user)?.own.stage ?? null
  if (stage === null || !isBlocked(facts)(user)) return []
  const missing = unsatisfiedKeys(facts, user, stage)
  if (missing.length > 0) return missing
  return [stage === LAST_STAGE ? (resolveRefusal(facts, user)?.error ?? '') : 'PARTNER_NOT_READY']
}

const hasDone =
  (facts: GateFacts, stage: Stage) =>
  (user: string): boolean => {
    const own = pairOf(facts, user)?.own.stage ?? 0
    return own > stage || unsatisfiedKeys(facts, user, stage).length === 0
  }

/** All own parts are true, nothing waits for this person, and going on would be refused. */
const isBlocked =
  (facts: GateFacts) =>
  (user: string): boolean => {
    const pair = pairOf(facts, user)
    const stage = pair?.own.stage ?? null
    if (pair === null || stage === null || pair.own.todo || !ownPartsDone(facts, user, stage)) return false
    return stage === LAST_STAGE ? resolveRefusal(facts, user) !== null : !mayAdvance(facts, user, stage)
  }

/** The last two checks of advancing a stage: its keys, and before the last stage the partner's. */
function mayAdvance(facts: GateFacts, user: string, stage: Stage): boolean {
  if (unsatisfiedKeys(facts, user, stage).length > 0) return false
  const partner = pairOf(facts, user)?.partner
  if (stage !== 3 || partner === undefined) return true
  return partner.stage === LAST_STAGE || unsatisfiedKeys(facts, partner.user, 3).length === 0
}
