import { expect, test } from 'vitest'
import { checkMachine, machineHarness } from '../../../src/testing/index.ts'
import { sample } from '../../effort.ts'
import { reports } from './reports.ts'

const BERLIN = { shop: 'berlin', cron: '30 6 * * mon-fri', zone: 'Europe/Berlin' }

test('the machine of docs/concepts/schedules.md does what the page says', () => {
  // A Sunday, before the clocks of Berlin are put back a week later.
  const harness = machineHarness([reports], { nowMs: Date.parse('2026-10-18T12:00Z') })
  const ada = harness.session('user:ada')
  const writer = harness.session('worker:w', { roles: ['writer'] })
  expect(ada.machines.reports.plan(BERLIN)).toEqual({ kind: 'ok', value: null })
  const written = () =>
    harness.table('reports', 'reports').map(([[, at], { status }]) => [new Date(at).toISOString().slice(0, 16), status])
  harness.advance('990m')
  expect(written()).toEqual([['2026-10-19T04:30', 'asked']])
  const [task] = harness.tasks
  if (task === undefined) throw new Error('a report is to be written')
  writer.complete(task, { pages: 7 })
  expect(written()).toEqual([['2026-10-19T04:30', '7 pages']])
  expect(harness.schedules).toMatchObject([{ name: 'daily/berlin', open: [], runs: 1 }])
  expect(ada.machines.reports.pause('berlin')).toEqual({ kind: 'ok', value: true })
  harness.advance('6d')
  expect(ada.machines.reports.resume('berlin')).toEqual({ kind: 'ok', value: true })
  harness.advance('1500m')
  // Winter time: half past six is an hour later.
  expect(written().at(-1)).toEqual(['2026-10-26T05:30', 'asked'])
  const [next] = harness.schedules
  expect(next?.next).toBe(Date.parse('2026-10-27T05:30Z'))
})

test('a bad expression is refused before the log, with its place', () => {
  const harness = machineHarness([reports])
  const ada = harness.session('user:ada')
  const refused = ada.machines.reports.plan({ ...BERLIN, cron: '0 30 6 * * mon-fri' })
  expect(refused).toMatchObject({ kind: 'rejected', code: 'VALIDATION_ERROR' })
  expect(JSON.stringify(refused)).toContain('at character 12: there are five fields')
  expect(ada.machines.reports.plan({ ...BERLIN, zone: 'Berlin time' })).toMatchObject({ code: 'VALIDATION_ERROR' })
})

test('and does the same on every replica, after snapshots, redelivery and the end of sessions', async () => {
  const shops = ['a', 'b']
  const crons = ['0 * * * *', '30 2 * * *']
  let waiting = 0
  const report = await checkMachine(reports, {
    runs: sample(20),
    inputs: {
      again: shops.map((shop) => ({ shop, from: 1_699_990_000_000, to: 1_700_000_000_000 })),
      plan: shops.flatMap((shop) => crons.map((cron) => ({ shop, cron, zone: 'America/New_York' }))),
      pause: shops,
      resume: shops,
      drop: shops,
      next: shops,
    },
    invariants: {
      'no report is asked for twice': ({ reports: rows }, _read, { tasks }) => {
        waiting += tasks.length
        return (
          new Set(tasks.map(({ ref, payload }) => `${ref} ${JSON.stringify(payload)}`)).size === tasks.length &&
          rows !== null
        )
      },
    },
  })
  expect(report.entries).toBeGreaterThan(100)
  expect(waiting).toBeGreaterThan(0)
})
