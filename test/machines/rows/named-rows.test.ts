import { dirname, join } from 'node:path'
import { describe, expect, test } from 'vitest'
import { read, sourcesBelow } from '../../tidy/tree.ts'
import { CHAPTER_0 } from './chapter-0.ts'
import { CHAPTER_1 } from './chapter-1.ts'
import { CHAPTER_2 } from './chapter-2.ts'
import { CHAPTER_3 } from './chapter-3.ts'
import { CHAPTER_4 } from './chapter-4.ts'
import { CHAPTER_5 } from './chapter-5.ts'
import { type Chapter, isNamedIn, namedFile, type NamedFile, piecesOf } from './named-rows.ts'
import { REGISTER } from './register.ts'

const CHAPTERS: { readonly [name: string]: Chapter } = {
  'chapter 0': CHAPTER_0,
  'chapter 1': CHAPTER_1,
  'chapter 2': CHAPTER_2,
  'chapter 3': CHAPTER_3,
  'chapter 4': CHAPTER_4,
  'chapter 5': CHAPTER_5,
  'the register': REGISTER,
}

/** Tables that stand beside a test file and that it imports: their words may fill the holes of its names. */
function tablesOf(path: string, source: string): string[] {
  const imported = [...source.matchAll(/from '(\.\/[\w-]+\.ts)'/g)].map(([, file = '']) => join(dirname(path), file))
  return imported.filter((file) => !file.endsWith('world.ts')).map((file) => read(`test/${file}`))
}

const files = [...sourcesBelow('test')]
  .filter(
    ([path]) => /^(machines|machine|session|http)\/.*\.test\.ts$/.test(path) && !path.startsWith('machines/rows/'),
  )
  .map(([path, source]) => namedFile(path, source, tablesOf(path, source)))

/** The files of a chapter whose names speak of a table's section. The register has no sections. */
function filesOf({ folders }: Chapter, table: string): NamedFile[] {
  const section = /^\d+\.\d+/.exec(table)?.[0]
  const about = section === undefined ? /^/ : new RegExp(`§${section.replace('.', '\\.')}(?!\\d)`)
  return files.filter(
    ({ path, names }) =>
      folders.some((folder) => path.startsWith(folder)) &&
      names.some((pieces) => pieces.some((piece) => piece !== null && about.test(piece))),
  )
}

describe('every row of the design’s tables has a test named after it', () => {
  for (const [name, chapter] of Object.entries(CHAPTERS)) {
    for (const [table, rowsOfTable] of Object.entries(chapter.tables)) {
      test(`${name}: ${table}`, () => {
        const found = filesOf(chapter, table)
        expect(rowsOfTable.filter((row) => !found.some((file) => isNamedIn(row, file)))).toEqual([])
        expect(new Set(rowsOfTable).size).toBe(rowsOfTable.length)
        expect(rowsOfTable.length).toBeGreaterThan(0)
      })
    }
  }
})

describe('how a row is found in a name', () => {
  const file = (source: string): NamedFile => namedFile('a.test.ts', source, [])

  test('in a literal name, as whole words', () => {
    const found = file("test('domain.md §3.11 P8b failure told first, then success', () => {})")
    expect(isNamedIn('P8b failure told first', found)).toBe(true)
    expect(isNamedIn('P8', found)).toBe(false)
    expect(isNamedIn('failure told', found)).toBe(true)
    expect(isNamedIn('failure tol', found)).toBe(false)
  })

  test('in the name of a loop, whose words must stand in its table', () => {
    const found = file(
      'const CELLS = { approve: ["requested"] }; test(`domain.md §3.4 ${row.command} in ${state}: ${text}`, f)',
    )
    expect(isNamedIn('approve in requested', found)).toBe(true)
    expect(isNamedIn('decline in requested', found)).toBe(false)
  })

  test('in the name of a table of test.each', () => {
    const found = file("test.each([['paid', 1]])('domain.md §3.8 %s after $minutes.most %% min', () => {})")
    expect(isNamedIn('paid after 1 % min', found)).toBe(true)
    expect(isNamedIn('ready after 1 % min', found)).toBe(false)
    expect(piecesOf('domain.md §3.8 %s after 5 %%')).toEqual(['domain.md §3.8 ', null, ' after 5 %'])
  })
})
