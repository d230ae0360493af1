import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import {
  addTotals,
  describeTotals,
  TOTAL_NAMES,
  totalAt,
  totalPosition,
} from '../../../../src/machines/payments/facts/totals.ts'
import { sample } from '../../../effort.ts'

const position = fc.nat({ max: TOTAL_NAMES.length - 1 })
const delta = fc.integer({ min: -1_000_000, max: 1_000_000_000_000 })

describe('domain.md §3.13 the row of totals', () => {
  test('each row is the one before plus its deltas, and no row changes once it is made', () => {
    fc.assert(
      fc.property(fc.array(fc.array(fc.tuple(position, delta), { maxLength: 9 }), { maxLength: 300 }), (commands) => {
        const expected = new Array<number>(TOTAL_NAMES.length).fill(0)
        const rows: { row: Uint8Array; copy: Uint8Array; numbers: number[] }[] = []
        let row: Uint8Array | undefined
        for (const command of commands) {
          row = addTotals(
            row,
            command.map(([at]) => at),
            command.map(([, by]) => by),
          )
          for (const [at, by] of command) expected[at] = (expected[at] ?? 0) + by
          rows.push({ row, copy: row.slice(), numbers: [...expected] })
        }
        for (const made of rows) {
          expect(made.row).toEqual(made.copy)
          expect(TOTAL_NAMES.map((_, at) => totalAt(made.row, at))).toEqual(made.numbers)
          expect(Object.getPrototypeOf(made.row)).toBe(Uint8Array.prototype)
        }
      }),
      { numRuns: sample(20) },
    )
  })

  test('a shorter row of an older version goes on with zeros', () => {
    const row = addTotals(undefined, [totalPosition('payment', 'pending')], [3])
    const grown = addTotals(row.slice(0, 8), [totalPosition('bookings', 'all')], [2])
    expect(describeTotals(grown)).toMatchObject({ bookings: { count: 2, payment: { pending: 3, failed: 0 } } })
    expect(describeTotals(row.slice(0, 8))).toMatchObject({ attempts: 0, bookings: { payment: { pending: 3 } } })
    expect(describeTotals(undefined)).toMatchObject({ bookings: { count: 0 } })
  })

  test('a total that does not exist is a bug', () => {
    expect(() => totalPosition('payment', 'lost' as 'pending')).toThrow(/no total payment.lost/)
  })
})
