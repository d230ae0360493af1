import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import type { Entry } from '../../../src/codec/entry/entry.ts'
import type { Value } from '../../../src/codec/value/value.ts'
import { mount } from '../../../src/machine/index.ts'
import { SessionStateMachine } from '../../../src/session/session-state-machine.ts'
import type { QueryRequest } from '../../../src/session/state-machine.ts'
import { sample } from '../../effort.ts'
import { codec, Log, RECORD_BYTES } from '../../session/log.ts'
import { follow } from '../../session/limbo/limbo-machine.ts'
import { book, INDEXES, type Order, type OrderId } from './order-book.ts'
import { inputOf, type OrderStep, orderSteps } from './order-steps.ts'

const user = () => mount([book], codec).userMachine

/** A log of these steps. */
function logOf(steps: readonly OrderStep[]): Log {
  const log = new Log(user())
  const session = log.open('client')
  for (const [at, step] of steps.entries())
    log.request(session, at + 1, step.kind, { machine: 'book', input: inputOf(step) })
  return log
}

const asked = (input: object): QueryRequest => ({
  machine: 'book',
  query: 'page',
  input: input as Value,
  session: null,
})

/** A replica that has applied all but the last `open` entries. */
function halfway(log: Log, open: number): { readonly machine: SessionStateMachine; readonly rest: readonly Entry[] } {
  const machine = new SessionStateMachine(user(), codec)
  const at = log.entries.length - open
  for (const entry of log.entries.slice(0, at)) machine.apply(entry, RECORD_BYTES)
  return { machine, rest: log.entries.slice(at) }
}

describe('while an entry is in limbo, an index', () => {
  const put = (id: OrderId, owner: string | null, at = 1): OrderStep => {
    const row: Order = { owner, at, price: 1, paid: false }
    return { kind: 'put', id, row }
  }
  const there = [put(['a', 1], 'ann'), put(['b', 1], 'bob'), put(['c', 1], 'cid')]

  test.each<[string, OrderStep, readonly string[]]>([
    ['is told of owners that it does not concern', put(['a', 1], 'bob'), ['cid', 'dan']],
    ['is told where a new row belongs to somebody else', put(['d', 1], 'dan'), ['ann', 'bob', 'cid']],
    ['waits where a row stays in it and changes', put(['c', 1], 'cid'), ['ann', 'bob', 'dan']],
    ['waits where a row leaves it', { kind: 'remove', id: ['b', 1] }, ['ann', 'cid', 'dan']],
    [
      'is told where the entry is refused',
      { ...put(['a', 1], 'bob'), kind: 'refuse' } as OrderStep,
      ['ann', 'bob', 'cid', 'dan'],
    ],
  ])('%s', (_what, step, told) => {
    const { machine, rest } = halfway(logOf([...there, step]), 1)
    const { rows } = follow(machine, rest)
    if (rows === null) throw new Error('the entry was not followed')
    const answered = ['ann', 'bob', 'cid', 'dan'].filter((owner) => {
      return machine.queryInLimbo(asked({ index: 'byOwner', prefix: [owner], limit: 10 }), rows) !== null
    })
    expect(answered).toEqual(told)
  })

  test('is told as it is after each of the entries, or not at all', () => {
    const queries = Object.keys(INDEXES).flatMap((index) => [
      asked({ index, limit: 2 }),
      asked({ index, limit: 2, reverse: true }),
      ...(index === 'byOwner' ? ['', 'a', 'é'].map((owner) => asked({ index, prefix: [owner], limit: 3 })) : []),
    ])
    let told = 0
    fc.assert(
      fc.property(orderSteps, fc.integer({ min: 1, max: 4 }), (steps, open) => {
        const { machine, rest } = halfway(logOf(steps), Math.min(open, steps.length))
        const { taken, rows } = follow(machine, rest)
        if (rows === null) return
        const answers = queries.map((request) => [request, machine.queryInLimbo(request, rows)] as const)
        for (const entry of rest.slice(0, taken)) {
          machine.apply(entry, RECORD_BYTES)
          for (const [request, answer] of answers) if (answer !== null) expect(machine.query(request)).toEqual(answer)
        }
        told += answers.filter(([, answer]) => answer !== null).length
      }),
      { numRuns: sample(60) },
    )
    expect(told).toBeGreaterThan(0)
  })
})
