import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { z } from 'zod'
import { sessionCodec } from '../../../src/codec/session-codec.ts'
import { command, defineMachine, mount, table, type Context } from '../../../src/machine/index.ts'
import { prefixEnd } from '../../../src/machine/run/table-key.ts'
import { MemoryHost } from './memory-context.ts'
import { sample } from '../../effort.ts'

const schema = {
  version: 1,
  state: {
    before: table(z.string(), z.int()),
    pairs: table(z.tuple([z.string(), z.int()]), z.int()),
    names: table(z.string(), z.int()),
    numbers: table(z.int(), z.int()),
    pairz: table(z.string(), z.int()),
  },
} as const

/** Runs a function inside a command of a fresh machine. */
function inside<Result>(run: (ctx: Context<typeof schema>) => Result): Result {
  const results: Result[] = []
  const machine = defineMachine('tables', schema, {
    commands: {
      run: command({ input: z.null(), output: z.null() }, (ctx: Context<typeof schema>) => {
        results.push(run(ctx))
        return null
      }),
    },
  })
  new MemoryHost(mount([machine], sessionCodec).userMachine).apply('tables', 'run', null)
  expect(results).toHaveLength(1)
  return results[0] as Result
}

describe('tables', () => {
  test('UPR-1 get, set, delete, has and count', () => {
    inside(({ state: { names } }) => {
      expect(names.get('a')).toBeUndefined()
      expect(names.has('a')).toBe(false)
      names.set('a', 1)
      names.set('b', 2)
      expect([names.get('a'), names.has('a'), names.count()]).toEqual([1, true, 2])
      expect([names.delete('a'), names.delete('a'), names.count()]).toEqual([true, false, 1])
    })
  })
  test('a table ends where the next begins, whatever their names share', () => {
    inside(({ state }) => {
      state.before.set('z', 1)
      state.pairs.set(['a', 1], 2)
      state.pairz.set('a', 3)
      expect(state.pairs.range({ limit: 10 })).toEqual([[['a', 1], 2]])
      expect([state.before.count(), state.pairs.count(), state.pairz.count()]).toEqual([1, 1, 1])
    })
  })
  test('ranges honour from, to, limit and reverse', () => {
    inside(({ state: { numbers } }) => {
      for (const key of [5, -1, 3, 0, 1000]) numbers.set(key, key)
      const keys = (rows: readonly (readonly [number, number])[]) => rows.map(([key]) => key)
      expect(keys(numbers.range({ limit: 10 }))).toEqual([-1, 0, 3, 5, 1000])
      expect(keys(numbers.range({ from: 0, to: 5, limit: 10 }))).toEqual([0, 3])
      expect(keys(numbers.range({ limit: 2, reverse: true }))).toEqual([1000, 5])
      expect(keys(numbers.range({ from: 5, to: 5, limit: 2 }))).toEqual([])
      expect([numbers.count({ from: 1 }), numbers.count({ from: 9, to: 3 })]).toEqual([3, 0])
      expect(() => numbers.range({ limit: 0 })).toThrow('range needs a limit')
    })
  })
  test('a tuple range may stop after its first parts', () => {
    inside(({ state: { pairs } }) => {
      for (const key of [
        ['a', 2],
        ['a', 10],
        ['ab', 1],
        ['b', -3],
      ] as const)
        pairs.set(key, key[1])
      const keys = (rows: readonly (readonly [readonly [string, number], number])[]) => rows.map(([key]) => key.join())
      expect(keys(pairs.range({ limit: 9 }))).toEqual(['a,2', 'a,10', 'ab,1', 'b,-3'])
      expect(keys(pairs.range({ prefix: ['a'], limit: 9 }))).toEqual(['a,2', 'a,10'])
      expect(keys(pairs.range({ prefix: [], limit: 9, reverse: true }))).toEqual(['b,-3', 'ab,1', 'a,10', 'a,2'])
      expect(keys(pairs.range({ prefix: ['a'], from: ['a', 3], limit: 9 }))).toEqual(['a,10'])
      expect(pairs.count({ from: ['ab'] })).toBe(2)
    })
  })
  test('rows of a tuple table come back in the order of their parts', () => {
    const key = fc.tuple(fc.string({ unit: 'grapheme', maxLength: 4 }), fc.integer())
    fc.assert(
      fc.property(fc.uniqueArray(key, { selector: JSON.stringify, maxLength: 12 }), (keys) => {
        const found = inside(({ state: { pairs } }) => {
          for (const pair of keys) pairs.set(pair, 0)
          return pairs.range({ limit: 100 }).map(([pair]) => pair)
        })
        const byBytes = (left: string, right: string) => Buffer.compare(Buffer.from(left), Buffer.from(right))
        expect(found).toEqual([...keys].sort((a, b) => byBytes(a[0], b[0]) || a[1] - b[1]))
      }),
      { numRuns: sample(50) },
    )
  })
  test('the end of a prefix is the least string above all that begin with it', () => {
    expect(prefixEnd('a/')).toBe('a0')
    expect(prefixEnd('a\xff\xff')).toBe('b')
    expect(() => prefixEnd('\xff')).toThrow('no end')
  })
})
