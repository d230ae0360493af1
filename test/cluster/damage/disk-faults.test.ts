import { beforeAll, expect, test } from 'vitest'
import { CASES, nameOf } from '../../../bench/disk-faults/cases.ts'
import { runCases } from '../../../bench/disk-faults/disk-faults.ts'
import { compileOnce } from '../processes.ts'

/** A few of `npm run bench -- disk-faults`, one of each kind of outcome and those that were wrong once. */
const SOME = [
  'newest-segment/flip/of-three',
  'newest-segment/eio-write/of-three',
  'marker/truncate/of-three',
  'older-segment/flip/of-three',
  'level-current/flip/of-three',
  'current/truncate/of-three',
  'newest-segment/flip/alone',
  'newest-segment/enospc/alone',
  'level-log/eio-read/alone',
  'identity/flip/alone',
  'manifest/flip/alone',
  'trail/flip/alone',
]

/** Half a minute on an idle machine, several on a busy one. */
const TIMEOUT_MS = 900_000

beforeAll(compileOnce)

test('faults of single files of real nodes lead to what is written down, and nothing acknowledged is lost', {
  timeout: TIMEOUT_MS,
}, async () => {
  const cases = CASES.filter((one) => SOME.includes(nameOf(one)))
  expect(cases).toHaveLength(SOME.length)
  const { byCase, lost, undetected, unrepaired, skipped } = await runCases(cases)
  for (const [name, reason] of Object.entries(skipped)) console.warn(`skipped: ${name}: ${reason}`)
  expect(byCase.filter(({ ok }) => !ok)).toEqual([])
  expect([lost, undetected, unrepaired]).toEqual([0, 0, 0])
})
