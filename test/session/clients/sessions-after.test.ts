import { describe, expect, test } from 'vitest'
import { IndexList } from '../../../src/session/clients/index-list.ts'
import { counter } from '../bare-machine.ts'
import { Log, numbers, secret, swapped } from '../log.ts'
import { sessionCodec } from '../../../src/codec/session-codec.ts'
import { SessionStateMachine } from '../../../src/session/session-state-machine.ts'

const indexes = (machine: SessionStateMachine, after: number, limit: number): number[] =>
  machine.sessionsAfter(after, limit).map(({ index }) => index)

describe('sessions page by page', () => {
  test('come in the order of their indexes, each once, while others open and end', () => {
    const log = new Log(counter())
    const opened = ['a', 'b', 'c', 'd', 'e'].map((secret) => log.open(secret))
    const [a = 0, b = 0, c = 0, d = 0, e = 0] = opened
    expect(indexes(log.machine, 0, 2)).toEqual([a, b])
    log.append('CloseSession', { ...numbers(c), epoch: 0, secretHash: secret('c') })
    const f = log.open('f')
    expect(indexes(log.machine, b, 10)).toEqual([d, e, f])
    expect(indexes(log.machine, f, 10)).toEqual([])
  })

  test('are the same after a restore, whatever order the rows came in', () => {
    const log = new Log(counter())
    for (const secret of ['a', 'b', 'c']) log.open(secret)
    const restored = new SessionStateMachine(counter(), sessionCodec)
    for (const [key, value] of [...swapped(log.machine)].reverse()) restored.restoreRow(key, value as never)
    restored.restored({ index: log.machine.appliedIndex, term: 1, lease: log.lease, now: log.now })
    expect(indexes(restored, 0, 10)).toEqual(indexes(log.machine, 0, 10))
  })

  test('a list of indexes lets go of those that ended', () => {
    const list = new IndexList()
    const live = new Map<number, true>()
    for (let index = 1; index <= 1000; index += 1) live.set(index, true)
    expect([...list.after(0, live)]).toHaveLength(1000)
    for (let index = 1; index <= 999; index += 1) live.delete(index)
    expect([...list.after(0, live)]).toEqual([1000])
    list.add(1001, live.size)
    live.set(1001, true)
    expect([...list.after(1000, live)]).toEqual([1001])
  })

  test('a list that nobody looks at any more is given up while sessions come and go', () => {
    const list = new IndexList()
    const live = new Map<number, true>([[1, true]])
    expect([...list.after(0, live)]).toEqual([1])
    for (let index = 2; index <= 1000; index += 1) list.add(index, 1)
    expect(list['rising']).toBeNull()
    expect([...list.after(0, live)]).toEqual([1])
  })

  test('a session is told without its secret', () => {
    const log = new Log(counter())
    const session = log.open('a')
    log.request(session, 1, 'emit')
    const overview = log.machine.sessionOverview(numbers(session))
    expect(overview).toMatchObject({ index: session, highest: 1, cached: 1, waiting: 1 })
    expect(Object.keys(overview ?? {}).filter((field) => /secret|nonce/.test(field))).toEqual([])
    expect(log.machine.sessionOverview({ ...numbers(session), incarnation: 9 })).toBeNull()
  })
})
