import fc from 'fast-check'
import { expect, test } from 'vitest'
import { OrderedKeys } from '../../../../src/session/rows/ordered-keys.ts'
import { sample } from '../../../effort.ts'
import { numbers, SHAPES } from './shapes.ts'

test('keys that begin alike for long, or end where others go on, are in order after any cut', () => {
  const seeds = fc.integer({ min: 1, max: 2 ** 30 })
  fc.assert(
    fc.property(seeds, fc.constantFrom(...SHAPES), (seed, shape) => {
      const next = numbers(seed)
      const keys = new OrderedKeys()
      const plain = new Set<string>()
      const drawn = (): string => shape(1 + next(1 << 20))
      for (let step = 1; step <= 6000; step += 1) {
        const key = drawn()
        if (!plain.has(key)) keys.add(key)
        plain.add(key)
        if (step % 1500 > 0) continue
        // Whole chunks go, among others that nobody has read; then as many keys come again there.
        const [low = '', high = ''] = [drawn(), drawn()].sort()
        for (const gone of [...plain].filter((other) => other >= low && other < high)) {
          expect(keys.delete(gone)).toBe(true)
          plain.delete(gone)
        }
        if (step < 4500) continue
        const [from, to, limit] = [drawn(), drawn(), next(50)]
        const within = [...plain].filter((other) => other >= from && other < to).sort()
        expect(keys.count(from, to)).toBe(within.length)
        expect(keys.range({ from, to, limit, reverse: false })).toEqual(within.slice(0, limit))
        expect(keys.range({ from, to, limit, reverse: true })).toEqual(within.toReversed().slice(0, limit))
      }
      expect(keys.range({ from: '', to: '\u0100', limit: 1e6, reverse: false })).toEqual([...plain].sort())
    }),
    { numRuns: sample(16) },
  )
})

test('rising keys before those of another table leave full chunks, all but one of which were always in order', () => {
  const keys = new OrderedKeys()
  const keyOf = (table: string, at: number): string => `m/${table}/\u0002${String(at).padStart(6, '0')}`
  for (let at = 0; at < 100; at += 1) keys.add(keyOf('z', at))
  for (let at = 0; at < 20_000; at += 1) {
    keys.add(keyOf('a', at))
    if (at % 100 > 0 || at < 1000) continue
    expect(keys['chunks'].filter((chunk) => chunk.sorted < chunk.keys.length).length).toBeLessThan(2)
  }
  expect(keys['chunks'].length).toBeLessThan(20_000 / 256 + 5)
})
