import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, expect, test } from 'vitest'
import { KeptResults } from './kept-results.ts'

let root = ''
let path = ''

beforeEach(() => {
  root = mkdtempSync(join(tmpdir(), 'holdfast-kept-'))
  path = join(root, '.mutants', 'results.json')
  for (const folder of ['src', 'test/mutants']) mkdirSync(join(root, folder), { recursive: true })
  writeFileSync(join(root, 'src', 'a.ts'), 'one')
  writeFileSync(join(root, 'test', 'a.test.ts'), 'one')
})

afterEach(() => rmSync(root, { recursive: true, force: true }))

const row = { id: 'a' }

test('a run goes on where the one before it was stopped', () => {
  new KeptResults<string>(root, path).keep(row, 'simulator', 'killed')
  const again = new KeptResults<string>(root, path)
  expect(again.get(row, 'simulator')).toBe('killed')
  expect(again.get({ id: 'b' }, 'simulator')).toBeNull()
  again.keep({ id: 'b' }, 'simulator', 'survived')
  expect(new KeptResults<string>(root, path).get(row, 'simulator')).toBe('killed')
})

test('a result does not outlive the row or the sources that it is of', () => {
  new KeptResults<string>(root, path).keep(row, 'simulator', 'killed')
  expect(new KeptResults<string>(root, path).get({ ...row, replace: 'x' }, 'simulator')).toBeNull()
  writeFileSync(join(root, 'src', 'a.ts'), 'two')
  expect(new KeptResults<string>(root, path).get(row, 'simulator')).toBeNull()
})

test('a change of tests concerns what tests must notice, and new rows concern nobody', () => {
  const kept = new KeptResults<string>(root, path)
  kept.keep(row, 'simulator', 'killed')
  kept.keep(row, 'tests', 'killed')
  writeFileSync(join(root, 'test', 'mutants', 'rows.ts'), 'a new row')
  expect(new KeptResults<string>(root, path).get(row, 'tests')).toBe('killed')
  writeFileSync(join(root, 'test', 'a.test.ts'), 'two')
  expect(new KeptResults<string>(root, path).get(row, 'tests')).toBeNull()
  expect(new KeptResults<string>(root, path).get(row, 'simulator')).toBe('killed')
})

test('a damaged file is taken for none', () => {
  new KeptResults<string>(root, path).keep(row, 'tests', 'killed')
  writeFileSync(path, '{"half":')
  expect(new KeptResults<string>(root, path).get(row, 'tests')).toBeNull()
})
