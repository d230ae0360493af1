import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { RUN_ROWS, SortedRows } from '../../../src/node/apply/sorted-rows.ts'

function sorted(keys: Iterable<string>): { order: string[]; pieces: number } {
  const found = new SortedRows([...keys].map((key) => ({ key, value: key.length })))
  let pieces = 1
  while (found.sortNext()) pieces += 1
  const order: string[] = []
  for (let row = found.next(); row !== undefined; row = found.next()) {
    expect(row.value).toBe(row.key.length)
    order.push(row.key)
  }
  return { order, pieces }
}

describe('sorted rows', () => {
  test('come in byte order, whatever their number and order', () => {
    fc.assert(
      fc.property(
        fc.uniqueArray(fc.string({ unit: fc.integer({ min: 0, max: 255 }).map((byte) => String.fromCharCode(byte)) })),
        (keys) => {
          expect(sorted(keys).order).toEqual([...keys].sort())
        },
      ),
    )
  })

  test.each([0, 1, RUN_ROWS - 1, RUN_ROWS, RUN_ROWS + 1, 3 * RUN_ROWS + 5])(
    '%i rows are sorted a bounded number at a time',
    (count) => {
      const keys = Array.from({ length: count }, (_, at) => String((at * 7919) % 1_000_003))
      const { order, pieces } = sorted(new Set(keys))
      expect(order).toEqual([...keys].sort())
      expect(pieces).toBe(Math.floor(count / RUN_ROWS) + 1)
    },
  )

  test('steps without a row are work as well', () => {
    const found = new SortedRows([...Array.from({ length: 100 }, () => null), { key: 'k', value: 1 }])
    let pieces = 1
    while (found.sortNext()) pieces += 1
    expect(pieces).toBe(7)
    expect(found.next()).toEqual({ key: 'k', value: 1 })
    expect(found.next()).toBeUndefined()
  })
})
