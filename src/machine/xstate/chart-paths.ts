import {
  initialTransition,
  transition,
  type AnyMachineSnapshot,
  type AnyStateMachine,
  type AnyStateNode,
  type StateValue,
} from 'xstate'
import type { Value } from '../../codec/value/value.ts'
import type { EventRow } from './entity/entity-row.ts'
import { matchesDescriptor } from './chart/descriptor.ts'

/** The events that lead from the start of a chart over one of its edges, and where XState's pure functions are then. */
export interface ChartPath {
  readonly events: readonly EventRow[]
  readonly value: StateValue
}

/** What a chart does without time and workers, as cases of a test. */
export interface ChartPaths {
  /** One for the start, and one for every event that a state value takes, with the least events before it. */
  readonly paths: readonly ChartPath[]
  /** Transitions without an event, which are taken within the steps of others, by the ids of states. */
  readonly always: readonly { readonly from: string; readonly targets: readonly string[] }[]
}

/** Options of `chartPaths`. */
export interface ChartPathsOptions {
  readonly input?: Value
  /** Events with what guards and actions need; a type without one is sent bare. They also stand for wildcards. */
  readonly samples?: readonly EventRow[]
}

/** Edges that are followed at most: a chart of parallel regions has as many values as their product. */
const PATHS_MAX = 10_000

/**
 * Cases for a test of an adapted chart: send `events` to a new entity and compare its value. XState's own `getShortestPaths`
 * walks events of timers and actors, which no client sends, sends wildcards by their letters, and leaves `always` out (the
 * tests of X22). One context stands for each value: the one on the shortest path. Throws what the chart throws.
 */
export function chartPaths(machine: AnyStateMachine, { input, samples = [] }: ChartPathsOptions = {}): ChartPaths {
  const [start] = initialTransition(machine, input)
  if (start.status === 'error') throw start.error
  const paths: ChartPath[] = [{ events: [], value: start.value as StateValue }]
  const seen = new Set([JSON.stringify(start.value)])
  const rests: { readonly snapshot: AnyMachineSnapshot; readonly events: readonly EventRow[] }[] = [
    { snapshot: start, events: [] },
  ]
  for (const { snapshot, events } of rests) {
    for (const event of eventsOf(snapshot, samples)) {
      if (paths.length >= PATHS_MAX) return { paths, always: alwaysOf(machine.root) }
      const [next] = transition(machine, snapshot, event)
      const value = next.value as StateValue
      const path = { events: [...events, event], value }
      paths.push(path)
      const key = JSON.stringify(value)
      if (!seen.has(key)) rests.push({ snapshot: next, events: path.events })
      seen.add(key)
    }
  }
  return { paths, always: alwaysOf(machine.root) }
}

/** Those that the snapshot takes, each type or sample once. */
function eventsOf(snapshot: AnyMachineSnapshot, samples: readonly EventRow[]): readonly EventRow[] {
  if (snapshot.status !== 'active') return []
  const nodes = snapshot._nodes as readonly AnyStateNode[]
  const descriptors = new Set(nodes.flatMap(({ ownEvents }) => ownEvents).filter((type) => !type.startsWith('xstate.')))
  const events = [...descriptors].flatMap((descriptor) => {
    const given = samples.filter(({ type }) => matchesDescriptor(descriptor, type))
    return given.length > 0 ? given : [{ type: descriptor.replace('*', 'sample') }]
  })
  return [...new Map(events.map((event) => [JSON.stringify(event), event])).values()].filter((event) =>
    snapshot.can(event),
  )
}

function alwaysOf(node: AnyStateNode): ChartPaths['always'] {
  const own = (node.always ?? []).map(({ target }) => ({
    from: node.id,
    targets: ((target ?? []) as readonly AnyStateNode[]).map(({ id }) => id),
  }))
  return [...own, ...Object.values<AnyStateNode>(node.states).flatMap(alwaysOf)]
}
