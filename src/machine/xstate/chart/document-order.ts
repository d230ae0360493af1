import type { AnyStateNode, StateValue } from 'xstate'

/**
 * A state value with its regions in the order in which the chart declares them. XState asks the `always` transitions of
 * parallel regions in the order in which their states were entered, and after a restore in the order of the value's keys: of
 * two that exclude each other another one wins (the tests of X1 and X2). So a value is put in this order whenever it is
 * stored, and no snapshot outlives its event. Throws for a state that the chart lacks.
 */
export function inDocumentOrder(node: AnyStateNode, value: StateValue): StateValue {
  if (typeof value === 'string') return known(node, value).key
  const given = Object.keys(value)
  for (const key of given) known(node, key)
  const ordered: { [key: string]: StateValue } = {}
  for (const key of Object.keys(node.states)) {
    const inner = value[key]
    if (inner !== undefined && given.includes(key)) ordered[key] = inDocumentOrder(known(node, key), inner)
  }
  return ordered
}

/** Whether there is a state for each in the value. */
export function hasStates({ states }: AnyStateNode, value: StateValue): boolean {
  if (typeof value === 'string') return Object.hasOwn(states, value)
  return Object.entries(value).every(([key, inner]) => {
    const child = Object.hasOwn(states, key) ? states[key] : undefined
    return child !== undefined && hasStates(child, inner ?? {})
  })
}

/** Ids of states in the order in which the chart declares them. */
export function sortedIds(nodes: readonly AnyStateNode[]): string[] {
  return [...nodes].sort((left, right) => left.order - right.order).map(({ id }) => id)
}

/** `{ pay: { card: 'waiting' }, ship: 'idle' }` as `pay.card.waiting, ship.idle`: how refusals name a state. */
export function stateText(value: StateValue): string {
  return leaves(value).join(', ')
}

function leaves(value: StateValue): string[] {
  if (typeof value === 'string') return [value]
  return Object.entries(value).flatMap(([key, inner]) => {
    const below = inner === undefined ? [] : leaves(inner)
    return below.length === 0 ? [key] : below.map((leaf) => `${key}.${leaf}`)
  })
}

function known(node: AnyStateNode, key: string): AnyStateNode {
  const child = Object.hasOwn(node.states, key) ? node.states[key] : undefined
  if (child === undefined)
    throw new Error(`the chart has no state ${[node.id, key].join('.')}: its version was not raised`)
  return child
}
