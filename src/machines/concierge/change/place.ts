import type { ConciergeView } from '../facts/concierge-schema.ts'
import { type Agent, agentOf, type ConciergeState } from '../facts/states.ts'
import type { ConciergeMemory } from '../rules/chart.ts'

/** Where a conversation stands. */
export interface Place {
  readonly state: ConciergeState
  readonly agent: Agent | null
  readonly eventId: string | null
}

/** The place of a conversation, as its chart has it between two entries: in one of three states, never in routing (PC2). */
export function placeOf({ entities }: Pick<ConciergeView, 'entities'>, id: string): Place {
  const row = entities.get(id)
  // The chart has no nested states, and its context is a ConciergeMemory.
  const state = (row?.value ?? 'idle') as ConciergeState
  const { eventId = null } = (row?.context ?? {}) as Partial<ConciergeMemory>
  return { state, agent: agentOf(state), eventId }
}
