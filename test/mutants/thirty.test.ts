import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { describe, expect, test } from 'vitest'
import { read } from '../tidy/tree.ts'
import { exitCodeOf, summaryOf } from './report.ts'
import { searchSeeds, SWARM } from './simulated-trial.ts'
import { CANARY, MUTANTS } from './table.ts'
import { THIRTY } from './thirty.ts'
import type { Trial } from './trial.ts'

const root = new URL('../..', import.meta.url).pathname

/** Seeds within which the canary has always been found: in the third. */
const CANARY_SEEDS = 20

describe('the thirty planted bugs', () => {
  test('faults.md §3 are thirty, and each is a row of its own of the table of planted bugs', () => {
    expect(THIRTY.map(({ number }) => number)).toEqual(Array.from({ length: 30 }, (_, at) => at + 1))
    const ids = THIRTY.map(({ id }) => id)
    expect(new Set(ids).size).toBe(30)
    const planted = new Set(MUTANTS.map(({ id }) => id))
    expect(ids.filter((id) => !planted.has(id))).toEqual([])
    expect(THIRTY[6]?.id).toBe(CANARY)
  })

  test('stand in testing.md, each with the row that it is here', () => {
    const rows = [...read('docs/testing.md').matchAll(/^\| (\d+) \| ([^|]+) \| `([^`]+)` \|/gm)]
    expect(rows.map(([, number, bug, id]) => ({ number: Number(number), bug, id }))).toEqual(THIRTY)
  })

  test('faults.md §3 the canary is found by random seeds in every run of the tests', { timeout: 300_000 }, async () => {
    const canary = MUTANTS.find(({ id }) => id === CANARY) ?? null
    const copy = mkdtempSync(join(tmpdir(), 'holdfast-canary-'))
    try {
      const search = { ...SWARM, seeds: CANARY_SEEDS }
      const { failure } = await searchSeeds({ root, copy: join(copy, 'tree'), mutant: canary, search })
      expect(failure, 'the simulator, or what plants bugs in it, notices nothing').not.toBeNull()
    } finally {
      rmSync(copy, { recursive: true, force: true })
    }
  })
})

const trial = (id: string, layer: Trial['layer'], verdict: Trial['verdict']): Trial => ({
  ...{ id, layer, verdict },
  ...{ name: '', suite: '', by: '', seconds: 1, seeds: null },
})

describe('what a run of planted bugs says', () => {
  test('counts what random seeds find beside what the layers find that are named', () => {
    const [first, second] = [THIRTY[0]?.id ?? '', THIRTY[1]?.id ?? '']
    const trials = [
      trial(first, 'tests', 'killed'),
      trial('a/b', 'tests', 'survived'),
      trial(second, 'benchmark', 'untried'),
      trial(first, 'swarm', 'killed'),
      trial(second, 'swarm', 'survived'),
    ]
    expect(summaryOf(trials, { canary: CANARY, thirty: THIRTY, seconds: 2 }).json).toMatchObject({
      ...{ total: 3, killed: 1, survived: ['a/b'], untried: [second], broken: [], canary: null },
      thirty: { of: 2, killed: 1 },
      swarm: { of: 2, killed: 1, survived: [second] },
    })
  })

  test('is an error where a bug survives what is named beside it, or random seeds find fewer than 20 of the thirty', () => {
    const found = (count: number): Trial[] =>
      THIRTY.map(({ id }, at) => trial(id, 'swarm', at < count ? 'killed' : 'survived'))
    expect(exitCodeOf([...found(20), trial('a/b', 'tests', 'killed')])).toBe(0)
    expect(exitCodeOf(found(19))).toBe(1)
    expect(exitCodeOf([...found(30), trial('a/b', 'tests', 'survived')])).toBe(1)
    expect(exitCodeOf([trial('a/b', 'tests', 'broken')])).toBe(1)
  })
})
