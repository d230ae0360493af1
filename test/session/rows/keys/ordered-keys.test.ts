import fc from 'fast-check'
import { expect, test } from 'vitest'
import { OrderedKeys } from '../../../../src/session/rows/ordered-keys.ts'
import { sample } from '../../../effort.ts'

/** Numbers below a bound, the same ones for the same seed. */
function numbers(seed: number): (bound: number) => number {
  let word = seed
  return (bound) => {
    word = (Math.imul(word, 1_103_515_245) + 12_345) & 0x7fffffff
    return (word >>> 8) % bound
  }
}

/** Digits of a number to a base, as code units: few of them, so that many keys begin alike and end where another goes on. */
function digits(value: number, base: number, first: number): string {
  let text = ''
  for (let rest = value; rest > 0; rest = Math.floor(rest / base)) text += String.fromCharCode(first + (rest % base))
  return text
}

/** What keys look like: all alike for long, some a start of others, with the least and the greatest unit in them. */
const SHAPES: readonly ((drawn: number) => string)[] = [
  (drawn) => `m/.table/field/\u0002owner-000${String(drawn).padStart(6, '0')}\u0000`,
  (drawn) => digits(drawn, 2, 0),
  (drawn) => `${'a'.repeat(drawn % 30)}${digits(drawn, 3, 0xfd)}`,
  (drawn) => `${digits(drawn % 7, 8, 0)}m/.t/f/${digits(drawn, 10, 0x30)}\u0000${digits(drawn, 5, 0xfb)}`,
]

test('keys that begin alike for long, or end where others go on, are in order after any cut', () => {
  const seeds = fc.integer({ min: 1, max: 2 ** 30 })
  fc.assert(
    fc.property(seeds, fc.constantFrom(...SHAPES), fc.boolean(), (seed, shape, takes) => {
      const next = numbers(seed)
      const keys = new OrderedKeys()
      const plain = new Set<string>()
      const drawn = (): string => shape(1 + next(1 << 20))
      let turn = ''
      for (let step = 1; step <= 6000; step += 1) {
        const key = drawn()
        if (!plain.has(key)) keys.add(key)
        plain.add(key)
        if (takes && step > 4500 && step % 16 === 0) {
          const rest = [...plain].filter((other) => other >= turn).sort()
          const taken = keys.takeFrom(turn, 32)
          expect(taken).toEqual(rest.slice(0, taken.length))
          expect(taken.length > 0).toBe(rest.length > 0)
          for (const other of taken) plain.delete(other)
          turn = taken.length === 0 ? '' : `${taken.at(-1)}\u0000`
        }
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
