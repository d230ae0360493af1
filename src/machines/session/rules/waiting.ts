import type { GateFacts, PersonFacts } from '../../gates/facts/gate-facts.ts'
import { LAST_STAGE } from '../../gates/facts/stages.ts'
import { ownPartsDone, unsatisfiedKeys } from '../../gates/rules/gate-values.ts'
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
  const waits = literal
    ? ({ user, stage }: PersonFacts) => stage !== lower || unsatisfiedKeys(facts, user, lower).length === 0
    : (person: PersonFacts) => isBlocked(facts, person)
  return facts.people.filter(waits).map(({ user }) => user)
}

/** What a person waits for; empty while there is something to do and nobody waits. */
export function waitingOn(facts: GateFacts, user: string): readonly string[] {
  const own = facts.people.find((person) => person.user === user)
  if (own === undefined || own.stage === null) return []
  // By the founding rule of stages 1 and 2 one may wait for the other and have something to do: it is the stage that is
  // waited for.
  if (!isBlocked(facts, own)) return waits(facts, user) ? ['PARTNER_NOT_READY'] : []
  const refusal = own.stage === LAST_STAGE ? resolveRefusal(facts, user) : null
  if (refusal !== null && refusal.error !== 'GATES_NOT_SATISFIED') return [refusal.error]
  return unsatisfiedKeys(facts, user, own.stage)
}

/** Whether this is the one for whom the dialogue is shown as WAITING. */
function waits(facts: GateFacts, user: string): boolean {
  const waiting = waiters(facts)
  return waiting.length === 1 && waiting[0] === user
}

/**
 * All own parts are true, nothing waits for this person, and going on would be refused. Before the last stage the keys of both
 * are checked as well, but those of stage 3 are the same for both: with all of them true, all of the partner's are.
 */
function isBlocked(facts: GateFacts, own: PersonFacts): boolean {
  const { stage, user } = own
  if (stage === null || own.todo || !ownPartsDone(facts, own, stage)) return false
  return stage === LAST_STAGE ? resolveRefusal(facts, user) !== null : unsatisfiedKeys(facts, user, stage).length > 0
}
