import { describe, expect, test } from 'vitest'
import type { Value } from '../../../src/codec/value/value.ts'
import { SUBSCRIBED_UNSENT_BYTES_MAX } from '../../../src/protocol/limits.ts'
import { attachedClient } from '../recorder.ts'
import { askOf, subscriber } from './subscriber.ts'

describe('equal subscriptions', () => {
  /** Two sessions on connections of their own, and which queries the machine ran. */
  function two() {
    const first = subscriber()
    const { world } = first
    const second = attachedClient(world, { secret: Buffer.alloc(32, 8), principal: 'user:2' })
    const asked: string[] = []
    const { machine } = world.node
    const query = machine.query.bind(machine)
    machine.query = (request, watch) => {
      asked.push(request.query)
      return query(request, watch)
    }
    return {
      ...first,
      second,
      asked,
      both: (name: string, input: Value): void => {
        first.ask(7, name, input)
        askOf(second.connection, 7, name, input)
      },
      heard: (): unknown[] =>
        [first.recorder, second.recorder].map((each) =>
          each
            .take()
            .filter(([kind]) => kind === 'changed' || kind === 'compacted')
            .map(([kind, , , value]) => [kind, value]),
        ),
    }
  }

  test('are asked once an entry, and each is told', () => {
    const { both, write, asked, heard } = two()
    both('value', 'a')
    expect(heard()).toEqual([[['changed', null]], [['changed', null]]])
    asked.length = 0
    write(['set', 'a', 1], ['set', 'b', 1], ['set', 'a', 2])
    const values = [1, 2].map((value) => ['changed', value])
    expect([asked, heard()]).toEqual([
      ['value', 'value'],
      [values, values],
    ])
  })

  test('of other inputs, or other names, are not', () => {
    const { ask, second, write, asked, heard } = two()
    ask(7, 'value', 'a')
    askOf(second.connection, 7, 'value', 'b')
    askOf(second.connection, 8, 'last', ['a', 'b'])
    heard()
    asked.length = 0
    write(['set', 'a', 1])
    expect([asked.sort(), heard()]).toEqual([
      ['last', 'value'],
      [[['changed', 1]], [['changed', [['a', 1]]]]],
    ])
  })

  test('whose answer depends on who asks are each asked alone, also from when it begins to', () => {
    const { both, write, asked, heard } = two()
    both('asker', null)
    expect(heard()).toEqual([[['changed', 'user:1']], [['changed', 'user:2']]])
    both('asker if', 'a')
    expect(heard()).toEqual([[['changed', null]], [['changed', null]]])
    asked.length = 0
    write(['set', 'a', true])
    expect(heard()).toEqual([[['changed', 'user:1']], [['changed', 'user:2']]])
    asked.length = 0
    write(['delete', 'a'])
    expect([asked, heard()]).toEqual([
      ['asker if', 'asker if'],
      [[['changed', null]], [['changed', null]]],
    ])
  })

  test('go on when one of them is slow, or leaves', () => {
    const { both, write, second, heard, connection } = two()
    both('value', 'a')
    heard()
    second.recorder.unsentBytes = SUBSCRIBED_UNSENT_BYTES_MAX + 1
    write(['set', 'a', 1], ['set', 'a', 2])
    expect(heard()).toEqual([[1, 2].map((value) => ['changed', value]), []])
    second.recorder.unsentBytes = 0
    second.connection.drained()
    expect(heard()).toEqual([[], [['compacted', 2]]])
    connection.receiveUnsubscribe(7)
    write(['set', 'a', 3])
    expect(heard()).toEqual([[], [['changed', 3]]])
  })

  test('begun while the others are all held back hear of every change', () => {
    const { ask, write, second, heard, recorder, connection } = two()
    ask(7, 'value', 'a')
    heard()
    recorder.unsentBytes = SUBSCRIBED_UNSENT_BYTES_MAX + 1
    write(['set', 'a', 1])
    askOf(second.connection, 7, 'value', 'a')
    write(['set', 'a', 2])
    expect(heard()).toEqual([[], [1, 2].map((value) => ['changed', value])])
    recorder.unsentBytes = 0
    connection.drained()
    write(['set', 'a', 3])
    expect(heard()).toEqual([
      [
        ['compacted', 2],
        ['changed', 3],
      ],
      [['changed', 3]],
    ])
  })

  test('that a bug ends, end with every connection that asks so, and with no other', () => {
    const { both, ask, write, world, recorder, second } = two()
    both('value', 'a')
    ask(8, 'value', 'b')
    const query = world.node.machine.query.bind(world.node.machine)
    world.node.machine.query = (request, watch) => {
      if (request.input === 'a') throw new Error('a bug')
      return query(request, watch)
    }
    recorder.take()
    second.recorder.take()
    write(['set', 'b', 1])
    expect(recorder.take().map(([kind]) => kind)).toEqual(['responded', 'changed'])
    write(['set', 'a', 1])
    const failed = ['failed', 'INTERNAL', 'a subscription could not be served: Error: a bug']
    expect([recorder.take().at(-1), second.recorder.take()]).toEqual([failed, [failed]])
  })
})
