import { expect, test } from 'vitest'
import { type BoardSeedResult, runBoardSeed } from '../../src/sim/board/run-board-seed.ts'
import { sample } from '../effort.ts'

/** A slice of `npm run sim -- --workload board`. */
const SEEDS = sample(8)
const FRESH_SEEDS = sample(2)
const TIMEOUT_MS = sample(300_000)

const failuresOf = (results: readonly BoardSeedResult[]): readonly string[] =>
  results.flatMap(({ seed, failure }) => (failure === null ? [] : [`seed ${seed}: ${failure}`]))

test(`subscribers miss nothing unsaid, indexes answer as scans do and no request is lost, in seeds 1 to ${SEEDS}`, {
  timeout: TIMEOUT_MS,
}, () => {
  const results = Array.from({ length: SEEDS }, (_, at) => runBoardSeed(at + 1))
  expect(failuresOf(results)).toEqual([])
  // Seeds in which nothing of a kind happens would prove nothing of it.
  const kinds = ['values', 'compacted', 'lookups', 'evicted', 'acknowledged', 'dead', 'redriven'] as const
  const fates = ['discarded', 'dropped', 'replaced', 'ended'] as const
  for (const kind of [...kinds, ...fates]) {
    expect(
      results.reduce((sum, { board }) => sum + board[kind], 0),
      kind,
    ).toBeGreaterThan(0)
  }
  expect(runBoardSeed(2)).toEqual(results[1])
})

test(`nor in ${FRESH_SEEDS} fresh seeds`, { timeout: TIMEOUT_MS }, () => {
  const first = Math.floor(Date.now() / 1000)
  console.log(`fresh seeds; again: holdfast sim --workload board --seed ${first} --seeds ${FRESH_SEEDS}`)
  expect(failuresOf(Array.from({ length: FRESH_SEEDS }, (_, at) => runBoardSeed(first + at)))).toEqual([])
})
