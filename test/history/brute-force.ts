import type { HistoryValue } from '../../src/history/edn/history-value.ts'
import type { Operation } from '../../src/history/history.ts'

/** What an object does, told a second time: a new state, or null where the answer is not what it answers. */
export type Plain<State> = (state: State, operation: Operation) => { readonly next: State } | null

/**
 * Whether some order explains the history, by trying all orders that time allows, of all that was executed and of any of what
 * is unknown. Knows nothing of how the product searches; for a handful of operations.
 */
export function explains<State>(operations: readonly Operation[], initial: State, plain: Plain<State>): boolean {
  const possible = operations.filter(({ outcome }) => outcome !== 'failed')
  return explainsRest(possible, initial, plain)
}

function explainsRest<State>(rest: readonly Operation[], state: State, plain: Plain<State>): boolean {
  if (rest.every(({ outcome }) => outcome === 'unknown')) return true
  return rest.some((operation) => {
    const tooEarly = rest.some((other) => other !== operation && other.completed < operation.invoked)
    const stepped = tooEarly ? null : plain(state, operation)
    if (stepped === null) return false
    const others = rest.filter((other) => other !== operation)
    return explainsRest(others, stepped.next, plain)
  })
}

const same = (left: HistoryValue, right: HistoryValue): boolean => JSON.stringify(left) === JSON.stringify(right)

/** A register that begins as nil. */
export const plainRegister: Plain<HistoryValue> = (state, { name, input, output, outcome }) => {
  const open = outcome === 'unknown'
  if (name === 'read') return open || same(state, output) ? { next: state } : null
  if (name === 'write') return { next: input }
  const [from, to] = input as readonly HistoryValue[]
  const swaps = same(state, from ?? null)
  if (!open && swaps === (output === false)) return null
  return { next: swaps ? (to ?? null) : state }
}

/** A string that begins empty. */
export const plainString: Plain<string> = (state, { name, input, output, outcome }) => {
  if (name === 'get') return outcome === 'unknown' || state === output ? { next: state } : null
  return { next: name === 'put' ? String(input) : `${state}${String(input)}` }
}

/** Lists by name, under transactions. */
export const plainLists: Plain<{ readonly [key: string]: readonly HistoryValue[] }> = (state, operation) => {
  const lists = { ...state }
  const steps = (
    operation.outcome === 'ok' ? operation.output : operation.input
  ) as readonly (readonly HistoryValue[])[]
  for (const [kind, key, value = null] of steps) {
    const list = lists[String(key)] ?? []
    if ((kind as { name: string }).name === 'append') lists[String(key)] = [...list, value]
    else if (operation.outcome === 'ok' && !same(value ?? [], list)) return null
  }
  return { next: lists }
}
