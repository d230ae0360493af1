import { describe, expect, test } from 'vitest'
import { runSeed } from '../../src/sim/run-seed.ts'
import { sample } from '../effort.ts'

/** A slice of `npm run sim`: enough to bite on every change, small enough for every test run. */
const SEEDS = sample(60)

describe('simulated clusters', () => {
  test(`P-01 FR-011 UPC-1 every invariant holds in seeds 1 to ${SEEDS}, and they are worth their time`, () => {
    const results = Array.from({ length: SEEDS }, (_, position) => runSeed(position + 1))
    const failures = results.filter((result) => result.failure !== null).map(({ seed, failure }) => ({ seed, failure }))
    expect(failures).toEqual([])
    const sum = (of: (result: (typeof results)[number]) => number): number =>
      results.reduce((total, result) => total + of(result), 0)
    // A run without elections, snapshots or answers would prove nothing (faults.md §4).
    expect(sum((result) => result.elections)).toBeGreaterThan(SEEDS)
    expect(sum((result) => result.snapshots)).toBeGreaterThan(SEEDS)
    expect(sum((result) => result.acks)).toBeGreaterThan(SEEDS * 20)
  })

  test('the same seed gives the same transcript hash, another seed another one', () => {
    const [first, second] = [runSeed(7), runSeed(7)]
    expect(second).toEqual(first)
    expect(runSeed(8).hash).not.toBe(first.hash)
  })

  test('a cluster that has not bootstrapped when the faults end gets all its voters back, for that takes every one', () => {
    expect(runSeed(407)).toMatchObject({ failure: null })
  })

  test("the SDK opens a session although the first leader's median of clocks moves by minutes", () => {
    for (const seed of [1576, 2434, 2537]) expect(runSeed(seed)).toMatchObject({ seed, failure: null })
  })

  test('what seeds 1 and 2 do is what they did before: a change of these hashes is a change of behaviour', () => {
    expect([runSeed(1).hash, runSeed(2).hash]).toEqual(['ef7709cfc850d26a', '4afe33d45e8bce82'])
  })
})
