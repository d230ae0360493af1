import { expect, test } from 'vitest'
import { FAULT_NAMES } from '../../../bench/faults/nemesis/catalogue.ts'
import type { FaultFigures } from '../../../bench/faults/report/figures.ts'
import { goalsOf, MEASURED_FAULTS } from '../../../bench/faults/report/goals.ts'

const FIGURES = { perSecond: 10, p50Ms: 4, p99Ms: 40, unknown: 0 }
const TRIAL: Omit<FaultFigures, 'name'> = {
  ...{ fromMs: 0, toMs: 1, before: FIGURES, during: FIGURES, after: FIGURES, said: [], load: 1 },
  ...{ gapMs: 50, recoveredMs: 1, rateBackMs: 900, firstAnswerMs: null },
}

test('each event is held against its bounds; one that has met the moonshot has met both', () => {
  const slow = { ...TRIAL, gapMs: 251, rateBackMs: 5001 }
  const trials = { 'kill-leader': [...Array.from({ length: 98 }, () => TRIAL), { ...TRIAL, gapMs: null }, TRIAL] }
  expect(goalsOf(trials)).toMatchObject([
    {
      trials: 99,
      p50: 50,
      p99: 50,
      must: 'p50 ≤ 60, p99 ≤ 250',
      met: true,
      moonshot: 'p50 ≤ 20, p99 ≤ 60',
      moonshotMet: false,
    },
    { trials: 100, max: 900, must: 'max ≤ 5000', met: true, moonshotMet: true },
  ])
  expect(goalsOf({ 'kill-leader': [slow, TRIAL] })).toMatchObject([
    { p99: 251, met: false },
    { max: 5001, met: false },
  ])
})

test('a follower that is lost is held against the time before, and a start against its first answer', () => {
  const lost = { ...TRIAL, during: { ...FIGURES, p99Ms: 56 } }
  expect(goalsOf({ 'kill-follower': [lost] })[0]).toMatchObject({ p50: 1.4, met: true, moonshotMet: false })
  expect(goalsOf({ 'power-loss-all': [{ ...TRIAL, firstAnswerMs: 3001 }] })[0]).toMatchObject({ max: 3001, met: false })
})

test('nothing is said to be met of what was not measured', () => {
  expect(goalsOf({})).toEqual([])
  expect(goalsOf({ 'power-loss-all': [TRIAL] })[0]).toMatchObject({ trials: 0, met: null, moonshotMet: null })
})

test('faults that are measured many times are faults of the bench', () => {
  expect([...MEASURED_FAULTS].filter((name) => !FAULT_NAMES.includes(name))).toEqual([])
  expect(MEASURED_FAULTS.size).toBeGreaterThan(5)
})
