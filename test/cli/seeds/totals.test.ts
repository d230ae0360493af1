import { expect, test } from 'vitest'
import { addFailure, addSeed, emptyTotals, summary } from '../../../src/cli/seeds/totals.ts'

test('a seed that failed is told with its workload: seeds of all workloads have the same numbers', () => {
  const totals = emptyTotals()
  const did = { events: 10, simSeconds: 1, acks: 2, elections: 1, snapshots: 0, installs: 0, hash: '' }
  addSeed(totals, { seed: 7, failure: null, ...did }, 'counter')
  addSeed(totals, { seed: 7, failure: 'Violation: exactly once', ...did }, 'board')
  addSeed(totals, { seed: 8, failure: 'Violation: exactly once', ...did }, 'waits')
  expect(totals).toMatchObject({ seeds: 3, failures: 2, events: 30 })
  expect(totals.failedSeeds).toEqual([
    { workload: 'board', seed: 7 },
    { workload: 'waits', seed: 8 },
  ])
  expect(summary(totals)).toMatch(/: 2 failed: board 7, waits 8$/)
})

test('a seed that fails here and in another process is one that failed', () => {
  const totals = emptyTotals()
  for (const seed of [100, 100, 200]) addFailure(totals, { workload: 'board', seed })
  expect(totals).toMatchObject({ failures: 2, failedSeeds: [{ seed: 100 }, { seed: 200 }] })
})
