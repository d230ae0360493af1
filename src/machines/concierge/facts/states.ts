import { stateGraph } from '../../../machine/graph/state-graph.ts'

/** Where a conversation stands; `routing` is passed through within one entry and never stored (domain.md §5.4). */
export const CONCIERGE_STATES = ['idle', 'standard_agent', 'event_agent'] as const
/** One of `CONCIERGE_STATES`. */
export type ConciergeState = (typeof CONCIERGE_STATES)[number]

/** Who answers in a state; nobody does in idle. */
export const AGENTS = ['standard', 'event'] as const
/** One of `AGENTS`. */
export type Agent = (typeof AGENTS)[number]

/** Who answers; null in idle (C-I1). */
export function agentOf(state: ConciergeState): Agent | null {
  return state === 'idle' ? null : state === 'event_agent' ? 'event' : 'standard'
}

/** What an event is to the one who writes: `today` and `live` of the event agent, `just_ended` of the standard one. */
export const PHASES = ['none', 'today', 'live', 'just_ended'] as const
/** One of `PHASES`. */
export type Phase = (typeof PHASES)[number]

/** Where a registration may go (domain.md §5.5); the last three are final. */
export const REGISTRATION_GRAPH = stateGraph(
  {
    registered: ['checked_in', 'attending', 'cancelled', 'no_show'],
    checked_in: ['attending', 'cancelled', 'no_show'],
    attending: ['completed', 'cancelled', 'no_show'],
    cancelled: [],
    no_show: [],
    completed: [],
  },
  { entity: 'registration' },
)

/** For schemas. */
export const REGISTRATION_STATUSES = [
  'registered',
  'checked_in',
  'attending',
  'no_show',
  'cancelled',
  'completed',
] as const
/** One of `REGISTRATION_STATUSES`. */
export type RegistrationStatus = (typeof REGISTRATION_STATUSES)[number]
/** Those in which an event can be active. */
export const ACTIVE_STATUSES = [
  'registered',
  'checked_in',
  'attending',
] as const satisfies readonly RegistrationStatus[]
