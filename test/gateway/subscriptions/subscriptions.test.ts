import { describe, expect, test } from 'vitest'
import { SUBSCRIBED_UNSENT_BYTES_MAX } from '../../../src/protocol/limits.ts'
import { READS_MAX } from '../../../src/session/rows/row-watches.ts'
import { attachAgain, connect } from '../recorder.ts'
import { subscriber } from './subscriber.ts'

describe('a subscription', () => {
  test('is told the value at once, and every other one of a batch at the index of its entry', () => {
    const { ask, write, told, applied } = subscriber()
    write(['set', 'a', 1])
    ask(7, 'value', 'a')
    const at = applied()
    expect(told()).toEqual([['changed', 7, at, 1]])
    write(['set', 'a', 2], ['set', 'b', 9], ['set', 'a', 3], ['set', 'a', 3], ['delete', 'a'])
    expect(told()).toEqual([
      ['changed', 7, at + 1, 2],
      ['changed', 7, at + 3, 3],
      ['changed', 7, at + 5, null],
    ])
  })

  test('hears of a command after its answer', () => {
    const { ask, write, recorder } = subscriber()
    ask(7, 'value', 'a')
    recorder.take()
    write(['set', 'a', 2], ['set', 'a', 3])
    expect(recorder.take().map(([kind]) => kind)).toEqual(['responded', 'changed', 'responded', 'changed'])
  })

  test('hears nothing of what was taken back', () => {
    const { ask, write, told } = subscriber()
    ask(7, 'value', 'a')
    told()
    write(['take-back', 'a', 2])
    expect(told()).toEqual([])
  })

  test.each([
    ['rows', [['b', 1]]],
    ['count', 1],
    ['first', [['b', 1]]],
    ['last', [['b', 1]]],
  ] as const)('to the %s of a range hears of rows that come, change and go there', (query, one) => {
    const { ask, write, told } = subscriber()
    ask(7, query, ['a', 'd'])
    const none = query === 'count' ? 0 : []
    expect(told()).toMatchObject([['changed', 7, expect.any(Number), none]])
    write(['set', 'd', 5], ['set', 'b', 1], ['delete', 'b'])
    expect(told().map(([, , , value]) => value)).toEqual([one, none])
  })

  test('to the end of a range is not asked again for rows behind what it found', () => {
    const { ask, write, told, world } = subscriber()
    write(['set', 'b', 1])
    ask(1, 'first', ['a', 'f'])
    ask(2, 'last', ['a', 'f'])
    told()
    const asked: string[] = []
    const { machine } = world.node
    const query = machine.query.bind(machine)
    machine.query = (request, watch) => {
      asked.push(request.query)
      return query(request, watch)
    }
    write(['set', 'c', 1])
    expect(asked).toEqual(['last'])
    write(['set', 'aa', 1])
    expect(asked).toEqual(['last', 'first'])
  })

  test('that reads more rows than are noted hears of them all', () => {
    const { ask, write, told } = subscriber()
    ask(7, 'sum', READS_MAX + 10)
    told()
    write(['set', `k${READS_MAX + 9}`, 5], ['set', 'k0', 1], ['set', 'elsewhere', 1])
    expect(told().map(([, , , value]) => value)).toEqual([5, 6])
  })

  test('that reads the index or the time is asked after every entry', () => {
    const { ask, write, told, applied } = subscriber()
    ask(7, 'index', null)
    ask(8, 'now', null)
    told()
    write(['set', 'x'], ['set', 'y'])
    const heard = told()
    expect(heard.filter(([, id]) => id === 7).map(([, , , value]) => value)).toEqual([applied() - 1, applied()])
    expect(heard.filter(([, id]) => id === 8)).toHaveLength(2)
  })

  test('sees who asks', () => {
    const { ask, told } = subscriber()
    ask(7, 'asker', null)
    expect(told()).toMatchObject([['changed', 7, expect.any(Number), 'user:1']])
  })

  test('waits until this node has applied the index that it names', () => {
    const { ask, write, told, applied } = subscriber()
    write(['set', 'a', 1])
    ask(7, 'value', 'a', { incarnation: 1, minIndex: applied() + 2 })
    write(['set', 'a', 2])
    expect(told()).toEqual([])
    write(['set', 'a', 3], ['set', 'a', 4])
    expect(told()).toEqual([
      ['changed', 7, applied() - 1, 3],
      ['changed', 7, applied(), 4],
    ])
  })
})

