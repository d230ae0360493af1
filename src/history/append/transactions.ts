import { isList, Keyword, type HistoryValue } from '../edn/history-value.ts'
import { ednOf } from '../edn/write-edn.ts'
import { HistoryError, type Operation } from '../history.ts'

/** One step of a transaction: appends an element to a list, or reads the whole list. Elements are told by their text. */
export type MicroOperation =
  | { readonly kind: 'append'; readonly key: string; readonly element: string }
  /** `seen` is null where nobody knows. */
  | { readonly kind: 'read'; readonly key: string; readonly seen: readonly string[] | null }

/** A transaction over lists: an operation `txn` whose value is `[[:append "x" 1] [:r "y" [2 3]]]`. */
export interface Transaction {
  readonly operation: Operation
  readonly steps: readonly MicroOperation[]
}

/**
 * The transactions of a history. Throws HistoryError for what is none, and where an element is appended to a list twice: then
 * nobody can tell who wrote what was read.
 */
export function transactionsOf(operations: readonly Operation[]): readonly Transaction[] {
  const appended = new Set<string>()
  return operations.map((operation) => {
    const { outcome, output, input, invoked } = operation
    const value = outcome === 'ok' ? output : input
    if (!isList(value)) throw new HistoryError(`event ${invoked}: a transaction is a list of steps`)
    const steps = value.map((step) => stepOf(step, operation))
    for (const step of steps) {
      if (step.kind === 'read') continue
      const name = elementName(step.key, step.element)
      if (appended.has(name)) throw new HistoryError(`event ${invoked}: ${step.element} is appended twice`)
      appended.add(name)
    }
    return { operation, steps }
  })
}

/** Names an element among those of all lists. */
export function elementName(key: string, element: string): string {
  return `${key} ${element}`
}

function stepOf(step: HistoryValue, { invoked, outcome }: Operation): MicroOperation {
  const [name, key = null, value = null] = isList(step) ? step : []
  const kind = name instanceof Keyword ? name.name : null
  if (kind === 'append') return { kind, key: ednOf(key), element: ednOf(value) }
  if (kind !== 'r') throw new HistoryError(`event ${invoked}: ${ednOf(step)} is neither [:append …] nor [:r …]`)
  if (outcome !== 'ok') return { kind: 'read', key: ednOf(key), seen: null }
  if (value !== null && !isList(value)) throw new HistoryError(`event ${invoked}: a read of a list answers a list`)
  // A list that nobody has written to yet is nil.
  return { kind: 'read', key: ednOf(key), seen: value === null ? [] : value.map(ednOf) }
}
