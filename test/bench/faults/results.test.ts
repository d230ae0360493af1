import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { Results } from '../../../bench/faults/report/results.ts'
import type { StoredCell } from '../../../bench/faults/report/summary.ts'

let folder = ''
beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), 'holdfast-results-'))
})
afterAll(() => rmSync(folder, { recursive: true, force: true }))

test('a kept cell stands for one of the same run with as many faults, and for no other', () => {
  const cell = { name: 'kill-all', faults: [{ name: 'kill-all' }], late: ['kill-all'] } as unknown as StoredCell
  new Results(folder, 'c-seed-1').keep(cell)
  expect(new Results(folder, 'c-seed-1').of('kill-all', 2)).toEqual(cell)
  expect(new Results(folder, 'c-seed-1').of('kill-all', 20)).toBeNull()
  expect(new Results(folder, 'c-seed-2').of('kill-all', 2)).toBeNull()
  expect(new Results(folder, 'c-seed-1').of('kill-leader', 2)).toBeNull()
})
