import type { AnyStateNode, StateValue } from 'xstate'
import type { Value } from '../../../codec/value/value.ts'
import { inDocumentOrder } from './document-order.ts'
import { frozenCopy } from './plain-value.ts'

/** What follows from a state value alone. */
export interface Rest {
  /** In document order, and frozen: rows of all entities that rest here share it. */
  readonly value: Value & StateValue
  /** Every active state in document order, parents before what is in them. */
  readonly nodes: readonly AnyStateNode[]
  readonly tags: ReadonlySet<string>
  /** Of the active states that have some, by their ids. */
  readonly meta: { readonly [state: string]: Value }
  /** Types of events that active states take from outside, in document order; guards may still refuse one. */
  readonly allowed: readonly string[]
  /** Whether every compound state has an active one and every parallel state all of them: false after a chart has changed. */
  readonly whole: boolean
}

/** How many values of one chart are remembered, in all orders of their keys. */
const RESTS_MAX = 1_000

/**
 * The states that a chart has rested in. PERF: an event looks them up instead of walking the chart, 0.01 µs by the value of a
 * row and 0.9 by a text, with nine active states; parallel regions may have any number of values, so there is a bound, and
 * what is dropped is made again.
 */
export class Rests {
  private readonly root: AnyStateNode
  private readonly known = new Map<string, Rest>()
  private readonly shared = new WeakMap<object, Rest>()

  constructor(root: AnyStateNode) {
    this.root = root
  }

  /** Throws for a state that the chart lacks. */
  of(value: StateValue): Rest {
    const same = typeof value === 'object' ? this.shared.get(value) : this.known.get(value)
    if (same !== undefined) return same
    const key = typeof value === 'object' ? JSON.stringify(value) : value
    const known = this.known.get(key)
    if (known !== undefined) return known
    const rest = this.entered(inDocumentOrder(this.root, value))
    if (this.known.size >= RESTS_MAX) this.known.clear()
    this.known.set(key, rest)
    return rest
  }

  /** One object for all orders of the keys, so that rows share it. */
  private entered(value: StateValue): Rest {
    const known = this.known.get(typeof value === 'object' ? JSON.stringify(value) : value)
    if (known !== undefined) return known
    const rest = restOf(this.root, value)
    if (typeof rest.value === 'object') this.shared.set(rest.value, rest)
    return rest
  }
}

function restOf(root: AnyStateNode, value: StateValue): Rest {
  const nodes = activeNodes(root, value)
  const allowed = nodes.flatMap((node) => node.ownEvents).filter((type) => !type.startsWith('xstate.'))
  const metas = nodes.flatMap(({ id, meta }) =>
    meta === undefined ? [] : [[id, frozenCopy(meta, `meta of ${id}`)] as const],
  )
  return {
    // A state value is plain data by its form.
    value: frozen(value) as Value & StateValue,
    nodes,
    tags: new Set(nodes.flatMap(({ tags }) => tags)),
    meta: Object.fromEntries(metas),
    allowed: Object.freeze([...new Set(allowed)]),
    whole: isWhole(root, value),
  }
}

function activeNodes(node: AnyStateNode, value: StateValue): readonly AnyStateNode[] {
  return [node, ...innerOf(node, value).flatMap(([child, below]) => activeNodes(child, below))]
}

function isWhole(node: AnyStateNode, value: StateValue): boolean {
  const inner = innerOf(node, value)
  const states = Object.values<AnyStateNode>(node.states).filter(({ type }) => type !== 'history')
  const expected = node.type === 'parallel' ? states.length : node.type === 'compound' ? 1 : 0
  return inner.length === expected && inner.every(([child, below]) => isWhole(child, below))
}

/** The active states in a state, with what is active in them. */
function innerOf({ states }: AnyStateNode, value: StateValue): readonly (readonly [AnyStateNode, StateValue])[] {
  const entries: readonly (readonly [string, StateValue | undefined])[] =
    typeof value === 'string' ? [[value, {}]] : Object.entries(value)
  return entries.flatMap(([key, below]) => {
    const child = Object.hasOwn(states, key) ? states[key] : undefined
    return child === undefined ? [] : [[child, below ?? {}] as const]
  })
}

function frozen(value: StateValue): StateValue {
  if (typeof value === 'string') return value
  for (const inner of Object.values(value)) if (inner !== undefined) frozen(inner)
  return Object.freeze(value)
}
