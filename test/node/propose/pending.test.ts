import { describe, expect, test } from 'vitest'
import { Pending } from '../../../src/node/propose/pending.ts'
import { Told, tolds } from '../told.ts'

const NONE = { kind: 'none' } as const

function waiting(count: number): { pending: Pending; sinks: Told[] } {
  const pending = new Pending()
  const sinks = tolds(count)
  for (const [at, sink] of sinks.entries()) pending.add(at + 1, sink)
  return { pending, sinks }
}

const told = (sinks: readonly Told[]): (string | null)[] => sinks.map((sink) => sink.told)

describe('pending proposals', () => {
  test('are settled by their index, once, and others are nobody’s', () => {
    const { pending, sinks } = waiting(2)
    pending.settle(2, NONE, 5)
    pending.settle(2, NONE, 5)
    pending.settle(9, NONE, 5)
    expect(told(sinks)).toEqual([null, 'settled'])
    expect(pending.size).toBe(1)
  })

  test('are lost from where the log was truncated, once; those before it still wait', () => {
    const { pending, sinks } = waiting(4)
    pending.abort(3)
    pending.settle(3, NONE, 5)
    pending.abort(3)
    expect(told(sinks)).toEqual([null, null, 'lost', 'lost'])
    pending.abortAll()
    expect(told(sinks)).toEqual(['lost', 'lost', 'lost', 'lost'])
    expect(pending.size).toBe(0)
  })

  test('any number of them wait at once, anywhere in the log, with entries in between that are nobody’s', () => {
    const pending = new Pending()
    const sinks = new Map<number, Told>()
    const add = (index: number): void => {
      const sink = new Told()
      sinks.set(index, sink)
      pending.add(index, sink)
    }
    for (let index = 5_000_000_000; index < 5_000_003_000; index += 3) add(index)
    // From far behind: another log.
    pending.abortAll()
    expect([...sinks.values()].every((sink) => sink.told === 'lost')).toBe(true)
    sinks.clear()
    for (let index = 7; index < 3000; index += 2) add(index)
    for (let index = 0; index < 1000; index += 1) pending.settle(index, NONE, 5)
    for (let index = 3000; index < 7000; index += 1) add(index)
    expect(pending.size).toBe(1000 + 4000)
    pending.abort(6500)
    for (let index = 1000; index < 7001; index += 1) pending.settle(index, NONE, 5)
    for (const [index, sink] of sinks) expect([index, sink.told]).toEqual([index, index < 6500 ? 'settled' : 'lost'])
    expect(pending.size).toBe(0)
  })

  test('entries that are nobody’s do not hold the ring up, however much goes through it', () => {
    const pending = new Pending()
    for (let index = 1; index <= 50_000; index += 1) {
      // One in ten is the core's own; five wait at any time.
      if (index % 10 !== 0) pending.add(index, new Told())
      if (index > 5) pending.settle(index - 5, NONE, 5)
    }
    expect(pending['places'].length).toBe(1024)
    expect(pending.size).toBe(4)
  })

  test('an index below all that wait, after a truncation, finds its place', () => {
    const { pending, sinks } = waiting(4)
    pending.settle(1, NONE, 5)
    pending.settle(2, NONE, 5)
    pending.abort(4)
    const again = new Told()
    pending.add(2, again)
    pending.settle(2, NONE, 5)
    pending.settle(3, NONE, 5)
    expect(again.told).toBe('settled')
    expect(told(sinks)).toEqual(['settled', 'settled', 'settled', 'lost'])
  })

  test('a sink that is lost may wait again at once under the same index', () => {
    const pending = new Pending()
    const second = new Told()
    pending.add(1, new Told(() => pending.add(1, second)))
    pending.abortAll()
    expect(second.told).toBeNull()
    pending.settle(1, NONE, 5)
    expect(second.told).toBe('settled')
  })
})
