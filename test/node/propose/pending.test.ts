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
