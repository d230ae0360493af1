import { expect, test } from 'vitest'
import { DEFAULT_LIMITS } from '../../src/codec/entry/default-limits.ts'
import { changedLimits } from '../../src/server/operator/limit-rules.ts'
import { WAIT_LIMITS } from '../../src/session/tables/wait-rows.ts'
import { read } from '../tidy/tree.ts'

/** Rows of the page's table: name, unit, range, default. */
const rows = [...read('docs/limits.md').matchAll(/^\| `(\w+)` \| (\w+) \| ([^|]+) \| (\d+) \|/gm)]

test('docs/limits.md has every limit, in the order of the entry, with the default of a new cluster', () => {
  expect(rows.map(([, name, , , initial]) => [name, Number(initial)])).toEqual(
    Object.entries({ ...DEFAULT_LIMITS, ...WAIT_LIMITS }),
  )
})

test('the ranges that docs/limits.md gives as numbers are those that a change is held to', () => {
  const refused = (name: string, value: number): boolean => !changedLimits(DEFAULT_LIMITS, [{ name, value }]).ok
  for (const [, name = '', , range = ''] of rows) {
    const least = /(?:^|from )(\d+)/.exec(range)?.[1]
    const most = /to (\d+)/.exec(range)?.[1]
    if (least !== undefined)
      expect([name, refused(name, Number(least)), refused(name, Number(least) - 1)]).toEqual([name, false, true])
    if (most !== undefined) expect([name, refused(name, Number(most) + 1)]).toEqual([name, true])
  }
})
