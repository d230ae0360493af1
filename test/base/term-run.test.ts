import fc from 'fast-check'
import { expect, test } from 'vitest'
import { logIndex, term } from '../../src/base/brand.ts'
import { clipRuns, type TermRun } from '../../src/base/term-run.ts'

test('clipped runs cover exactly the entries within the range, each with its term', () => {
  fc.assert(
    fc.property(
      fc.array(fc.integer({ min: 1, max: 4 }), { maxLength: 6 }),
      fc.nat(12),
      fc.nat(12),
      (lengths, from, to) => {
        const runs: TermRun[] = []
        let next = 1
        lengths.forEach((length, at) => {
          runs.push({ first: logIndex(next), last: logIndex(next + length - 1), term: term(at + 1) })
          next += length
        })
        const entries = (of: readonly TermRun[]): string[] =>
          of.flatMap(({ first, last, term: held }) =>
            Array.from({ length: last - first + 1 }, (_, at) => `${first + at}@${held}`),
          )
        const within = entries(runs).filter(
          (entry) => Number.parseInt(entry, 10) >= from && Number.parseInt(entry, 10) <= to,
        )
        expect(entries(clipRuns(runs, logIndex(from), logIndex(to)))).toEqual(within)
      },
    ),
  )
})
