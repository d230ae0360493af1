import { expect, test } from 'vitest'
import { runSchedulesSeed, type SchedulesSeedResult } from '../../src/sim/schedules/run-schedules-seed.ts'
import { sample } from '../effort.ts'

/** A slice of `npm run sim -- --workload schedules`. */
const FIRST = 9
const SEEDS = sample(8)
const FRESH_SEEDS = sample(2)
const TIMEOUT_MS = sample(300_000)

const failuresOf = (results: readonly SchedulesSeedResult[]): readonly string[] =>
  results.flatMap(({ seed, failure }) => (failure === null ? [] : [`seed ${seed}: ${failure}`]))

test(`each occurrence runs once or is left out for a stated reason, in ${SEEDS} seeds from ${FIRST} on`, {
  timeout: TIMEOUT_MS,
}, () => {
  const results = Array.from({ length: SEEDS }, (_, at) => runSchedulesSeed(FIRST + at))
  expect(failuresOf(results)).toEqual([])
  // Seeds in which nothing of a kind happens would prove nothing of it.
  const fates = ['ran', 'waited', 'backfilled', 'failed', 'skipped', 'missed', 'cancelled'] as const
  for (const kind of [...fates, 'leaps', 'steps'] as const) {
    expect(
      results.reduce((sum, { schedules }) => sum + schedules[kind], 0),
      kind,
    ).toBeGreaterThan(0)
  }
  expect(runSchedulesSeed(FIRST + 1)).toEqual(results[1])
})

test(`and in ${FRESH_SEEDS} fresh seeds`, { timeout: TIMEOUT_MS }, () => {
  const first = Math.floor(Date.now() / 1000)
  console.log(`fresh seeds; again: holdfast sim --workload schedules --seed ${first} --seeds ${FRESH_SEEDS}`)
  expect(failuresOf(Array.from({ length: FRESH_SEEDS }, (_, at) => runSchedulesSeed(first + at)))).toEqual([])
})

// A schedule was put twice before the session layer had the version since which it owes what nobody has computed.
test('what is owed is owed since the version of the session layer that keeps it', { timeout: TIMEOUT_MS }, () => {
  expect([700_601, 700_619, 701_671].map((seed) => runSchedulesSeed(seed).failure)).toEqual([null, null, null])
})
