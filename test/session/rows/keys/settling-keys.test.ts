import fc from 'fast-check'
import { expect, test } from 'vitest'
import { SettlingKeys } from '../../../../src/session/rows/keys/settling-keys.ts'
import { sample } from '../../../effort.ts'

const KEYS = 6000
const keyOf = (at: number): string => `m/.t/f/${String(at).padStart(4, '0')}`

/** Numbers below a bound, the same ones for the same seed. */
function numbers(seed: number): (bound: number) => number {
  let word = seed
  return (bound) => {
    word = (Math.imul(word, 1_103_515_245) + 12_345) & 0x7fffffff
    return (word >>> 8) % bound
  }
}

test('keys that settle by and by are one set in order at every moment', () => {
  const seeds = fc.integer({ min: 1, max: 2 ** 30 })
  fc.assert(
    fc.property(seeds, fc.constantFrom(0, 40, 1000), fc.constantFrom(1, 7, 512), fc.boolean(), (...drawn) => {
      const [seed, recentMax, arrivedMax, rising] = drawn
      const next = numbers(seed)
      const keys = new SettlingKeys(recentMax, arrivedMax)
      const plain = new Set<string>()
      for (let at = 0; at < KEYS; at += 3) {
        keys.restore(keyOf(at))
        plain.add(keyOf(at))
      }
      for (let step = 0; step < 4000; step += 1) {
        const key = keyOf(rising && step % 2 === 0 ? step : next(KEYS))
        if (plain.has(key)) {
          if (next(2) === 0) continue
          plain.delete(key)
          expect(keys.delete(key)).toBe(true)
        } else if (next(4) === 0) expect(keys.delete(key)).toBe(false)
        else {
          plain.add(key)
          keys.add(key)
        }
        if (step % 400 > 0) continue
        const [from, to, limit] = [keyOf(next(KEYS)), keyOf(next(KEYS)), next(50)]
        const sorted = [...plain].sort()
        const within = sorted.filter((other) => other >= from && other < to)
        expect(keys.count(from, to)).toBe(within.length)
        expect(keys.range({ from, to, limit, reverse: false })).toEqual(within.slice(0, limit))
        expect(keys.range({ from, to, limit, reverse: true })).toEqual(within.toReversed().slice(0, limit))
        expect(keys.range({ from: '', to: 'n', limit: KEYS, reverse: false })).toEqual(sorted)
      }
    }),
    { numRuns: sample(12) },
  )
})
