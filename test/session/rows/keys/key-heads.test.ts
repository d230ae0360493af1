import fc from 'fast-check'
import { expect, test } from 'vitest'
import { KeyHeads } from '../../../../src/session/rows/keys/key-heads.ts'
import { sample } from '../../../effort.ts'
import { numbers, SHAPES } from './shapes.ts'

/** Keys that differ in all units, so that heads hold a few of them. */
const BYTES = fc.string({
  unit: fc.integer({ min: 0, max: 255 }).map((unit) => String.fromCharCode(unit)),
  maxLength: 12,
})
const DRAWN = fc
  .tuple(fc.integer({ min: 1, max: 2 ** 30 }), fc.constantFrom(...SHAPES), fc.integer({ min: 1, max: 200 }))
  .map(([seed, shape, count]) => {
    const next = numbers(seed)
    return Array.from({ length: count }, () => shape(1 + next(1 << 20)))
  })

test('heads are in the order of their keys, and those from before a widening become the ones of now', () => {
  fc.assert(
    fc.property(fc.oneof(fc.array(BYTES, { maxLength: 60 }), DRAWN), (keys) => {
      const heads = new KeyHeads(0)
      const early = keys.map((key) => ({ head: heads.widened(key), version: heads.version }))
      const now = keys.map((key) => heads.of(key))
      const renewed = early.map(({ head, version }) => {
        const one = Float64Array.of(head)
        heads.renew(one, 1, version)
        return one[0]
      })
      expect(renewed).toEqual(now)
      const sorted = keys.toSorted().map((key) => heads.of(key))
      expect(sorted).toEqual(sorted.toSorted((left, right) => left - right))
    }),
    { numRuns: sample(300) },
  )
})

test('keys of owners and numbers have a head each', () => {
  const next = numbers(11)
  const keys = Array.from({ length: 5000 }, (_, at) => {
    const bytes = String.fromCharCode(0x80, 0, 0, 0, 0, next(16), next(256), next(256))
    return `\u0002owner-${String(next(50_000)).padStart(7, '0')}\u0000\u0001${bytes}\u0002order-${String(at).padStart(9, '0')}`
  })
  const heads = new KeyHeads(0)
  for (const key of keys) heads.widened(key)
  expect(new Set(keys.map((key) => heads.of(key))).size).toBeGreaterThan(4995)
})
