/** The pure Raft core (README.md): everything that its driver, the simulator and tests use. */
export { checkState, checkTransition } from './check.ts'
export { hasRecentQuorum, quorumContact } from './check-quorum.ts'
export {
  describeDeadline,
  describeEffect,
  describeEvent,
  describeLog,
  describeMessage,
  describeState,
} from './describe.ts'
export { committedIndex, hasMajority, majority, reachedByMajority } from './quorum.ts'
export {
  configurationOf,
  firstIndexOf,
  initialState,
  isVoter,
  leaderOf,
  NEVER,
  progressOf,
  type RaftState,
  type Role,
  role,
  termAt,
  votersOf,
} from './state.ts'
export { type Step, step } from './step.ts'
export type * from './types.ts'
