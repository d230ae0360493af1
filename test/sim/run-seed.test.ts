import { describe, expect, test } from 'vitest'
import { runSeed, type SeedResult } from '../../src/sim/run-seed.ts'
import { sample } from '../effort.ts'

/** A slice of `npm run sim`: enough to bite on every change, small enough for every test run. */
const SEEDS = sample(30)
/** As many that nobody has run before, so that each run of the tests searches a little further. */
const FRESH_SEEDS = sample(30)
/** Seconds on an idle machine, minutes on a busy one. */
const TIMEOUT_MS = sample(300_000)

describe('simulated clusters', () => {
  test(`P-01 FR-011 UPC-1 every invariant holds in seeds 1 to ${SEEDS}, and they are worth their time`, {
    timeout: TIMEOUT_MS,
  }, () => {
    const results = Array.from({ length: SEEDS }, (_, position) => runSeed(position + 1))
    expect(failuresOf(results)).toEqual([])
    const sum = (of: (result: (typeof results)[number]) => number): number =>
      results.reduce((total, result) => total + of(result), 0)
    // A run without elections, snapshots or answers would prove nothing (faults.md §4).
    expect(sum((result) => result.elections)).toBeGreaterThan(SEEDS)
    expect(sum((result) => result.snapshots)).toBeGreaterThan(SEEDS)
    expect(sum((result) => result.acks)).toBeGreaterThan(SEEDS * 20)
    expect(sum((result) => result.reads)).toBeGreaterThan(SEEDS * 20)
    // Leaders that did not know what was committed have answered some, and let others wait.
    expect(sum((result) => result.answeredInLimbo)).toBeGreaterThan(0)
    expect(sum((result) => result.waitedForLimbo)).toBeGreaterThan(0)
    expect(sum((result) => result.limboCompared)).toBeGreaterThan(0)
    expect(sum((result) => result.repairs)).toBeGreaterThan(SEEDS / 15)
    expect(sum((result) => result.memberChanges)).toBeGreaterThan(SEEDS / 4)
    expect(sum((result) => result.failedSyncs)).toBeGreaterThan(SEEDS / 30)
    expect(sum((result) => result.fillings)).toBeGreaterThan(SEEDS / 3)
    expect(sum((result) => result.leftOut)).toBeGreaterThan(SEEDS)
  })

  test(`every invariant holds in ${FRESH_SEEDS} fresh seeds`, { timeout: TIMEOUT_MS }, () => {
    const first = Math.floor(Date.now() / 1000)
    console.log(`fresh seeds; again: holdfast sim --seed ${first} --seeds ${FRESH_SEEDS}`)
    const results = Array.from({ length: FRESH_SEEDS }, (_, position) => runSeed(first + position))
    expect(failuresOf(results)).toEqual([])
  })

  test('the same seed gives the same transcript hash, another seed another one', () => {
    const [first, second] = [runSeed(7), runSeed(7)]
    expect(second).toEqual(first)
    expect(runSeed(8).hash).not.toBe(first.hash)
  })

  test('what seeds 1 and 2 do is what they did before: a change of these hashes is a change of behaviour', () => {
    expect([runSeed(1).hash, runSeed(2).hash]).toEqual(['1a391177a86b5f4d', 'd6acbeeeddb825eb'])
  })
})

function failuresOf(results: readonly SeedResult[]): readonly { seed: number; failure: string | null }[] {
  return results.filter((result) => result.failure !== null).map(({ seed, failure }) => ({ seed, failure }))
}
