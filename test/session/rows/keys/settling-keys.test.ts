import fc from 'fast-check'
import { expect, test } from 'vitest'
import { SettlingKeys } from '../../../../src/session/rows/keys/settling-keys.ts'
import { sample } from '../../../effort.ts'
import { numbers, SHAPES } from './shapes.ts'

/** What keys of indexes look like, and of what is none. */
const INDEXES: readonly ((drawn: number) => string)[] = [
  ...SHAPES,
  // Rising, in as many digits as it takes.
  (drawn) => `m/.t/f/${drawn % 6000}`,
  // Owners of some twenty keys each, in one index of three; and keys that are in none.
  (drawn) => `m/.t/f${drawn % 3}/\u0002owner-${String((drawn * 7919) % 300).padStart(5, '0')}\u0000${digits(drawn)}`,
  (drawn) => `m/.t/${'f'.repeat(1 + (drawn % 5))}${drawn % 2 === 0 ? '' : '/'}${drawn % 3000}`,
  // More indexes than are kept apart.
  (drawn) => `m/.t/${drawn % 300}/${drawn % 5000}`,
]

const digits = (drawn: number): string => String.fromCharCode((drawn >>> 8) & 0xff, drawn & 0xff)

const WAITING = fc.record({
  arrivedMax: fc.constantFrom(1, 7, 512),
  recentMax: fc.constantFrom(0, 40, 1000),
  pieceKeys: fc.constantFrom(1, 5, 64),
})

test('keys that settle by and by are one set in order at every moment', () => {
  const seeds = fc.integer({ min: 1, max: 2 ** 30 })
  const given = [seeds, WAITING, fc.constantFrom(...INDEXES), fc.boolean()] as const
  fc.assert(
    fc.property(...given, (seed, waiting, shape, rising) => {
      const next = numbers(seed)
      const keys = new SettlingKeys(waiting)
      const plain = new Set<string>()
      const drawn = (step: number): string => shape(rising && step % 2 === 0 ? step : 1 + next(1 << 14))
      for (let at = 0; at < 3000; at += 1) {
        const key = shape(1 + next(1 << 14))
        if (!plain.has(key)) keys.restore(key)
        plain.add(key)
      }
      for (let step = 1; step <= 4000; step += 1) {
        const key = drawn(step)
        if (plain.has(key)) {
          if (next(2) === 0) continue
          plain.delete(key)
          expect(keys.delete(key)).toBe(true)
          expect(keys.delete(key)).toBe(false)
        } else if (next(4) === 0) expect(keys.delete(key)).toBe(false)
        else {
          plain.add(key)
          keys.add(key)
        }
        if (step % 400 > 0) continue
        const [from, to, limit] = [drawn(step), drawn(next(4000)), next(50)]
        const sorted = [...plain].sort()
        const within = sorted.filter((other) => other >= from && other < to)
        expect(keys.count(from, to)).toBe(within.length)
        expect(keys.range({ from, to, limit, reverse: false })).toEqual(within.slice(0, limit))
        expect(keys.range({ from, to, limit, reverse: true })).toEqual(within.toReversed().slice(0, limit))
        expect(keys.range({ from: '', to: '\u0100', limit: 1e6, reverse: false })).toEqual(sorted)
        // Many neighbours go, and come again.
        if (step % 1200 > 0) continue
        for (const gone of within) expect(keys.delete(gone)).toBe(true)
        for (const gone of within)
          if (next(3) > 0) keys.add(gone)
          else plain.delete(gone)
      }
    }),
    { numRuns: sample(14) },
  )
})

test('keys that differ ever further forward, a bit at a time, are in order behind hundreds of such steps', () => {
  const keys = new SettlingKeys({ arrivedMax: 16, recentMax: 600, pieceKeys: 8 })
  const plain: string[] = []
  const add = (key: string): void => {
    plain.push(key)
    keys.add(key)
  }
  for (let at = 0; at < 5000; at += 1) add(`m/.t/f/${'a'.repeat(88)}${String((at * 7919) % 5000).padStart(4, '0')}`)
  for (let at = 87; at >= 0; at -= 1)
    for (let bit = 0; bit < 8; bit += 1) add(`m/.t/f/${'a'.repeat(at)}${String.fromCharCode(0x61 ^ (1 << bit))}`)
  const sorted = [...plain].sort()
  const all = { from: '', to: '\u0100', limit: 1e6 }
  expect(keys.range({ ...all, reverse: false })).toEqual(sorted)
  for (const key of sorted.slice(0, 300)) expect(keys.delete(key)).toBe(true)
  expect(keys.range({ ...all, reverse: true })).toEqual(sorted.slice(300).reverse())
})

test('however many keys were written, so many wait at most, and a look puts no others in their places', () => {
  const keys = new SettlingKeys()
  const next = numbers(7)
  let waiting = 0
  for (let at = 0; at < 120_000; at += 1) {
    keys.add(`m/.t/f/${String(next(1 << 22)).padStart(7, '0')}/${at}`)
    if (at % 97 > 0) continue
    const index = keys['last']
    waiting = Math.max(waiting, index?.['arrived'].count ?? 0)
    expect(index?.['recent'].count).toBeLessThan(32_768 + 64)
  }
  expect(waiting).toBeLessThan(1024)
  expect(keys.count('m/.t/f/', 'm/.t/f0')).toBe(120_000)
})
