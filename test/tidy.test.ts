import { posix } from 'node:path'
import { describe, expect, test } from 'vitest'
import { listErrors } from '../src/protocol/errors.ts'
import { brandCasts, neverCasts } from './tidy/casts.ts'
import * as citations from './tidy/citations.ts'
import { importsOf } from './tidy/imports.ts'
import { doorsOf, hiddenExports, importCircles, importTypes, unusedExports, unusedReexports } from './tidy/modules.ts'
import { purityViolations, simulatorImpurities } from './tidy/purity.ts'
import * as rooms from './tidy/rooms.ts'
import * as rules from './tidy/rules.ts'
import { openSwitches } from './tidy/switches.ts'
import { filesBelow, read, realTree, sourcesBelow, treeInReadme } from './tidy/tree.ts'

const sources = sourcesBelow('src')
const everyTypeScript = ['src', 'bench', 'test', 'examples', 'templates'].flatMap((folder) =>
  [...sourcesBelow(folder)].map(([path, source]) => [`${folder}/${path}`, source] as const),
)

/** Doors into src/: a thread's first file, and what package.json exports and runs. */
const ENTRIES = ['cli/seeds/seed-worker.ts', 'cli/develop/identity-worker.ts', ...doorsOf(read('package.json'))]

/** Folders of src/ with a README.md that leads a reader through them. */
const PAGES_AT_THE_DOOR = [
  'raft',
  'session',
  'node',
  'gateway',
  'erasure',
  'storage',
  'codec',
  'machine',
  'machines/gates',
  'machines/payments',
  'machines/payments-v1',
  'machines/session',
  'client',
  'sim',
  'history',
  'trace',
  'protocol',
  'server',
  'transport',
  'grpc',
  'host',
  'cli',
]

/** A relative link from a page: its file exists and, when it names an anchor of a page, so does the heading. */
/** PERF: once, or every one of a thousand links walks the whole tree. */
const allPaths = filesBelow('')
const everyPath = new Set(allPaths)

function leadsSomewhere(from: string, link: string): boolean {
  const [file = '', anchor] = link.split('#')
  const target = file === '' ? from : posix.join(posix.dirname(from), file).replace(/\/$/, '')
  if (!everyPath.has(target)) return allPaths.some((path) => path.startsWith(`${target}/`))
  return anchor === undefined || !target.endsWith('.md') || citations.anchorsOf(read(target)).includes(anchor)
}

describe('the dependency table', () => {
  test('every import in src/ is one that the table of folders allows', () => {
    expect(rules.importViolations(sources)).toEqual([])
  })

  test('pure folders use no clock, no randomness, no input or output, and nothing asynchronous', () => {
    expect(purityViolations(sources)).toEqual([])
  })

  test('the simulator reaches nothing at run time that its seed does not rule', () => {
    expect(simulatorImpurities(sources)).toEqual([])
  })

  test('every file of src/ is reachable from an entry point', () => {
    expect(rules.unreachable(sources, ENTRIES)).toEqual([])
  })
})

describe('how files hang together', () => {
  test('no files import one another in a circle, not even for types', () => {
    expect(importCircles(sources)).toEqual([])
  })

  test('imports and exports are written in forms that these rules read', () => {
    expect([...sources].flatMap(([path, source]) => importTypes(path, source))).toEqual([])
    expect([...sources].flatMap(([path, source]) => hiddenExports(path, source))).toEqual([])
  })

  test('what a file exports, another file of the product uses', () => {
    const bench = [...sourcesBelow('bench')].map(([path, source]) => [`bench/${path}`, source] as const)
    const product = new Map([...sources, ...bench])
    const tests = new Map([...sourcesBelow('test')].map(([path, source]) => [`test/${path}`, source]))
    expect(unusedExports(product, tests, ENTRIES).filter((text) => !text.startsWith('bench/'))).toEqual([])
  })

  test('what a barrel hands on, another file takes from it', () => {
    const inSource = ([path]: readonly [string, string]): boolean => path.startsWith('src/')
    const product = new Map(everyTypeScript.filter(inSource))
    const others = new Map(everyTypeScript.filter((file) => !inSource(file)))
    const doors = ENTRIES.map((path) => `src/${path}`)
    expect(unusedReexports(product, others, doors)).toEqual([])
  })
})

describe('rooms', () => {
  const paths = everyTypeScript.map(([path]) => path)

  test('no folder shows more than sixteen files', () => {
    expect(rooms.crowdedFolders(paths)).toEqual([])
  })

  test('file names are words in lower case, joined by dashes', () => {
    expect(rooms.oddlyNamed(paths)).toEqual([])
  })

  test.each(PAGES_AT_THE_DOOR)('the page at the door of %s names its files, and no others', (folder) => {
    const page = read(`src/${folder}/README.md`)
    const files = [...sources.keys()].filter((path) => path.startsWith(`${folder}/`))
    const own = files.map((path) => path.slice(folder.length + 1))
    expect(rooms.unlistedFiles(page, own)).toEqual([])
    expect(rooms.strayFiles(`src/${folder}`, page, paths)).toEqual([])
  })

  test('files that comments name by their path are there', () => {
    expect(everyTypeScript.flatMap(([path, source]) => rooms.goneInComments(path, source, paths))).toEqual([])
  })

  test('comments have at most 128 columns', () => {
    expect(everyTypeScript.flatMap(([path, source]) => rooms.wideComments(path, source))).toEqual([])
  })
})

