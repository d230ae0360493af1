import { describe, expect, test } from 'vitest'
import { anchorsOf, citationsIn, deadCitations, linksIn, sectionsOf, uncitedSections } from './citations.ts'
import { importCircles, unusedExports } from './modules.ts'
import * as rooms from './rooms.ts'
import { brandCasts, openSwitches } from './switches.ts'

describe('circles of imports', () => {
  test('are found over any number of files, types included, and reported once', () => {
    const files = new Map([
      ['a.ts', "import type { B } from './b.ts'"],
      ['b.ts', "export { c } from './c.ts'"],
      ['c.ts', "import { a } from './a.ts'"],
      ['d.ts', "import { a } from './a.ts'"],
    ])
    expect(importCircles(files)).toEqual(['a.ts b.ts c.ts'])
  })

  test('are not seen where files only share what they import, nor through a dynamic import', () => {
    const files = new Map([
      ['a.ts', "import { c } from './c.ts'\nimport { b } from './b.ts'"],
      ['b.ts', "import { c } from './c.ts'"],
      ['c.ts', "const a = await import('./a.ts')"],
    ])
    expect(importCircles(files)).toEqual([])
  })
})

describe('exports', () => {
  const product = new Map([
    ['a.ts', 'export const used = 1\nexport function tested() {}\nexport const alone = 2\nexport interface Lost {}'],
    ['b.ts', 'export const door = 1\nuse(used)'],
  ])
  const tests = new Map([['test/a.test.ts', 'tested()']])

  test('that only tests use, or nothing, are found', () => {
    expect(unusedExports(product, tests, ['b.ts'])).toEqual([
      'a.ts exports tested, which only tests use',
      'a.ts exports alone, which no other file uses',
      'a.ts exports Lost, which nothing uses',
    ])
  })

  test('that a test reads beside their own file are bounds that it checks', () => {
    const files = new Map([['a.ts', 'export const MAX = 1\nclip(MAX)\nexport interface Shape {}\nf(null as Shape)']])
    expect(unusedExports(files, new Map([['test/a.test.ts', 'MAX']]), [])).toEqual([])
  })
})

describe('rooms', () => {
  test('hold sixteen files, and no more', () => {
    const files = (count: number): string[] => Array.from({ length: count }, (_, at) => `src/node/${at}.ts`)
    expect(rooms.crowdedFolders(files(16))).toEqual([])
    expect(rooms.crowdedFolders(files(17)).join()).toContain('src/node shows 17 files')
    expect(rooms.crowdedFolders([...files(16), 'src/node/peers/a.ts'])).toEqual([])
  })

  test('name their files in one case', () => {
    const odd = ['src/checkVote.ts', 'src/Check.ts', 'src/check_vote.ts']
    expect(rooms.oddlyNamed([...odd, 'src/check-vote.ts', 'test/vote.test.ts', 'test/vitest.config.ts'])).toEqual(odd)
  })

  test('have a page that names each of their files, and no file that is gone', () => {
    const page = 'See `rows/key.ts`, then `driver.ts` and `gone.ts`.'
    expect(rooms.unlistedFiles(page, ['rows/key.ts', 'driver.ts', 'rows/other.ts', 'river.ts'])).toEqual([
      'rows/other.ts',
      'river.ts',
    ])
    expect(rooms.goneFiles(page, ['codec/rows/key.ts', 'node/driver.ts'])).toEqual(['gone.ts'])
  })
})

describe('switches on kind', () => {
  test.each([
    "switch (a.kind) { case 'x': return 1 }",
    "switch (a.b?.kind) { case 'x': break; default: return 0 }",
    "switch (kind) { default: f(() => { return 1 }) case 'x': break }",
    "switch (f(a).kind) { case 'x': switch (b.kind) { default: unreachable(b) } }",
  ])('left open: %s', (source) => {
    expect(openSwitches('x.ts', source).length).toBeGreaterThan(0)
  })

  test.each([
    "switch (a.kind) { case 'x': return 1; default: return unreachable(a) }",
    "switch (kind) { case 'x': { f(); break } default: unreachable(kind) }",
    "switch (a.role) { case 'x': return 1 }",
    '// switch (a.kind) {}',
  ])('closed: %s', (source) => {
    expect(openSwitches('x.ts', source)).toEqual([])
  })
})

test('casts to a brand are found, and names of imports are not taken for them', () => {
  const cast = (source: string): string[] => brandCasts('x.ts', source, ['Term', 'LogIndex'])
  expect(cast('const a = 1 as Term')).toEqual(['x.ts:1 casts to Term'])
  expect(cast('f(\n  a + 1 as LogIndex,\n)')).toEqual(['x.ts:2 casts to LogIndex'])
  expect(cast("import { a as Term } from './a.ts'\nconst b = c as number // as Term")).toEqual([])
})

describe('citations', () => {
  const page = [
    '# Raft',
    '## 1. Elections',
    '## 2. Safety rules',
    '1. First.',
    '2. Second, that goes on',
    '   in the next line.',
    '## 3. Reads (planned)',
    '### 3.1 Leases',
    '```',
    '## 9. No heading',
    '```',
  ].join('\n')
  const pages = new Map([['raft.md', page]])

  test('are read with all their sections, over the end of a line too', () => {
    const named = (text: string): string[] =>
      citationsIn(text).map((found) => `${found.line} ${found.page} ${found.section}`)
    expect(named('see raft.md')).toEqual(['1 raft.md null'])
    expect(named('// a\n// raft.md §2.1, §3')).toEqual(['2 raft.md 2.1', '2 raft.md 3'])
    expect(named('/**\n * (raft.md\n * §1–§3)\n */')).toEqual(['2 raft.md 1', '2 raft.md 3'])
    expect(named('raft.md §2, step 2; raft.md §2, steps 1 and 2')).toEqual([
      '1 raft.md 2.2',
      '1 raft.md 2.1',
      '1 raft.md 2.2',
    ])
    expect(named('raft.md §2 and the paper, §5.4.2')).toEqual(['1 raft.md 2'])
  })

  test('lead to numbered headings and to the items of their lists', () => {
    expect(sectionsOf(page).map(({ id }) => id)).toEqual(['1', '2', '2.1', '2.2', '3', '3.1'])
    expect(deadCitations('x.ts', 'raft.md §2.2, §3.1', pages)).toEqual([])
    expect(deadCitations('x.ts', '\nraft.md §2.3', pages).join()).toContain('x.ts:2 cites raft.md §2.3')
    expect(deadCitations('x.ts', 'roft.md', pages).join()).toContain('which is no page')
    expect(deadCitations('x.ts', 'as domain 3.4 says', pages).join()).toContain('instead of citing')
  })

  test('are missed where a section is built, and not where it is planned', () => {
    expect(uncitedSections('raft.md', page, citationsIn('raft.md §2.1'))).toEqual([
      'raft.md §1 is implemented nowhere and not marked (planned)',
      'raft.md §3.1 is implemented nowhere and not marked (planned)',
    ])
  })

  test('links of a page are read from its prose, and anchors from its headings', () => {
    expect(linksIn('[a](b.md#c) `[d](e.md)` [f](https://g)\n```\n[h](i.md)\n```\n')).toEqual(['b.md#c'])
    expect(anchorsOf('# A b: c, d-e\n## 2. `f` (g)\n')).toEqual(['a-b-c-d-e', '2-f-g'])
  })
})
