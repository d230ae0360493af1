import { isList } from '../edn/history-value.ts'
import { ednOf } from '../edn/write-edn.ts'
import { HistoryError, type Operation } from '../history.ts'
import { IMPOSSIBLE, type Model } from './model.ts'

/**
 * A register: `read`, `write` a value, and `cas` from one value to another. It begins as nil. A `cas` that was executed and
 * answered false found another value than it was to replace; any other answer says that it did replace it. The state is
 * the text of the value.
 */
export const registerModel: Model<string> = {
  initial: ednOf(null),
  reads: ['read'],
  stepOf(operation) {
    const { name, input, output, outcome } = operation
    const known = outcome === 'ok'
    if (name === 'read') return readStep(known ? ednOf(output) : null)
    if (name === 'write') {
      const written = ednOf(input)
      return () => written
    }
    if (name !== 'cas' || !isList(input) || input.length !== 2) throw strange(operation, 'register')
    const [from, to] = [ednOf(input[0] ?? null), ednOf(input[1] ?? null)]
    if (!known) return (state) => (state === from ? to : state)
    if (output === false) return (state) => (state === from ? IMPOSSIBLE : state)
    return (state) => (state === from ? to : IMPOSSIBLE)
  },
}

/** A string under a key: `get`, `put`, and `append` to what is there. It begins as the empty string. */
export const keyValueModel: Model<string> = {
  initial: '',
  reads: ['get'],
  stepOf(operation) {
    const { name, input, output, outcome } = operation
    if (name === 'get') return readStep(outcome === 'ok' ? String(output) : null)
    if (typeof input !== 'string') throw strange(operation, 'string')
    if (name === 'put') return () => input
    if (name === 'append') return (state) => state + input
    throw strange(operation, 'string')
  },
}

function readStep(seen: string | null): (state: string) => string | typeof IMPOSSIBLE {
  if (seen === null) return (state) => state
  return (state) => (state === seen ? state : IMPOSSIBLE)
}

function strange({ name, input, invoked }: Operation, object: string): HistoryError {
  return new HistoryError(`event ${invoked}: no ${object} is asked to ${name} ${ednOf(input)}`)
}
