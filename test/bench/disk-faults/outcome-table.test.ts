import { expect, test } from 'vitest'
import { CASES, isAsWritten, nameOf } from '../../../bench/disk-faults/cases.ts'
import { outcomeTable } from '../../../bench/disk-faults/outcome-table.ts'
import { read } from '../../tidy/tree.ts'

test('every outcome that the bench expects is written down in docs/disk-faults.md', () => {
  expect(read('docs/disk-faults.md')).toContain(outcomeTable())
})

test('each case has a name of its own, and there are a hundred and fifty', () => {
  expect(new Set(CASES.map(nameOf)).size).toBe(CASES.length)
  expect(CASES.length).toBeGreaterThanOrEqual(150)
})

test('one of several outcomes is as written, another and none is not', () => {
  const one = { file: 'marker', damage: 'flip', nodes: 1, outcome: 'serves or stops DISK_FULL' } as const
  expect([isAsWritten(one, 'serves'), isAsWritten(one, 'stops DISK_FULL')]).toEqual([true, true])
  expect([isAsWritten(one, 'stops IO_ERROR'), isAsWritten(one, null)]).toEqual([false, false])
})
