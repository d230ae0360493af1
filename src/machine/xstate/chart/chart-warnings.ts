import type { AnyStateMachine, AnyStateNode } from 'xstate'
import { isMachine } from './actor-kind.ts'

/**
 * What in a chart does otherwise than it looks, there and here alike: a sentence for each place, of the machine and of all that
 * it invokes or spawns. The machine runs; `holdfast machine check` prints them.
 */
export function chartWarnings(machine: AnyStateMachine, seen: Set<AnyStateMachine> = new Set()): readonly string[] {
  if (seen.has(machine)) return []
  seen.add(machine)
  const inner = Object.values(machine.implementations.actors).filter(isMachine)
  return [...parallelRoot(machine.root), ...inner.flatMap((child) => chartWarnings(child, seen))]
}

/** A parallel root that ends runs `onDone` of no region that ends with it (the tests of X12). */
function parallelRoot(root: AnyStateNode): readonly string[] {
  if (root.type !== 'parallel') return []
  const regions = Object.values<AnyStateNode>(root.states).filter(({ type }) => type !== 'history')
  if (!regions.every(canEnd)) return []
  return regions.flatMap(({ id, config }) => {
    const { onDone } = config as { readonly onDone?: unknown }
    if (onDone === undefined) return []
    return [
      `${id}.onDone does not run when this region is the last to end: the whole chart ends then. Take results from the context`,
    ]
  })
}

function canEnd({ type, states }: AnyStateNode): boolean {
  const inner = Object.values<AnyStateNode>(states)
  if (type === 'parallel') return inner.every(canEnd)
  return type === 'final' || (type === 'compound' && inner.some((state) => state.type === 'final'))
}
