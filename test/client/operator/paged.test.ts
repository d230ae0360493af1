import { expect, test } from 'vitest'
import { paged } from '../../../src/client/operator/paged.ts'

/** A leader with so many items, of which those that `wanted` are in its pages. */
const leaderOf = (count: number, wanted: (item: number) => boolean = () => true) => {
  const sizes: number[] = []
  const pageAfter = async (after: number | null, limit: number) => {
    sizes.push(limit)
    const from = after ?? 0
    const to = Math.min(count, from + limit)
    const looked = Array.from({ length: to - from }, (_, at) => from + at + 1)
    return { items: looked.filter(wanted), next: to < from + limit ? null : to }
  }
  return { pageAfter, sizes }
}

test.each([
  // count, limit, more
  [0, 5, false],
  [3, 5, false],
  [7, 5, true],
  [2500, 2400, true],
  [2400, 9999, false],
])('of %d items at most %d are fetched, and more are told of: %s', async (count, limit, more) => {
  const { pageAfter, sizes } = leaderOf(count)
  const found = await paged({ limit, filtered: false }, pageAfter)
  expect(found.items).toEqual(Array.from({ length: Math.min(count, limit) }, (_, at) => at + 1))
  expect(found.more).toBe(more)
  expect(Math.max(...sizes)).toBeLessThanOrEqual(1000)
})

test('where pages hold only what is wanted, whole ones are asked for until there are enough', async () => {
  const { pageAfter, sizes } = leaderOf(5000, (item) => item % 300 === 0)
  expect(await paged({ limit: 5, filtered: true }, pageAfter)).toEqual({
    items: [300, 600, 900, 1200, 1500],
    more: true,
  })
  expect(sizes).toEqual([1000, 1000])
  expect((await paged({ limit: 99, filtered: true }, pageAfter)).more).toBe(false)
})
