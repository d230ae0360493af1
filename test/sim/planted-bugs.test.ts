import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
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
