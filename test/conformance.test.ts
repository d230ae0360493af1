import { describe, expect, test } from 'vitest'
import { range, requirementsIn, testNamesIn } from './tidy/requirements.ts'
import { read, sourcesBelow } from './tidy/tree.ts'

/**
 * The numbered requirements of the session framework: each has a sentence, and is proved by a test or listed for a
 * later release.
 */
const REQUIREMENTS: readonly string[] = [
  ...range('FR-', 1, 27, 3),
  ...range('S-', 1, 11, 2),
  ...range('PC-', 1, 5, 1),
  ...range('INV-', 1, 3, 1),
  ...range('UPC-', 1, 4, 1),
  ...range('UPR-', 1, 2, 1),
  ...range('UINV-', 1, 2, 1),
  ...range('FM-', 1, 3, 1),
  ...range('LR-', 1, 8, 3),
  'LR-010',
  ...range('Q-', 1, 9, 3),
  ...range('Q-', 11, 13, 3),
  ...range('P-', 1, 11, 2),
  ...range('P-', 13, 34, 2),
]

const OURS = new Set(['conformance.test.ts', 'tidy.test.ts', 'tidy/rules.test.ts', 'tidy/structure.test.ts'])
const tests = [...sourcesBelow('test')].filter(([path]) => path.endsWith('.test.ts') && !OURS.has(path))
/** Files of test/ by the numbers that stand in the names of their tests, in the order of their paths. */
const proofs = new Map<string, string[]>()
for (const [path, source] of tests) {
  for (const number of new Set(testNamesIn(source).flatMap(requirementsIn))) {
    proofs.set(number, [...(proofs.get(number) ?? []), path])
  }
}
const proved = new Set(proofs.keys())
const page = read('docs/conformance.md')
const later = new Map(rowsOf(page, /^\| ([A-Z]+-\d+) \| (.+) \|$/gm))
/** A row of the tables of requirements: the bold number tells it from the list of those left for later. */
const SENTENCE = /^\| \*\*([^|]+)\*\* \| (.*) \| .* \|$/gm
const PROOFS = /^\| \*\*([^|]+)\*\* \| .* \| (.*) \|$/gm
const sentences = rowsOf(page, SENTENCE)
const explained = new Set(sentences.map(([number]) => number))

/** The two cells of every table row of that form, in the order of the text. */
function rowsOf(text: string, form: RegExp): [number: string, cell: string][] {
  return [...text.matchAll(form)].map((row) => [row[1] ?? '', row[2] ?? ''])
}

/** A text's requirement numbers that have no sentence. */
function unexplainedIn(text: string): string[] {
  return requirementsIn(text).filter((number) => !explained.has(number))
}

describe('the framework requirements', () => {
  test('every number has one sentence in docs/conformance.md', () => {
    expect(REQUIREMENTS.filter((number) => !explained.has(number))).toEqual([])
    expect(sentences.filter(([number], at) => sentences.findIndex((row) => row[0] === number) !== at)).toEqual([])
    expect(sentences.filter(([, sentence]) => !/^.{15,}\.$/.test(sentence))).toEqual([])
  })

  test('no sentence stands beside an unknown number', () => {
    expect(sentences.map(([number]) => number).filter((number) => !REQUIREMENTS.includes(number))).toEqual([])
  })

  test('every number that a file of src names has a sentence', () => {
    const unexplained = [...sourcesBelow('src')].flatMap(([path, source]) =>
      unexplainedIn(source).map((number) => `src/${path} names ${number}`),
    )
    expect(unexplained).toEqual([])
  })

  test('beside each sentence stand the files whose tests prove it', () => {
    const wrong = rowsOf(page, PROOFS).flatMap(([number, cell]) => {
      const links = (proofs.get(number) ?? []).map((path) => `[${path.replace(/\.test\.ts$/, '')}](../test/${path})`)
      const wanted = links.length === 0 ? 'later' : links.join(', ')
      return cell === wanted ? [] : [`| **${number}** | … | ${wanted} |`]
    })
    expect(wrong).toEqual([])
  })

  test('numbers without a sentence are found', () => {
    expect(unexplainedIn('/** The response (FR-004, FR-099); never LR-9. */')).toEqual(['FR-099', 'LR-9'])
    const rows =
      '| number | requirement | tests |\n|---|---|---|\n| **FR-004** | A sentence. | a |\n| Q-007 | A reason. |\n| **X-1** |  | b |'
    expect(rowsOf(rows, SENTENCE)).toEqual([
      ['FR-004', 'A sentence.'],
      ['X-1', ''],
    ])
  })

  test('every number stands in the name of a test or in the list of those left for later', () => {
    expect(REQUIREMENTS.filter((number) => !proved.has(number) && !later.has(number))).toEqual([])
  })

  test('nothing is listed as left for later that a test proves', () => {
    expect([...later.keys()].filter((number) => proved.has(number))).toEqual([])
  })

  test('everything left for later is a requirement and has a reason', () => {
    expect([...later.keys()].filter((number) => !REQUIREMENTS.includes(number))).toEqual([])
    expect([...later].filter(([, reason]) => reason.trim().length < 20)).toEqual([])
  })

  test('names of tests are read in every form, and numbers only from names', () => {
    const source = [
      "test('FR-001 a claim', () => { expect('FR-002').toBe(1) })",
      'test.each([1])(`S-01 ${x} and P-20`, () => {})',
      "describe('PC-1', () => { it('INV-2 LR-003', () => {}) }) // Q-001",
      "test.each<[string, { a: readonly string[] }]>([['x', {}]])('PC-4 %s', () => {})",
      "property('S-02 of any input', () => {})",
    ].join('\n')
    const found = testNamesIn(source).flatMap(requirementsIn)
    expect(found).toEqual(['FR-001', 'S-01', 'P-20', 'PC-1', 'INV-2', 'LR-003', 'PC-4'])
  })
})
