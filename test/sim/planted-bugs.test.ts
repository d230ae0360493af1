import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { SIMULATOR } from '../mutants/rows/simulator.ts'
import { firstFailingSeed } from '../mutants/simulated-trial.ts'

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
    expect(await firstFailingSeed({ root, copy, mutant: null, seeds: 40 })).toBeNull()
  })

  for (const [position, mutant] of SIMULATOR.entries()) {
    const { caughtBy } = mutant
    const seeds = caughtBy.kind === 'simulator' ? caughtBy.seeds : 0
    test(`faults.md §3 found within ${seeds} seeds: ${mutant.breaks}`, { timeout: 300_000 }, async () => {
      const failure = await firstFailingSeed({ root, copy: join(directory, `bug-${position}`), mutant, seeds })
      expect(failure, 'no seed found the bug').not.toBeNull()
    })
  }
})