describe('a subscription ends', () => {
  test('with the code of a query that is rejected, and hears nothing more', () => {
    const { ask, write, told } = subscriber()
    ask(7, 'picky', 'a')
    told()
    write(['set', 'a', 'bad'], ['set', 'a', 'good'])
    expect(told()).toEqual([['subscriptionEnded', 7, { reason: 'rejected', code: 'BAD', details: 'a' }]])
  })

  test.each([
    ['NOT_ATTACHED', { channel: 9 }],
    ['CLUSTER_CHANGED', { incarnation: 4 }],
    ['UNKNOWN_MACHINE', { machine: 'nobody' }],
  ])('before it begins with %s', (code, over) => {
    const { ask, told } = subscriber()
    ask(7, 'value', 'a', over)
    expect(told()).toMatchObject([['subscriptionEnded', 7, { reason: 'refused', code }]])
  })

  test.each([
    ['the connection', { subscriptionsMax: 2 }],
    ['the node', { nodeSubscriptionsMax: 2 }],
  ])('with OVERLOADED where %s has as many as it may', (_name, limits) => {
    const { ask, told, connection } = subscriber(limits)
    for (const id of [1, 2, 3]) ask(id, 'value', 'a')
    expect(told()).toMatchObject([
      ['changed', 1, 4, null],
      ['changed', 2, 4, null],
      ['subscriptionEnded', 3, { reason: 'refused', code: 'OVERLOADED', details: { max: 2 } }],
    ])
    connection.receiveUnsubscribe(1)
    ask(3, 'value', 'a')
    expect(told()).toEqual([['changed', 3, 4, null]])
  })

  test('without a word when it is not wanted any more, the session is detached, or the connection is gone', () => {
    const { ask, write, told, connection, world } = subscriber()
    for (const id of [1, 2, 3]) ask(id, 'value', 'a')
    connection.receiveUnsubscribe(2)
    told()
    write(['set', 'a', 1])
    expect(told().map(([, id]) => id)).toEqual([1, 3])
    expect(world.gateway.subscriptions.size).toBe(2)
    connection.end()
    write()
    expect(world.gateway.subscriptions.size).toBe(0)
  })

  test('when another connection takes the session over', () => {
    const { ask, told, session, epoch, world } = subscriber()
    ask(1, 'value', 'a')
    told()
    attachAgain(world, connect(world), session, epoch, 2)
    expect(told()).toMatchObject([['superseded', 1]])
    expect(world.gateway.subscriptions.size).toBe(0)
  })
})

test('what a slow reader has not been sent is left out, and the next change is whole and says so', () => {
  const { ask, write, told, recorder, connection, applied } = subscriber()
  ask(7, 'value', 'a')
  told()
  recorder.unsentBytes = SUBSCRIBED_UNSENT_BYTES_MAX + 1
  write(['set', 'a', 1], ['set', 'a', 2])
  connection.drained()
  expect(told()).toEqual([])
  recorder.unsentBytes = SUBSCRIBED_UNSENT_BYTES_MAX
  connection.drained()
  expect(told()).toEqual([['compacted', 7, applied(), 2]])
  write(['set', 'a', 3])
  expect(told()).toEqual([['changed', 7, applied(), 3]])
})

test('what was left out is said with the next change when the value has become what was told last', () => {
  const { ask, write, told, recorder, connection, applied } = subscriber()
  ask(7, 'value', 'a')
  told()
  recorder.unsentBytes = SUBSCRIBED_UNSENT_BYTES_MAX + 1
  write(['set', 'a', 1], ['delete', 'a'])
  recorder.unsentBytes = 0
  connection.drained()
  expect(told()).toEqual([])
  write(['set', 'a', 3])
  expect(told()).toEqual([['compacted', 7, applied(), 3]])
})

test('a node that has halted tells nothing of its state to a reader that was slow until then', () => {
  const { ask, write, told, recorder, connection, world, applied } = subscriber()
  ask(7, 'value', 'a')
  told()
  recorder.unsentBytes = SUBSCRIBED_UNSENT_BYTES_MAX + 1
  write(['set', 'a', 1])
  recorder.unsentBytes = 0
  world.node.halted = { code: 'DIVERGED', message: '', index: applied() }
  connection.drained()
  expect(told()).toEqual([])
  world.node.halted = null
  world.gateway.batchApplied()
  expect(told()).toEqual([['compacted', 7, applied(), 1]])
})

test('a state that replaces another one compacts what the node has not seen', () => {
  const { ask, write, told, world } = subscriber()
  write(['set', 'a', 1])
  ask(7, 'value', 'a')
  told()
  // Another node has applied the same entries, and more.
  const ahead = subscriber()
  ahead.write(['set', 'a', 1], ['set', 'a', 2], ['set', 'a', 5])
  const { machine } = ahead.world.node
  const next = world.node.machine.successor()
  for (const { key, value } of machine.swapDirty()) if (value !== undefined) next.restoreRow(key, value)
  const { now } = ahead.world.node
  while (next.restoreNext({ index: machine.appliedIndex, term: 1, lease: now, now })) expect(told()).toEqual([])
  next.takeOver()
  world.gateway.batchApplied()
  expect(told()).toEqual([['compacted', 7, machine.appliedIndex, 5]])
})
