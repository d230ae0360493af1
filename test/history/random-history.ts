import type { Random } from '../../src/base/random.ts'
import { type HistoryValue, Keyword } from '../../src/history/edn/history-value.ts'
import type { HistoryEvent } from '../../src/history/history.ts'
import { event } from './events.ts'

/** An object that executes what is drawn of it. */
export interface Drawn {
  /** What a process asks for next. */
  draw(random: Random): { readonly name: string; readonly input: HistoryValue }
  execute(name: string, input: HistoryValue): HistoryValue
  /** Another answer than the true one. */
  distort(random: Random, name: string, output: HistoryValue): HistoryValue
}

interface Open {
  readonly process: number
  readonly name: string
  readonly input: HistoryValue
  output: HistoryValue
  executed: boolean
}

/**
 * The history of a few processes at one object: each operation is executed at a random instant while it is open, and some end
 * unknown, executed or not. With `lies` six in ten answers is not the true one.
 */
export function randomHistory(
  random: Random,
  object: Drawn,
  size: { readonly operations: number; readonly processes: number; readonly lies: boolean; readonly unknown?: number },
): readonly HistoryEvent[] {
  const events: HistoryEvent[] = []
  const open = new Map<number, Open>()
  const unknown = size.unknown ?? 0.15
  let [left, next] = [size.operations, size.processes]
  const idle = Array.from({ length: size.processes }, (_, at) => at)
  while (left > 0 || open.size > 0) {
    const asks = left > 0 && idle.length > 0 && (open.size === 0 || random.chance(0.5))
    if (asks) {
      const process = idle.shift() ?? 0
      const { name, input } = object.draw(random)
      open.set(process, { process, name, input, output: null, executed: false })
      events.push(event('invoke', process, name, input))
      left -= 1
      continue
    }
    const operation = random.pick([...open.values()])
    if (!operation.executed && random.chance(0.85)) {
      operation.executed = true
      operation.output = object.execute(operation.name, operation.input)
    } else if (operation.executed || random.chance(2 * unknown)) {
      open.delete(operation.process)
      const { process, name, input, executed } = operation
      const known = executed && !random.chance(unknown)
      const lie = known && size.lies && random.chance(0.6)
      const output = lie ? object.distort(random, name, operation.output) : operation.output
      events.push(known ? event('ok', process, name, output) : event('info', process, name, input))
      // Whoever does not know goes on as another process.
      idle.push(known ? process : next++)
    }
  }
  return events
}

/** A register of few values. */
export function drawnRegister(): Drawn {
  let state: HistoryValue = null
  const value = (random: Random): HistoryValue => random.below(3)
  return {
    draw(random) {
      const name = random.pick(['read', 'write', 'cas'])
      if (name === 'read') return { name, input: null }
      return { name, input: name === 'write' ? value(random) : [value(random), value(random)] }
    },
    execute(name, input) {
      if (name === 'read') return state
      if (name === 'write') state = input
      else {
        const [from, to] = input as readonly HistoryValue[]
        if (state !== from) return false
        state = to ?? null
      }
      return input
    },
    distort: (random, name, output) => (name === 'read' ? value(random) : name === 'cas' ? output === false : output),
  }
}

/** A string that is put and appended to. */
export function drawnString(): Drawn {
  let [state, count] = ['', 0]
  return {
    draw(random) {
      const name = random.pick(['get', 'get', 'put', 'append', 'append'])
      count += 1
      return { name, input: name === 'get' ? null : `${count}` }
    },
    execute(name, input) {
      if (name === 'get') return state
      state = name === 'put' ? String(input) : `${state}${String(input)}`
      return input
    },
    distort: (random, name, output) =>
      name === 'get' ? String(output).slice(0, random.below(String(output).length + 1)) : output,
  }
}

/** Two lists under transactions of one or two steps. */
export function drawnLists(): Drawn {
  const lists: { [key: string]: HistoryValue[] } = { x: [], y: [] }
  const [append, read] = [new Keyword('append'), new Keyword('r')]
  let count = 0
  return {
    draw(random) {
      const steps = Array.from({ length: random.between(1, 2) }, (): HistoryValue => {
        const key = random.pick(['x', 'y'])
        count += 1
        return random.chance(0.5) ? [append, key, count] : [read, key, null]
      })
      return { name: 'txn', input: steps }
    },
    execute: (_name, input) =>
      (input as readonly (readonly HistoryValue[])[]).map(([kind = null, key = null, value = null]) => {
        const list = lists[String(key)] ?? []
        if (kind !== append) return [kind, key, [...list]]
        list.push(value)
        return [kind, key, value]
      }),
    distort: (random, _name, output) =>
      (output as readonly (readonly HistoryValue[])[]).map(([kind = null, key = null, value = null]) => {
        if (kind === append || !Array.isArray(value) || random.chance(0.3)) return [kind, key, value]
        return [kind, key, value.slice(0, random.below(value.length + 1))]
      }),
  }
}
