/** What users of the machine gates need, and its rules as pure functions (domain.md §0.10). */
export type { AgreementFacts, GateFacts, PersonFacts } from './facts/gate-facts.ts'
export { gatesEvents } from './facts/gates-events.ts'
export { GATE_KEYS, PHASE_TRANSITIONS, STAGE_TRANSITIONS, type GateKey, type Stage } from './facts/stages.ts'
export { gates } from './machine.ts'
export { advanceRefusal, type AdvanceRefusal } from './rules/advance.ts'
export { retrievalVerdict, type RetrievalQuery, type RetrievalVerdict } from './rules/contracts.ts'
export { gateValues } from './rules/gate-values.ts'
export { overlapOf } from './rules/overlap.ts'
export {
  readVerdict,
  RESOURCES,
  type ConsentState,
  type Look,
  type ReadCondition,
  type ResourceName,
} from './rules/resources.ts'
