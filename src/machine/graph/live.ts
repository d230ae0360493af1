import type { Value } from '../../codec/value/value.ts'
import { type Drawable, statesIn, nestedState } from './drawable.ts'

/**
 * The states that are active in a value, in the graph's order: the one of a table, or of a chart's state value (`'green'`,
 * `{ red: 'walk' }`) with all that they lie in. What the value names and the graph lacks is left out.
 */
export function activeStates(graph: Drawable, value: Value): readonly string[] {
  if (graph.nested === undefined) return graph.states.filter((state) => state === value)
  const active = new Set([graph.initial])
  const enter = (parent: string, inner: Value): void => {
    for (const state of statesIn(graph, parent)) {
      const { name } = nestedState(graph, state)
      const below = inner === name ? {} : Object.entries(inner ?? {}).find(([key]) => key === name)?.[1]
      if (below === undefined) continue
      active.add(state)
      enter(state, below)
    }
  }
  enter(graph.initial, value)
  return graph.states.filter((state) => active.has(state))
}

/** Types of events that lead on from a value, in the graph's order; a guard may still refuse one. */
export function eventsFrom(graph: Drawable, value: Value): readonly string[] {
  const active = new Set(activeStates(graph, value))
  const events = graph.edges().flatMap(({ from, label, event = label }) => {
    return active.has(from) && event !== null ? [event] : []
  })
  return [...new Set(events)]
}
