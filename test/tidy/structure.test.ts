import { describe, expect, test } from 'vitest'
import { brandCasts, neverCasts } from './casts.ts'
import {
  anchorsOf,
  citationsIn,
  deadCitations,
  deadOwnSections,
  linksIn,
  ownerlessSections,
  sectionsOf,
  uncitedSections,
} from './citations.ts'
import { doorsOf, hiddenExports, importCircles, importTypes, unusedExports, unusedReexports } from './modules.ts'
import * as rooms from './rooms.ts'
import { openSwitches } from './switches.ts'

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

describe('forms that the rules of modules cannot read', () => {
  test.each([
    "const a: import('./b.ts').B = c",
    "type A = Map<string, import('./b.ts').B>",
    "let a: typeof import('./b.ts')",
    "const a = import('./b.ts')",
  ])('an import: %s', (source) => {
    expect(importTypes('x.ts', source).join()).toContain('x.ts:1 says import')
  })

  test("and no import: await import('./b.ts'), nor import.meta", () => {
    expect(importTypes('x.ts', "const { b } = await import('./b.ts')\nimport.meta.url\na.import('c')")).toEqual([])
  })

  test.each([
    'const a = 1\nexport { a }',
    'export type { A, B as C }',
    'export default a',
    'export default function f() {}',
    'export const { a, b } = c',
    'export namespace A {}',
    'export declare const a: string',
  ])('an export: %s', (source) => {
    expect(hiddenExports('x.ts', source)).toHaveLength(1)
  })

  test.each([
    "export { a } from './b.ts'",
    "export type { A } from './b.ts'",
    "export * from './b.ts'\nexport * as c from './c.ts'",
    'export const a = 1\nexport type A = 1\nexport interface B {}\nexport abstract class C {}',
    'export async function f() {}\nexport function* g() {}\na.export(b)',
  ])('and no such export: %s', (source) => {
    expect(hiddenExports('x.ts', source)).toEqual([])
  })
})

