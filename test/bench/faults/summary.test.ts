import { expect, test } from 'vitest'
import type { Operation, Step } from '../../../bench/faults/history.ts'
import { chartOf, drawn } from '../../../bench/faults/report/chart.ts'
import { figuresOf } from '../../../bench/faults/report/figures.ts'
import { pageOf } from '../../../bench/faults/report/html.ts'
import { type StoredCell, summaryOf } from '../../../bench/faults/report/summary.ts'

const STEP: Step = { id: '', f: 'register.read', key: 'r', a: 0, b: 0, to: '' }
const BEGAN = 1_000_000_000n
const ns = (seconds: number): number => seconds * 1e9

function answered(atSeconds: number, tookMs: number): Operation {
  const completedNs = ns(atSeconds)
  const told = { step: STEP, query: true, type: 'ok', reply: 'null', index: 1 } as const
  return { process: 1, ...told, invokedNs: completedNs - tookMs * 1e6, completedNs }
}

/** Ten answers a second, none between the fault and its end, and again from half a second behind it. */
const OPERATIONS: readonly Operation[] = [
  ...Array.from({ length: 100 }, (_, at) => answered(at / 10, at % 10 === 0 ? 40 : 4)),
  { ...answered(10, 1), type: 'info', invokedNs: ns(10.5), completedNs: Number.POSITIVE_INFINITY },
  { ...answered(15, 4), type: 'fail' },
  ...Array.from({ length: 100 }, (_, at) => answered(14.5 + at / 10, 4)),
]
const STRUCK = {
  ...{
    name: 'kill-leader',
    struckNs: BEGAN + 10_000_000_000n,
    healedNs: BEGAN + 14_000_000_000n,
    startedNs: BEGAN + 13_000_000_000n,
  },
  ...{ recoveredMs: 700, gapMs: 4500, said: ['<said>'], diverged: false, load: 1 },
}
const FIGURES = figuresOf(STRUCK, OPERATIONS, BEGAN)
const CELL: StoredCell = {
  name: 'all',
  verdict: {
    lost: 0,
    duplicated: 0,
    phantom: 0,
    disordered: 0,
    wrongReply: 0,
    unbalanced: 0,
    violated: 0,
    refused: 0,
    undecided: 0,
    examples: [],
  },
  ...{ unserved: false, faults: [FIGURES], late: [], crashes: [], lostSessions: [], unhandledRejections: 0 },
  ...{
    steps: 4000,
    diverged: false,
    unrecovered: [],
    counts: { ok: 200, fail: 0, info: 1 },
    ...{ idle: [], sessions: 9, callbacks: 60 },
    elections: 2,
    snapshotIndex: 7,
  },
  ...{ probe: { acknowledged: 5, failed: 0 }, chart: chartOf(OPERATIONS, [seen(0, 'leader'), seen(500, 'leader')]) },
}
const RUN = { seed: 1, commit: 'c', seconds: 20, skipped: { loss: 'no iptables' } }

function seen(atMs: number, role: string) {
  return { atMs, node: 'n1', role, term: 2 }
}

test('rates and latencies are told before, during and after a fault, and when the rate was back', () => {
  expect(FIGURES).toMatchObject({
    fromMs: 10_000,
    toMs: 14_000,
    gapMs: 4500,
    recoveredMs: 700,
    rateBackMs: 500,
    firstAnswerMs: 1500,
  })
  expect(FIGURES.before).toEqual({ perSecond: 10, p50Ms: 4, p99Ms: 40, unknown: 0 })
  expect(FIGURES.during).toEqual({ perSecond: 0, p50Ms: null, p99Ms: null, unknown: 1 })
  expect(FIGURES.after).toEqual({ perSecond: 10, p50Ms: 4, p99Ms: 4, unknown: 0 })
})

test('a rate that is not back within five seconds is told as such', () => {
  const slow = OPERATIONS.filter(({ completedNs }) => completedNs < ns(14) || completedNs >= ns(20.5))
  expect(figuresOf(STRUCK, slow, BEGAN).rateBackMs).toBeNull()
})

test('cells add up, and what is skipped or late is named', () => {
  const summary = summaryOf([CELL, { ...CELL, name: 'other', late: ['bridge'] }], RUN)
  expect(summary).toMatchObject({ ok: true, anomalies: 0, unknown: 0, lost: 0, snapshots: true, elections: 4 })
  expect(summary.counts).toEqual({ ok: 400, fail: 0, info: 2 })
  expect(summary.faults['kill-leader']).toHaveLength(2)
  expect(Object.keys(summary.skipped)).toEqual(['loss', 'bridge'])
})

test.each<[string, Partial<StoredCell>, object]>([
  ['a step that is not allowed', { verdict: { ...CELL.verdict, refused: 1 } }, { anomalies: 1 }],
  ['a lost command', { verdict: { ...CELL.verdict, lost: 2 } }, { anomalies: 2, lost: 2 }],
  ['two states of one index', { diverged: true }, { anomalies: 1 }],
  ['a process that ended by itself', { crashes: ['n1 ended by itself: 1'] }, { anomalies: 0 }],
  ['a session that was lost', { lostSessions: ['lane 1: SESSION_EXPIRED'] }, { anomalies: 0 }],
  ['a cluster that did not recover', { unrecovered: ['bridge'] }, { anomalies: 0 }],
  ['a rejection that nobody heard', { unhandledRejections: 1 }, { anomalies: 0 }],
  ['a workload of which nothing was answered', { idle: ['payments'] }, { idle: ['payments'] }],
  ['a cluster that did not serve at the end', { unserved: true }, { unknown: 1 }],
])('%s is not ok', (_, wrong, told) => {
  expect(summaryOf([CELL, { ...CELL, ...wrong }], RUN)).toMatchObject({ ok: false, ...told })
})

test('the page has a row per fault, a picture per cell, and no text of others as markup', () => {
  const page = pageOf(summaryOf([CELL], RUN), [CELL])
  expect(page).toContain('<td>kill-leader</td><td>1</td><td>4500</td>')
  expect(page).toContain('&lt;said>')
  expect(page).not.toContain('<said>')
  expect(page).toContain('loss: no iptables')
  expect(page.match(/<svg /g)).toHaveLength(1)
})

test('the picture shows each fault as a band, a line of rates, and the changes of each node alone', () => {
  const picture = drawn(CELL.chart, [FIGURES])
  expect(CELL.chart.rates).toHaveLength(25)
  expect(CELL.chart.seen).toHaveLength(1)
  expect(picture.match(/<circle /g)).toHaveLength(200)
  expect(picture.match(/opacity="0.25"/g)).toHaveLength(1)
  expect(picture).toContain('>n1</text>')
})
