/** What users of the machine concierge need, and its rules as pure functions (domain.md §0.10). */
export { agentOf, type Agent, type ConciergeState, type Phase, type RegistrationStatus } from './facts/states.ts'
export { concierge } from './machine.ts'
export { conciergeChart, type ConciergeEvent, type ConciergeMemory } from './rules/chart.ts'
export {
  effectiveEnd,
  eventIsLive,
  eventRecentlyEnded,
  hasActiveEvent,
  phaseOf,
  route,
  type RegisteredEvent,
  type Route,
} from './rules/guards.ts'
