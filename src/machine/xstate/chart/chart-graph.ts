import type { AnyStateMachine, AnyStateNode, AnyTransitionDefinition } from 'xstate'
import type { Drawable, NestedState } from '../../graph/drawable.ts'
import type { Edge } from '../../graph/transitions.ts'
import { isMachine } from './actor-kind.ts'
import { isFunction } from './guarded-action.ts'

/**
 * A chart's graph under the machine's name, and those of the charts below it under the names of their logics: the `graphs` of
 * a schema that has the chart in it. `fromXState` gives them by itself.
 */
export function chartGraphs(name: string, machine: AnyStateMachine): { readonly [name: string]: Drawable } {
  const found = new Map<string, AnyStateMachine>([[name, machine]])
  const collect = ({ implementations }: AnyStateMachine): void => {
    for (const [src, logic] of Object.entries(implementations.actors)) {
      if (!isMachine(logic) || found.has(src) || [...found.values()].includes(logic)) continue
      found.set(src, logic)
      collect(logic)
    }
  }
  collect(machine)
  return Object.fromEntries([...found].map(([key, chart]) => [key, chartGraph(chart)]))
}

/** A chart as its diagrams have it: its states by their ids, in document order, with every step and what takes it. */
function chartGraph(machine: AnyStateMachine): Drawable {
  const nodes = nodesFrom(machine.root)
  const nested = new Map(nodes.map((node) => [node.id, nestedOf(node)]))
  return {
    initial: machine.root.id,
    states: nodes.map(({ id }) => id),
    terminal: nodes.filter(({ type }) => type === 'final').map(({ id }) => id),
    nested,
    edges: () => nodes.flatMap((node) => (node.type === 'history' ? defaultOf(node) : stepsOf(node))),
  }
}

function nodesFrom(node: AnyStateNode): readonly AnyStateNode[] {
  return [node, ...Object.values<AnyStateNode>(node.states).flatMap(nodesFrom)]
}

function nestedOf(node: AnyStateNode): NestedState {
  const { type, history, parent, key, invoke } = node
  const [initial = null] = type === 'compound' ? (node.initial.target ?? []) : []
  return {
    parent: parent?.id ?? null,
    name: parent === undefined ? node.id : key,
    kind: type === 'history' ? (history === 'deep' ? 'deepHistory' : 'history') : type,
    initial: initial?.id ?? null,
    work: invoke.map(({ id, src }) => actorText(node, id, String(src))),
  }
}

/** An id that XState made up says nothing that the source does not. */
function actorText(node: AnyStateNode, id: string, src: string): string {
  return id === src || /^\d+$/.test(id.slice(0, -node.id.length - 1)) ? src : `${src} as ${id}`
}

function stepsOf(node: AnyStateNode): readonly Edge[] {
  const { transitions, always = [] } = node
  return [
    ...always.flatMap((step) => edgesOf(node, step, { label: 'always', event: null })),
    ...[...transitions].flatMap(([type, steps]) => steps.flatMap((step) => edgesOf(node, step, taking(node, type)))),
  ]
}

function edgesOf(
  { id }: AnyStateNode,
  { target, guard, reenter }: AnyTransitionDefinition,
  { label, event }: { readonly label: string; readonly event: string | null },
): readonly Edge[] {
  const guarded = guard === undefined ? '' : ` [${guardText(guard)}]`
  // Without a target only its actions run.
  const targets = target === undefined ? [id] : target.map((node) => node.id)
  return targets.map((to) => ({
    from: id,
    to,
    label: `${label}${guarded}${reenter && to === id ? ' (reenter)' : ''}`,
    event,
  }))
}

/** What takes a step, by the type of its event. */
function taking(node: AnyStateNode, type: string): { readonly label: string; readonly event: string | null } {
  const rest = (prefix: string): string | null => (type.startsWith(prefix) ? type.slice(prefix.length) : null)
  const delay = rest('xstate.after.')?.slice(0, -node.id.length - 1) ?? null
  if (delay !== null) return { label: `after ${delay}${Number.isNaN(Number(delay)) ? '' : ' ms'}`, event: null }
  if (rest('xstate.done.state.') !== null) return { label: 'done', event: null }
  for (const end of ['done', 'error']) {
    const actor = rest(`xstate.${end}.actor.`)
    if (actor === null) continue
    const src = node.invoke.find(({ id }) => id === actor)?.src
    const name = src === undefined ? actor : actorText(node, actor, String(src)).split(' as ').at(-1)
    return { label: `${end} ${name}`, event: null }
  }
  return { label: type, event: type }
}

/** Where a state that remembers leads the first time. */
function defaultOf(node: AnyStateNode): readonly Edge[] {
  const { target } = node.config as { readonly target?: unknown }
  const [first] = (Array.isArray(target) ? target : [target]) as readonly unknown[]
  const { parent } = node
  if (typeof first !== 'string' || parent === undefined) return []
  const to = first.startsWith('#')
    ? node.machine.getStateNodeById(first)
    : first.split('.').reduce<AnyStateNode | undefined>((at, key) => at?.states[key], parent)
  return to === undefined ? [] : [{ from: node.id, to: to.id, label: null, event: null }]
}

/** A guard by its name; of those that XState builds from others, with them. */
function guardText(guard: unknown): string {
  if (typeof guard === 'string') return guard
  if (!isFunction(guard)) return String((guard as { readonly type?: unknown }).type)
  const { guards, stateValue } = guard as { readonly guards?: readonly unknown[]; readonly stateValue?: unknown }
  if (guards !== undefined) return `${guard.name}(${guards.map(guardText).join(', ')})`
  if (stateValue !== undefined) return `in ${valueText(stateValue)}`
  return guard.name === '' ? 'guard' : guard.name
}

/** `{ packing: { parcel: 'end' } }` as `packing.parcel.end`; of parallel states, each. */
function valueText(value: unknown): string {
  if (typeof value === 'string') return value
  const parts = Object.entries(value ?? {}).map(([key, inner]) => [key, valueText(inner)].filter(Boolean).join('.'))
  return parts.join(' and ')
}
