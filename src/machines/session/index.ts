/** What users of the machine session need, and its rules as pure functions (domain.md §0.10). */
export {
  ABANDON_CAUSES,
  DIALOGUE_TRANSITIONS,
  type AbandonCause,
  type DialogueMove,
  type DialogueStatus,
} from './facts/states.ts'
export { sessionEvents } from './facts/session-events.ts'
export { session } from './machine.ts'
export { resolveRefusal, type ResolveRefusal } from './rules/resolve.ts'
export { supportOffer, type Felt, type SupportOffer } from './rules/support.ts'
export { displayStatus, waiters, waitingOn, type DisplayStatus } from './rules/waiting.ts'
