import { expect, test } from 'vitest'
import { countVerdicts, reportMarkdown } from '../../../bench/report/markdown.ts'
import { PLAN } from '../../../bench/report/plan.ts'
import type { Stored } from '../../../bench/report/stored.ts'
import { type ReportedBench, TARGETS } from '../../../bench/report/targets.ts'

const NO_CURVES = { growth: null, files: [] }

function stored(bench: ReportedBench, result: unknown): Stored {
  return {
    ...{ bench, arguments: ['--json', '--runs', '1'], quick: false, at: '2024-01-02T03:04:05.000Z', commit: 'abc' },
    ...{ node: 'v20', cpus: 2, model: 'a processor', load: [1, 2], seconds: 60, exitCode: 1, result },
  }
}

const of = (result: unknown, only: ReportedBench) => (bench: ReportedBench) =>
  bench === only ? stored(bench, result) : null

test('every one of P1 to P16 has a line, and what its bench is that the report runs', () => {
  const numbers = new Set(TARGETS.map(({ number }) => number))
  expect([...numbers]).toEqual(Array.from({ length: 16 }, (_, at) => `P${at + 1}`))
  expect(TARGETS.filter(({ bench }) => !PLAN.some((planned) => planned.bench === bench))).toEqual([])
  expect(TARGETS.filter(({ goal, next }) => goal !== undefined && next === '')).toEqual([])
})

test('a line has goal, median, range and verdict, and one that misses its goal names the next step', () => {
  const result = {
    longestWorkMs: { median: 25, min: 20, max: 30 },
    appendP99Ratio: { median: 1.2, min: 1, max: 2 },
    writeP99Ratio: { median: 1, min: 1, max: 1 },
    floor: { fdatasyncP50Ms: 0.2, fdatasyncP99Ms: 0.5, streamRttP50Ms: 0.1 },
  }
  const text = reportMarkdown(of(result, 'snapshot'), NO_CURVES)
  expect(text).toContain('| ≤ 10 ms | – | 25 ms | 20 to 30 | **missed**, 2.5 of the goal |')
  expect(text).toContain('| ≤ 1.5 × | – | 1.2 × | 1 to 2 | met |')
  expect(text).toContain('- **P8, longest own work in one turn, snapshot under load.**')
  expect(text).not.toContain('- **P8, p99 of appends')
  expect(text).toContain('| snapshot | `--runs 1` | 2024-01-02 03:04 | abc | v20 | 1, 2 | 60 | 1 | 0.2/0.5, 0.1 |')
  expect(text).toContain('| throughput | not run |')
  expect(countVerdicts(of(result, 'snapshot'))).toMatchObject({ missed: 1, met: 2, absent: TARGETS.length - 3 })
})

test('a peer that is not there is skipped with its reason, and a quick run says that it was one', () => {
  const result = {
    peers: { restate: { skipped: 'not installed' }, dbos: { ratio: { median: 20.123456, min: 9, max: 21 } } },
  }
  const quick = (bench: ReportedBench) => (bench === 'throughput' ? { ...stored(bench, result), quick: true } : null)
  const text = reportMarkdown(quick, NO_CURVES)
  expect(text).toContain('| ≥ 10 × Restate | – | – | – | skipped: not installed |')
  expect(text).toContain('| 20.1 × DBOS | 9 to 21 | met, of a quick run |')
  expect(text).toContain('its bench did not say')
})

test('curves stand in the report with their tables', () => {
  const point = { at: 65_536, perSecond: { median: 1200, min: 1000, max: 1300 }, p99Ms: { median: 7, min: 7, max: 7 } }
  const growth = { nodes: [], payload: [point], sessions: [] }
  const text = reportMarkdown(() => null, { growth, files: ['growth-payload.svg'] })
  expect(text).toContain('![growth-payload.svg](growth-payload.svg)')
  expect(text).toContain('| 65,536 | 1,200 | 1,000 to 1,300 | 7 |')
  expect(text).not.toContain('| nodes |')
})
