import { readdirSync } from 'node:fs'
import { describe, expect, test } from 'vitest'
import { MUTANTS } from '../../mutants/table.ts'
import { testNamesIn } from '../../tidy/requirements.ts'
import { read } from '../../tidy/tree.ts'

const FOLDER = 'test/raft/foreign'
const page = read('docs/testing.md')

interface Row {
  readonly file: string
  /** System and number, as the test's name begins. */
  readonly bug: string
  readonly address: string
  readonly planted: readonly string[]
}

/** The rows of the page, each with the file of tests that was named last above it. */
function rowsOf(text: string): Row[] {
  const rows: Row[] = []
  let file = ''
  for (const line of text.split('\n')) {
    file = /^Tests: \[([^\]]+)\]/.exec(line)?.[1] ?? file
    const cells = /^\| (\S+) \| \[([^\]]+)\]\((\S+)\) \| .+ \| (.+) \|$/.exec(line)
    if (cells === null) continue
    const [, system = '', number = '', address = '', planted = ''] = cells
    rows.push({
      file,
      bug: `${system} ${number}`,
      address,
      planted: [...planted.matchAll(/`([^`]+)`/g)].map(([, id]) => id ?? ''),
    })
  }
  return rows
}

const rows = rowsOf(page)
const files = readdirSync(new URL('.', import.meta.url)).filter(
  (name) => name.endsWith('.test.ts') && name !== 'table.test.ts',
)

describe('the page of bugs of other systems', () => {
  test('has at least 40, from many systems, each once and with its address', () => {
    expect(rows.length).toBeGreaterThanOrEqual(40)
    expect(new Set(rows.map(({ bug }) => bug)).size).toBe(rows.length)
    expect(new Set(rows.map(({ bug }) => bug.split(' ')[0])).size).toBeGreaterThanOrEqual(15)
    expect(rows.filter(({ address }) => !address.startsWith('https://'))).toEqual([])
  })

  test.each(files)('names what is tested in %s, and nothing else of it', (file) => {
    const path = `${FOLDER}/${file}`
    const tested = testNamesIn(read(path)).flatMap((name) => name.split(': ').slice(0, -1).slice(0, 1))
    expect([...new Set(tested)].sort()).toEqual(
      rows
        .filter((row) => row.file === path)
        .map(({ bug }) => bug)
        .sort(),
    )
  })

  test('names planted bugs that are in the table, and that the tests beside it must notice', () => {
    const catchers = new Map(MUTANTS.map(({ id, caughtBy }) => [id, caughtBy.kind === 'tests' ? caughtBy.files : []]))
    const missed = rows.flatMap(({ bug, file, planted }) =>
      planted.filter((id) => catchers.get(id)?.includes(file) !== true).map((id) => `${bug}: ${id}`),
    )
    expect(missed).toEqual([])
    const named = new Set(rows.flatMap(({ planted }) => planted))
    const foreign = MUTANTS.map(({ id }) => id).filter((id) => id.startsWith('foreign/'))
    expect(foreign.filter((id) => !named.has(id))).toEqual([])
  })
})
