import { expect, test } from 'vitest'
import { type Figure, figureOf, verdictOf } from '../../../bench/report/figures.ts'

const measured = (median: number, min = median, max = median): Figure => ({
  kind: 'measured',
  value: { median, min, max },
})
const at = (median: number) => ({ median, min: 0, max: 100 })

test('a figure is a number, a spread or a list of numbers, wherever it stands', () => {
  const result = {
    seconds: 3,
    nodes: { heap: [500, 700, 600] },
    points: [
      { inFlight: 1, perSecond: at(10) },
      { inFlight: 1000, perSecond: at(20) },
    ],
  }
  expect(figureOf({ at: 'seconds' }, result)).toEqual(measured(3))
  expect(figureOf({ at: 'nodes.heap' }, result)).toEqual(measured(600, 500, 700))
  expect(figureOf({ at: 'points.inFlight=1000.perSecond' }, result)).toEqual(measured(20, 0, 100))
  for (const path of ['minutes', 'nodes', 'points.inFlight=2.perSecond', 'seconds.more', 'points.perSecond'])
    expect(figureOf({ at: path }, result)).toEqual({ kind: 'absent' })
})

test('a figure over another one is divided by its median', () => {
  const result = { p50Ms: { median: 3, min: 2, max: 8 }, floorMs: 0.5, etcd: { skipped: 'no etcd' } }
  expect(figureOf({ at: 'p50Ms', over: 'floorMs' }, result)).toEqual(measured(6, 4, 16))
  expect(figureOf({ at: 'p50Ms', over: 'etcd.p50Ms' }, result)).toEqual({ kind: 'skipped', reason: 'no etcd' })
})

test('what is skipped says why, also where another place says so', () => {
  const result = { peers: { dbos: { skipped: 'no DBOS' } }, ratioToEtcd: null, etcd: { skipped: 'no etcd' } }
  expect(figureOf({ at: 'peers.dbos.ratio' }, result)).toEqual({ kind: 'skipped', reason: 'no DBOS' })
  expect(figureOf({ at: 'ratioToEtcd', peer: 'etcd' }, result)).toEqual({ kind: 'skipped', reason: 'no etcd' })
  expect(figureOf({ at: 'ratioToEtcd' }, result)).toEqual({ kind: 'absent' })
  expect(figureOf({ at: 'ratioToEtcd', peer: 'etcd' }, { etcd: at(5) })).toEqual({ kind: 'absent' })
})

test('a verdict is that of the median, and the goal counts before what is wanted now', () => {
  const least = { goal: { least: 10 }, wanted: 6 }
  expect([10, 9.99, 6, 5.99].map((median) => verdictOf(least, at(median)))).toEqual([
    'met',
    'wanted',
    'wanted',
    'missed',
  ])
  const most = { goal: { most: 130 }, wanted: 200 }
  expect([130, 131, 200, 201].map((median) => verdictOf(most, at(median)))).toEqual([
    'met',
    'wanted',
    'wanted',
    'missed',
  ])
  expect(verdictOf({ goal: { most: 1 } }, at(2))).toBe('missed')
  expect(verdictOf({}, at(2))).toBe('reported')
})
