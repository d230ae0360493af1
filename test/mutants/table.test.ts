import { existsSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, test } from 'vitest'
import { FAULT_NAMES } from '../../bench/faults/nemesis/catalogue.ts'
import { type Mutant, misfit } from './mutant.ts'
import { CANARY, MUTANTS } from './table.ts'

const root = new URL('../..', import.meta.url).pathname

describe('the table of planted bugs', () => {
  test('faults.md §3 every replacement fits the sources of today exactly once', () => {
    const misfits = MUTANTS.map((mutant) => misfit(mutant, readFileSync(join(root, mutant.file), 'utf8')))
    expect(misfits.filter((wrong) => wrong !== null)).toEqual([])
  })

  test('every row has an id of its own that begins with its suite, and names tests that are there', () => {
    const ids = MUTANTS.map((mutant) => mutant.id)
    expect(ids).toEqual([...new Set(ids)])
    for (const { id, caughtBy } of MUTANTS) {
      expect(id).toMatch(/^[a-z]+\/[a-z0-9-]+$/)
      for (const file of caughtBy.kind === 'tests' ? caughtBy.files : [])
        expect(existsSync(join(root, file)), id).toBe(true)
      const faults = caughtBy.kind === 'benchmark' ? caughtBy.faults : []
      expect(
        faults.filter((name) => !FAULT_NAMES.includes(name)),
        id,
      ).toEqual([])
    }
    expect(ids).toContain(CANARY)
  })

  test('a replacement that no longer fits is told', () => {
    const row: Mutant = {
      id: 'storage/x',
      breaks: 'nothing',
      file: 'a.ts',
      find: 'a(b)',
      replace: 'c(b)',
      caughtBy: { kind: 'simulator', seeds: 1 },
    }
    expect(misfit(row, 'a(b)')).toBeNull()
    expect(misfit(row, 'a(c)')).toContain('0 times')
    expect(misfit(row, 'a(b) + a(b)')).toContain('2 times')
    expect(misfit({ ...row, replace: row.find }, 'a(b)')).toContain('by itself')
  })
})
