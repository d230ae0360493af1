import fc from 'fast-check'
import { expect, test } from 'vitest'
import { lowerBoundBy, partitionPoint } from '../../src/base/binary-search.ts'

const key = (item: { readonly key: number }): number => item.key

test('the lower bound is the first item whose key is at least the one sought, or the length', () => {
  fc.assert(
    fc.property(fc.array(fc.nat(20)), fc.nat(22), (keys, sought) => {
      const items = [...keys].sort((left, right) => left - right).map((value) => ({ key: value }))
      const found = items.findIndex((item) => item.key >= sought)
      expect(lowerBoundBy(items, sought, key)).toBe(found < 0 ? items.length : found)
    }),
  )
})

test('the partition point is the first number that is reached, or the end of the range', () => {
  fc.assert(
    fc.property(fc.nat(50), fc.nat(50), fc.integer({ min: -5, max: 110 }), (from, length, first) => {
      const to = from + length
      const asked: number[] = []
      const found = partitionPoint(from, to, (at) => {
        asked.push(at)
        return at >= first
      })
      expect(found).toBe(Math.min(to, Math.max(from, first)))
      expect(asked.every((at) => at >= from && at < to)).toBe(true)
    }),
  )
})

test('numbers beyond 2^31 are found as well', () => {
  const far = 2 ** 52
  expect(partitionPoint(far, far + 1000, (at) => at >= far + 77)).toBe(far + 77)
})