describe('switches and casts', () => {
  test('every switch on kind ends in unreachable', () => {
    expect([...sources].flatMap(([path, source]) => openSwitches(path, source))).toEqual([])
  })

  test('brands are cast to in base and in codecs alone', () => {
    const brands = [...(sources.get('base/brand.ts') ?? '').matchAll(/^export type (\w+) = Brand</gm)].map(
      (match) => match[1] ?? '',
    )
    expect(brands.length).toBeGreaterThan(5)
    const others = [...sources].filter(([path]) => !/^(?:base|codec)\//.test(path))
    expect(others.flatMap(([path, source]) => brandCasts(path, source, brands))).toEqual([])
  })

  test('nothing is cast to never', () => {
    expect([...sources].flatMap(([path, source]) => neverCasts(path, source))).toEqual([])
  })
})

describe('one source of truth', () => {
  const pages = new Map(
    filesBelow('docs')
      .filter((path) => path.endsWith('.md'))
      .map((path) => [posix.basename(path), read(`docs/${path}`)] as const),
  )
  const citing = allPaths.filter(
    (path) =>
      /^(?:src|test|bench|proto|docs|examples|templates|cluster|findings|\.scripts)\/|^(?:README|CHANGELOG)\.md$/.test(
        path,
      ) && !path.startsWith('test/tidy/'),
  )
  const inDesign = (path: string): boolean => path.startsWith('docs/design/')
  // Pages that are not below docs/ are named for themselves.
  const known = new Map([...pages, ['README.md', ''], ['CHANGELOG.md', '']])

  test('every citation of a page names one that exists, and a section of it', () => {
    expect(citing.flatMap((path) => citations.deadCitations(path, read(path), known))).toEqual([])
  })

  test('a section without a page is of the page of the design that names it, or of the paper or the thesis', () => {
    const dead = citing.filter(inDesign).flatMap((path) => citations.deadOwnSections(path, read(path)))
    // The tests of the paper's claims name its sections and nothing else.
    const others = citing.filter((path) => !inDesign(path) && !path.startsWith('test/raft/paper'))
    expect([...dead, ...others.flatMap((path) => citations.ownerlessSections(path, read(path)))]).toEqual([])
  })

  test('every section of the design is cited by what implements it, or marked as planned', () => {
    const found = citing
      .filter((path) => /^(?:src|test|bench|proto)\//.test(path))
      .flatMap((path) => citations.citationsIn(read(path)))
    const design = filesBelow('docs/design').filter((path) => path.endsWith('.md'))
    expect(design.length).toBeGreaterThan(6)
    const uncited = design.flatMap((path) => citations.uncitedSections(path, read(`docs/design/${path}`), found))
    expect(uncited).toEqual([])
  })

  test('pages name files that are there', () => {
    const own = allPaths.filter((path) => path.endsWith('.ts'))
    const gone = allPaths
      .filter((path) => /^(?:docs\/.*|README)\.md$/.test(path))
      .flatMap((path) => rooms.goneFiles(read(path), own).map((file) => `${path} names ${file}`))
    expect(gone).toEqual([])
  })

  test('links between pages lead somewhere', () => {
    const dead = allPaths
      .filter((path) => path.endsWith('.md'))
      .flatMap((path) =>
        citations.linksIn(read(path)).flatMap((link) => (leadsSomewhere(path, link) ? [] : [`${path}: ${link}`])),
      )
    expect(dead).toEqual([])
  })
})

describe('the size and shape of the code', () => {
  test('files have at most 400 lines, and functions of the product at most 70', () => {
    const found = everyTypeScript.flatMap(([path, source]) =>
      rules.sizeViolations(path, source).filter((text) => !path.startsWith('test/') || !text.includes('function')),
    )
    expect(found).toEqual([])
  })

  test('nothing goes round the type system and nothing is left for later', () => {
    expect(everyTypeScript.flatMap(([path, source]) => rules.escapeViolations(path, source))).toEqual([])
  })
})

describe('the error registry', () => {
  const codes = [...new Set(listErrors().map((row) => row.code))]
  const wordsOf = (texts: Iterable<string>): Set<string> =>
    new Set([...texts].flatMap((text) => text.match(/\b[A-Z][A-Z0-9_]+\b/g) ?? []))

  test('every code is raised somewhere', () => {
    const raised = wordsOf(
      [...sources].filter(([path]) => !path.startsWith('protocol/errors')).map(([, source]) => source),
    )
    expect(codes.filter((code) => !raised.has(code))).toEqual([])
  })

  test('every code stands in a test', () => {
    const tested = wordsOf(
      [...sourcesBelow('test')].filter(([path]) => !path.startsWith('tidy')).map(([, source]) => source),
    )
    expect(codes.filter((code) => !tested.has(code))).toEqual([])
  })
})

describe('the repository', () => {
  test('every dependency of the package is imported by it, and has its reason', () => {
    const { dependencies, peerDependencies } = JSON.parse(read('package.json')) as {
      readonly [key in 'dependencies' | 'peerDependencies']: { readonly [name: string]: string }
    }
    const names = Object.keys({ ...dependencies, ...peerDependencies })
    const imported = new Set(
      [...sources.values()].flatMap((source) => importsOf(source).map((entry) => entry.specifier)),
    )
    const rows = [...read('docs/decisions/dependencies.md').matchAll(/^\| `([^`]+)` \| .{10,} \| .{10,} \|$/gm)]
    expect(names.filter((name) => !imported.has(name))).toEqual([])
    expect(rows.map((row) => row[1])).toEqual(names)
  })

  test('names no path of a machine and no registry host', () => {
    const forbidden = new RegExp(['/wo' + 'rk/', '/ho' + 'me/\\w', '/Us' + 'ers/', 'registry\\.' + 'npmjs'].join('|'))
    const found = allPaths.filter((path) => forbidden.test(read(path)))
    expect(found).toEqual([])
  })

  test("the README's tree is the real tree", () => {
    expect(treeInReadme(read('README.md'))).toEqual(realTree())
  })
})
