/** The pure Raft core (README.md): everything that its driver, the simulator and tests use. */
export { checkState, checkTransition } from './check.ts'
export { describeConfiguration, describeEffect, describeLog, describeMessage, describeState } from './describe.ts'
export { answersByLease } from './lease.ts'
export { CATCH_UP_BEHIND } from './replicate.ts'
export {
  configurationOf,
  initialState,
  leaderOf,
  progressOf,
  type RaftState,
  role,
  termAt,
  transferOf,
} from './state.ts'
export { step } from './step.ts'
export type * from './types.ts'
