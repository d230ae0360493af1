/** What is there of the machine gates: what its keys are computed from, and their values (domain.md §0.10). */
export type { AgreementFacts, GateFacts, PersonFacts } from './facts/gate-facts.ts'
export { GATE_KEYS, type GateKey, type Stage } from './facts/stages.ts'
export { gateValues } from './rules/gate-values.ts'