describe('doors', () => {
  test('are what the package exports and runs, and no barrel besides', () => {
    const bin = { holdfast: 'dist/src/cli/main.js' }
    const door = (path: string): object => ({ types: `./dist/src/${path}.d.ts`, default: `./dist/src/${path}.js` })
    const exports = { '.': door('index'), './client': door('client/index') }
    expect(doorsOf(JSON.stringify({ bin, files: ['dist/src'], exports }))).toEqual([
      'cli/main.ts',
      'index.ts',
      'client/index.ts',
    ])
  })

  test('hand on what nobody here takes; other barrels do not, unless a door hands them on as a whole', () => {
    const files = new Map([
      ['index.ts', "export { a } from './raft/index.ts'\nexport * from './inner/index.ts'"],
      ['raft/index.ts', "export { a, b, type C as D } from './step.ts'"],
      ['inner/index.ts', "export { e } from './e.ts'"],
    ])
    expect(unusedReexports(files, new Map(), ['index.ts'])).toEqual([
      'raft/index.ts hands on b, for nobody',
      'raft/index.ts hands on D, for nobody',
    ])
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

  test('have a page that names no file of another room, or by its path', () => {
    const paths = ['src/node/apply/loop.ts', 'src/node/driver.ts', 'src/raft/step.ts', 'test/node/driver.test.ts']
    const stray = (page: string): string[] => rooms.strayFiles('src/node', page, paths)
    expect(stray('`driver.ts`, `apply/loop.ts`, `loop.ts`, `raft/step.ts`, `../raft/step.ts`')).toEqual([])
    expect(stray('`test/node/driver.test.ts`, `src/raft/step.ts`')).toEqual([])
    expect(stray('`step.ts`, `driver.test.ts`, `raft/loop.ts`')).toEqual(['step.ts', 'driver.test.ts', 'raft/loop.ts'])
  })

  test('are named rightly in comments', () => {
    const paths = ['src/node/apply/loop.ts', 'src/node/rows/key.ts', 'src/raft/step.ts', 'test/raft/world.ts']
    const gone = (source: string): string[] => rooms.goneInComments('src/node/rows/key.ts', source, paths)
    expect(gone('// raft/step.ts, `src/raft/step.ts`, raft/world.ts, apply/loop.ts, ../apply/loop.ts')).toEqual([])
    expect(gone("// step.ts, https://a.b/c/d.ts and a.ts/b\nimport 'raft/gone.ts'")).toEqual([])
    expect(gone('a()\n/**\n * See (machine/parse/parse.ts).\n */')).toEqual([
      'src/node/rows/key.ts:3 names machine/parse/parse.ts',
    ])
    expect(gone('// rows/loop.ts')).toHaveLength(1)
  })

  test('have no comment wider than 128 columns', () => {
    const wide = (source: string): string[] => rooms.wideComments('x.ts', source)
    expect(wide(`// ${'a'.repeat(125)}\nf('${'a'.repeat(200)}')`)).toEqual([])
    expect(wide(`a()\n/**\n * ${'a'.repeat(126)}\n */`)).toEqual(['x.ts:3 has 129 columns, comments have 128'])
    expect(wide(`f('${'a'.repeat(100)}') // ${'a'.repeat(30)}`)).toHaveLength(1)
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

describe('casts', () => {
  const cast = (source: string): string[] => brandCasts('x.ts', source, ['Term', 'LogIndex'])

  test.each([
    ['const a = 1 as Term', 'x.ts:1 casts to Term'],
    ['f(\n  a + 1 as LogIndex,\n)', 'x.ts:2 casts to LogIndex'],
    ['export const n = (i: number) => (i + 1) as LogIndex', 'x.ts:1 casts to LogIndex'],
    ["export { a as b } from './a.ts'; const c = d as Term", 'x.ts:1 casts to Term'],
    ['export { a as b }\nconst c = d as Term', 'x.ts:2 casts to Term'],
    ["const a = (await import('./a.ts')).b as Term", 'x.ts:1 casts to Term'],
    ['const a = b as readonly LogIndex[]', 'x.ts:1 casts to LogIndex'],
    ['const a = b as unknown as Map<LogIndex, string>', 'x.ts:1 casts to LogIndex'],
    ['const a = b as { a: LogIndex }', 'x.ts:1 casts to LogIndex'],
    ['const a = b as { readonly [c: string]: Term }', 'x.ts:1 casts to Term'],
    ['const a = b as (c: string) => Term', 'x.ts:1 casts to Term'],
    ['const a = b as\n  | string\n  | Term', 'x.ts:1 casts to Term'],
    ['const a = b as C extends string ? Term : null', 'x.ts:1 casts to Term'],
  ])('to a brand: %s', (source, sentence) => {
    expect(cast(source)).toEqual([sentence])
  })

  test.each([
    "import { a as Term } from './a.ts'\nconst b = c as number // as Term",
    "import * as Term from './a.ts'",
    "export { a as Term, b as LogIndex } from './a.ts'",
    'const a = b as string\nconst c: Term = d',
    'const a = b as { Term: number; LogIndex?: string }',
    'const a = b as C ? Term : d',
    'const a = (b as C) < Term',
    "const a = b as C['Term']",
    'if (b as C) { Term }',
  ])('to none: %s', (source) => {
    expect(cast(source)).toEqual([])
  })

  test('to never are found', () => {
    expect(neverCasts('x.ts', 'const a = b as never\nconst c: never = d')).toEqual(['x.ts:1 casts to never'])
  })
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

  test.each([
    ['docs/design/raft.md §9', '9'],
    ['../docs/design/raft.md §9', '9'],
    ['[raft](raft.md) §9', '9'],
    ['[raft](../design/raft.md#reads) §9', '9'],
    ['`raft.md` §9', '9'],
    ['raft.md § 9', '9'],
    ['raft.md §1 or §9', '1 9'],
    ['raft.md §1; §9', '1 9'],
    ['raft.md §1 to §9', '1 9'],
  ])('are read when written as %s', (text, sections) => {
    const found = citationsIn(`see ${text}`)
    expect(found.map((citation) => citation.section).join(' ')).toBe(sections)
    expect(deadCitations('x.ts', text, pages).join()).toContain('cites raft.md §9, which that page does not have')
  })

  test.each(['raft.md, section 9', 'raft.md section 9', 'section 9 of raft.md', '§9 of raft.md', 'raft section 2.1'])(
    'are not to be written as %s',
    (text) => {
      expect(deadCitations('x.ts', text, pages).join()).toContain('instead of citing a page')
    },
  )

  test('of a path alone are left to the rules about links', () => {
    expect(citationsIn('[a](../design/raft.md), docs/format.md, "Frames"')).toEqual([])
  })

  test.each([
    'As §4 says.',
    'It holds (§2, step 3).',
    'Thesis §6.4 has it. Here it is §4.',
    'It is shown (thesis §6.4) and used in §4.',
    '- paper §5.4.2\n- see §4',
  ])('of a page of the design in itself lead to a section of it: %s', (text) => {
    expect(deadOwnSections('raft.md', `${page}\n${text}`)).toHaveLength(1)
  })

  test.each([
    'As §2 says, and §1, §3.1; (§2, step 2).',
    'paper §5.4.2, thesis §6.4.1, §10.2.1 (thesis §4.2.3; §6.2)',
    'as the thesis\nhas it in §6.4',
    'Chapter 10, §10.2.1; storage.md §7 with §8',
  ])('and are not taken for the sections of others: %s', (text) => {
    expect(deadOwnSections('raft.md', `${page}\n${text}`)).toEqual([])
  })

  test('outside the design a section has its page', () => {
    expect(ownerlessSections('x.ts', '// a\n// as §4 says').join()).toContain('x.ts:2 names §4 of no page')
    expect(ownerlessSections('x.ts', '// raft.md §3.3 A4, §3.2 F10').join()).toContain('names §3.2 of no page')
    expect(ownerlessSections('x.ts', '// raft.md §4; (paper Figure 2, Leaders; §5.4.2), thesis §9.6')).toEqual([])
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
