import { AssertionError } from '../../src/base/assert.ts'
import { describeMessage } from '../../src/raft/index.ts'
import { sumOf } from './canonical.ts'
import { Seen } from './seen.ts'
import { type Action, act, actionsOf, type Bounds, firstWorld, idOf, type World } from './world.ts'

/** How an exploration went. */
export interface Explored {
  readonly bounds: Bounds
  /** Worlds that differ in more than who is who. */
  readonly states: number
  readonly transitions: number
  /** Actions from the first world to the farthest that was looked at. */
  readonly depth: number
  /** All worlds within the bounds were looked at. */
  readonly ended: boolean
  /** What broke a rule: the rule and the way there, a line for each action; null: nothing does. */
  readonly violation: { readonly rule: string; readonly path: readonly string[] } | null
}

/** A world that was found, and its number. */
interface Found {
  readonly world: World
  readonly number: number
}

/** Told after each round of actions. */
export interface Progress {
  readonly depth: number
  readonly states: number
  readonly transitions: number
  readonly next: number
}

/**
 * Breadth first over everything that three nodes may do: the shortest way to a broken rule is found first. `stop` is asked
 * every thousand worlds.
 */
export function explore(bounds: Bounds, stop: () => boolean, tell: (progress: Progress) => void = () => {}): Explored {
  const seen = new Seen()
  const first = firstWorld(bounds)
  seen.add(sumOf(first), 0, 0)
  let level: Found[] = [{ world: first, number: 0 }]
  let transitions = 0
  let depth = 0
  for (; level.length > 0 && depth < (bounds.actions ?? Number.POSITIVE_INFINITY); depth += 1) {
    tell({ depth, states: seen.count, transitions, next: level.length })
    const next: Found[] = []
    for (const [at, { world, number }] of level.entries()) {
      if (at % 1000 === 999 && stop())
        return { bounds, states: seen.count, transitions, depth, ended: false, violation: null }
      for (const [place, action] of actionsOf(world, bounds).entries()) {
        transitions += 1
        const made = tried(world, action, bounds)
        if (typeof made === 'string') {
          const path = [...seen.pathTo(number), place]
          const violation = { rule: made, path: told(bounds, path) }
          return { bounds, states: seen.count, transitions, depth: depth + 1, ended: false, violation }
        }
        if (seen.add(sumOf(made), number, place)) next.push({ world: made, number: seen.count - 1 })
      }
    }
    level = next
  }
  return { bounds, states: seen.count, transitions, depth, ended: true, violation: null }
}

/** The rule that the action breaks, in place of a world. */
function tried(world: World, action: Action, bounds: Bounds): World | string {
  try {
    return act(world, action, bounds)
  } catch (error) {
    if (error instanceof AssertionError) return error.message
    throw error
  }
}

function told(bounds: Bounds, path: readonly number[]): string[] {
  let world = firstWorld(bounds)
  const lines: string[] = []
  for (const [at, place] of path.entries()) {
    const action = actionsOf(world, bounds)[place] as Action
    lines.push(lineOf(world, action))
    if (at < path.length - 1) world = act(world, action, bounds)
  }
  return lines
}

function lineOf(world: World, action: Action): string {
  const { kind, node } = action
  if (kind !== 'deliver' && kind !== 'late') return `${idOf(node)} ${kind}`
  const packet = world.links[node * world.nodes.length + action.to]?.[0]
  const message = packet === undefined ? 'nothing' : describeMessage(packet.message)
  return `${idOf(node)} → ${idOf(action.to)} ${message}${kind === 'late' ? ', late' : ''}`
}
