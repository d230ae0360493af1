import { expect, test } from 'vitest'
import { runWaitsSeed, type WaitsSeedResult } from '../../src/sim/waits/run-waits-seed.ts'
import { sample } from '../effort.ts'

/** A slice of `npm run sim -- --workload waits`. */
const SEEDS = sample(8)
const FRESH_SEEDS = sample(2)
const TIMEOUT_MS = sample(300_000)

const failuresOf = (results: readonly WaitsSeedResult[]): readonly string[] =>
  results.flatMap(({ seed, failure }) => (failure === null ? [] : [`seed ${seed}: ${failure}`]))

test(`no wait misses its signal, and none is told twice, in seeds 1 to ${SEEDS}`, { timeout: TIMEOUT_MS }, () => {
  const results = Array.from({ length: SEEDS }, (_, at) => runWaitsSeed(at + 1))
  expect(failuresOf(results)).toEqual([])
  // Seeds without ends of every kind would prove nothing.
  for (const end of ['races', 'kept', 'timedOut', 'ownerEnded', 'cancelled', 'refused'] as const) {
    expect(
      results.reduce((sum, { waits }) => sum + waits[end], 0),
      end,
    ).toBeGreaterThan(0)
  }
  expect(runWaitsSeed(2)).toEqual(results[1])
})

test(`nor in ${FRESH_SEEDS} fresh seeds`, { timeout: TIMEOUT_MS }, () => {
  const first = Math.floor(Date.now() / 1000)
  console.log(`fresh seeds; again: holdfast sim --workload waits --seed ${first} --seeds ${FRESH_SEEDS}`)
  expect(failuresOf(Array.from({ length: FRESH_SEEDS }, (_, at) => runWaitsSeed(first + at)))).toEqual([])
})

// Segments were let go of while the truncation of what they held waited for room on the disk.
test('no segment goes before a truncation of what it holds has its place', { timeout: TIMEOUT_MS }, () => {
  expect(runWaitsSeed(700_479).failure).toBeNull()
})
