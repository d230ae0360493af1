import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { MUTANTS } from '../mutants/table.ts'
import { SIMULATOR } from '../mutants/rows/simulator.ts'
import { PROMISES } from '../mutants/rows/thirty.ts'
import { searchSeeds } from '../mutants/simulated-trial.ts'

/** Planted bugs that the simulator must find (faults.md §3), and none where nothing is planted. */
const root = new URL('../..', import.meta.url).pathname
let directory = ''

beforeAll(() => {
  directory = mkdtempSync(join(tmpdir(), 'holdfast-planted-'))
})

afterAll(() => {
  rmSync(directory, { recursive: true, force: true })
})

/** Of those in the core, what seeds of the core alone must find too, whoever else does. */
const IN_THE_CORE: readonly string[] = [
  'promises/vote-told-before-it-is-durable',
  'foreign/memory-acknowledged',
  'promises/reply-overtakes-an-earlier-write',
  'explorer/leader-counts-itself-before-its-disk',
  'simulator/earlier-term-committed-by-counting',
  'raft/prev-log-term-ignored',
  'foreign/matching-entries-deleted',
  'foreign/hint-is-match',
  'explorer/last-index-acknowledged',
  'foreign/commit-beyond-log',
  'simulator/vote-without-log-check',
  'promises/half-rounded-up-is-a-quorum',
  'raft/configuration-in-force-at-commit',
  'promises/learner-counted',
  'simulator/read-without-round',
  'promises/lease-without-end',
]

describe('seeds of the core alone find planted bugs', () => {
  for (const [position, id] of IN_THE_CORE.entries()) {
    const mutant = MUTANTS.find((each) => each.id === id) ?? null
    test(`faults.md §3 found within 300 seeds: ${mutant?.breaks}`, { timeout: 300_000 }, async () => {
      expect(mutant, id).not.toBeNull()
      const copy = join(directory, `core-${position}`)
      const { failure } = await searchSeeds({ root, copy, mutant, search: { workloads: ['core'], seeds: 300 } })
      expect(failure, 'no seed found the bug').not.toBeNull()
    })
  }
})

describe('the simulator finds planted bugs', () => {
  test('faults.md §3 the unmutated copy raises no alarm', async () => {
    const copy = join(directory, 'unmutated')
    const { failure } = await searchSeeds({ root, copy, mutant: null, search: { workloads: ['counter'], seeds: 40 } })
    expect(failure).toBeNull()
  })

  for (const [position, mutant] of [...SIMULATOR, ...PROMISES].entries()) {
    const { caughtBy } = mutant
    if (caughtBy.kind !== 'simulator') continue
    const { seeds, workload = 'counter' } = caughtBy
    test(`faults.md §3 found within ${seeds} seeds: ${mutant.breaks}`, { timeout: 300_000 }, async () => {
      const copy = join(directory, `bug-${position}`)
      const { failure } = await searchSeeds({ root, copy, mutant, search: { workloads: [workload], seeds } })
      expect(failure, 'no seed found the bug').not.toBeNull()
    })
  }
})
