export { applyTwice, type AppliedEntry, type Divergence } from './apply-twice.ts'
export { DeterminismError, withDeterminismGuard } from './determinism.ts'
