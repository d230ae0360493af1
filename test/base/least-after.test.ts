import fc from 'fast-check'
import { expect, test } from 'vitest'
import { leastAfter } from '../../src/base/least-after.ts'

test('a page is the first of those behind its place, as if all were sorted', () => {
  const keys = fc.uniqueArray(fc.string({ unit: 'binary-ascii', maxLength: 3 }), { maxLength: 60 })
  fc.assert(
    fc.property(keys, fc.string({ maxLength: 3 }), fc.nat(70), (all, after, limit) => {
      const sorted = all.filter((key) => key > after).sort()
      expect(leastAfter(all, after, limit)).toEqual(sorted.slice(0, limit))
    }),
  )
})

test('pages follow each other without a gap, whatever the order of the keys', () => {
  const keys = Array.from({ length: 1000 }, (_, at) => String((at * 7919) % 1000).padStart(4, '0'))
  const found: string[] = []
  for (let page = leastAfter(keys, '', 64); page.length > 0; page = leastAfter(keys, found.at(-1) ?? '', 64)) {
    found.push(...page)
  }
  expect(found).toEqual([...keys].sort())
})
