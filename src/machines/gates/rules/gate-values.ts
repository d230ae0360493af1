import type { GateFacts, PersonFacts } from '../facts/gate-facts.ts'
import { GATE_KEYS, type GateKey, type OwnPart, type Stage } from '../facts/stages.ts'

/**
 * The keys of a stage with their values for one person (domain.md §2.2), in their order. They are computed on read and never
 * stored. Empty for somebody who is not in the dialogue.
 */
export function gateValues(facts: GateFacts, user: string, stage: Stage): { readonly [key in GateKey]?: boolean } {
  const pair = pairOf(facts, user)
  if (pair === null) return {}
  return Object.fromEntries(GATE_KEYS[stage].map((key) => [key, RULES[key](pair, facts)]))
}

/** The same as the person is shown it: whether the partner has signed one learns by signing (domain.md §2.7, row 3). */
export function shownGateValues(facts: GateFacts, user: string, stage: Stage): { [key in GateKey]?: boolean } {
  const values = gateValues(facts, user, stage)
  return values.compactSigned === false ? { ...values, partnerCompactSigned: false } : { ...values }
}

/** The keys of a stage that are false for a person, as the person is shown them, in their order. */
export function unsatisfiedKeys(facts: GateFacts, user: string, stage: Stage): readonly string[] {
  return Object.entries(shownGateValues(facts, user, stage)).flatMap(([key, value]) => (value ? [] : [key]))
}

/** Whether somebody has done everything of a stage that can be done alone. */
export function ownPartsDone(facts: GateFacts, own: PersonFacts, stage: Stage): boolean {
  return GATE_KEYS[stage].every((key) => OWN_PARTS[key as OwnPart]?.(own, facts) ?? true)
}

interface Pair {
  readonly own: PersonFacts
  readonly partner: PersonFacts
}

/** A person with the partner; null for a stranger. */
export function pairOf({ people: [one, other] }: GateFacts, user: string): Pair | null {
  if (one.user === user) return { own: one, partner: other }
  return other.user === user ? { own: other, partner: one } : null
}

type Rule = (pair: Pair, facts: GateFacts) => boolean

const open = ({ agreements }: GateFacts): GateFacts['agreements'] =>
  agreements.filter(({ status }) => status !== 'ABANDONED')

const RULES: { readonly [key in GateKey]: Rule } = {
  compactSigned: ({ own }) => own.signed,
  partnerCompactSigned: ({ partner }) => partner.signed,
  feelHeardConfirmed: ({ own }) => own.feelHeard,
  empathyDraftReady: ({ own }) => own.draftReady,
  empathyConsented: ({ own }) => own.attemptShared,
  partnerConsented: ({ partner }) => partner.attemptShared,
  partnerValidated: ({ own }) => own.attemptValidated,
  needsConfirmed: ({ own }) => own.needsConfirmed,
  partnerNeedsConfirmed: ({ partner }) => partner.needsConfirmed,
  commonGroundConfirmed: ({ own, partner }, { commonGround }) =>
    commonGround.some(({ confirmedBy }) => confirmedBy.includes(own.user) && confirmedBy.includes(partner.user)),
  strategiesSubmitted: ({ own, partner }) => own.strategiesReady && partner.strategiesReady,
  rankingsSubmitted: ({ own, partner }) => own.ranked && partner.ranked,
  overlapIdentified: (_pair, { overlapFound }) => overlapFound,
  agreementCreated: (_pair, facts) => open(facts).length > 0,
}

/** What of each key somebody does alone; keys that only the partner, or both, can turn have none. */
const OWN_PARTS: { readonly [key in OwnPart]: (own: PersonFacts, facts: GateFacts) => boolean } = {
  compactSigned: (own) => own.signed,
  feelHeardConfirmed: (own) => own.feelHeard,
  empathyDraftReady: (own) => own.draftReady,
  empathyConsented: (own) => own.attemptShared,
  needsConfirmed: (own) => own.needsConfirmed,
  commonGroundConfirmed: (own, { commonGround }) =>
    commonGround.some(({ confirmedBy }) => confirmedBy.includes(own.user)),
  strategiesSubmitted: (own) => own.strategiesReady,
  rankingsSubmitted: (own) => own.ranked,
  agreementCreated: (own, facts) => open(facts).some(({ agreedBy }) => agreedBy.includes(own.user)),
}
