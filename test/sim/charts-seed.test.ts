import { afterAll, expect, test, vi } from 'vitest'
import { BOUNDARIES } from '../../src/sim/charts/effect-killer.ts'
import { type ChartsSeedResult, runChartsSeed } from '../../src/sim/charts/run-charts-seed.ts'
import { sample } from '../effort.ts'

/** A slice of `npm run sim -- --workload charts`. Eight seeds in a row have all charts. */
const SEEDS = sample(8)
const TIMEOUT_MS = sample(300_000)

// An actor that has ended warns of what is sent to it.
const warn = vi.spyOn(console, 'warn').mockImplementation(() => undefined)
afterAll(() => warn.mockRestore())

const failuresOf = (results: readonly ChartsSeedResult[]): readonly string[] =>
  results.flatMap(({ seed, failure }) => (failure === null ? [] : [`seed ${seed}: ${failure}`]))

test(`no timer of a chart is lost or doubled while leaders die at every effect, in seeds 1 to ${SEEDS}`, {
  timeout: TIMEOUT_MS,
}, () => {
  const results = Array.from({ length: SEEDS }, (_, at) => runChartsSeed(at + 1))
  expect(failuresOf(results)).toEqual([])
  const sum = (of: (result: ChartsSeedResult) => number): number => results.reduce((all, one) => all + of(one), 0)
  expect([sum(({ charts }) => charts.lost), sum(({ charts }) => charts.doubled)]).toEqual([0, 0])
  expect(sum(({ charts }) => charts.timersArmed)).toBe(sum(({ charts }) => charts.timersFired + charts.timersCancelled))
  // Seeds in which little happens would prove nothing.
  expect(sum(({ charts }) => charts.timersFired)).toBeGreaterThan(100)
  expect(sum(({ charts }) => charts.timersCancelled)).toBeGreaterThan(50)
  expect(sum(({ charts }) => charts.results)).toBeGreaterThan(10)
  expect(new Set(results.flatMap(({ machines }) => machines)).size).toBe(16)
  const struck = new Set(results.flatMap(({ kills }) => Object.keys(kills)))
  const all = BOUNDARIES.flatMap((boundary) => [`before ${boundary}`, `after ${boundary}`])
  expect(all.filter((boundary) => !struck.has(boundary))).toEqual([])
  // Equal seeds give equal results.
  expect(runChartsSeed(4)).toEqual(results[3])
})

test('an entity that a command under way makes anew is taken out after that: seed 6373', () => {
  expect(runChartsSeed(6373).failure).toBeNull()
})

// test/raft/scripts/102-heartbeat-of-a-slow-disk.txt
test('a leader that needs a node whose disk hangs now and then leads long enough for it to catch up: seed 50019', () => {
  expect(runChartsSeed(50019).failure).toBeNull()
})
