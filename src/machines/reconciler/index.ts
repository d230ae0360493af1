/** What users of the machine reconciler need, and its rules as pure functions (domain.md §0.10). */
export {
  canTransition,
  EMPATHY_STATUSES,
  EMPATHY_TRANSITIONS,
  empathyTransition,
  validEventsFor,
  type EmpathyEvent,
  type EmpathyStatus,
  type EmpathyStep,
  type RefusedEmpathyStep,
} from './facts/states.ts'
export { ANALYSES_MAX, breakerSkips, RESUBMITS_MAX } from './rules/breaker.ts'
export { ANALYSIS_ACTIONS, decideOffer, judgeResult, type AnalysisAction, type ResultVerdict } from './rules/offer.ts'
export { revealable, type Revealed } from './rules/reveal.ts'
export { normalizeStatement } from './rules/statement.ts'
export { reconcilerEvents } from './facts/reconciler-events.ts'
export { reconciler } from './machine.ts'
export { stubAnalysis, stubRefinement, type AnalysisQuestion, type AnalysisResult } from './tools/stub-analysis.ts'
