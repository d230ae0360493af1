import { describe, expect, test } from 'vitest'
import { importsOf } from './imports.ts'
import { purityViolations, simulatorImpurities } from './purity.ts'
import * as rules from './rules.ts'
import { ROOT, treeInReadme } from './tree.ts'

describe('the rules find what they forbid', () => {
  const planted = (path: string, source: string, more: Record<string, string> = {}): Map<string, string> =>
    new Map([[path, source], ...Object.entries(more)])
  const other = {
    'node/driver.ts': '',
    'node/ports/clock.ts': '',
    'codec/codec.ts': '',
    'codec/value/value-error.ts': '',
    'grpc/as-is.ts': '',
    'machine/kit.ts': '',
    'host/run-node.ts': '',
  }

  test.each([
    ['raft/x.ts', "import { a } from '../codec/codec.ts'", 'may not import codec/codec.ts'],
    ['raft/x.ts', "import type { a } from '../codec/codec.ts'", 'may not import codec/codec.ts'],
    ['raft/x.ts', "export * from '../codec/codec.ts'", 'may not import codec/codec.ts'],
    ['raft/x.ts', "const a = import('../codec/codec.ts')", 'may not import codec/codec.ts'],
    ['raft/x.ts', "import '../codec/codec.ts'", 'may not import codec/codec.ts'],
    ['session/x.ts', "import { a } from '../codec/codec.ts'", 'may import types alone from codec/'],
    ['session/x.ts', "import { type a, b } from '../codec/codec.ts'", 'may import types alone from codec/'],
    ['server/x.ts', "import { a } from '../machine/kit.ts'", 'may import types alone from machine/'],
    ['storage/x.ts', "import { a } from '../node/driver.ts'", 'may not import node/driver.ts'],
    ['storage/x.ts', "import { a } from '../node/ports/clock.ts'", 'may import types alone from node/ports/'],
    ['storage/x.ts', "import { type a, b } from '../node/ports/clock.ts'", 'may import types alone from node/ports/'],
    ['codec/x.ts', "import { gzipSync } from 'node:zlib'", 'may take only crc32 from node:zlib'],
    ['codec/x.ts', "import * as zlib from 'node:zlib'", 'may take only crc32 from node:zlib'],
    ['codec/x.ts', "import { randomBytes } from 'node:crypto'", 'may take only hash from node:crypto'],
    ['codec/x.ts', "import { pack } from 'msgpackr'", 'may not import the package msgpackr'],
    ['codec/x.ts', "import { readFileSync } from 'node:fs'", 'may not import the package node:fs'],
    ['node/x.ts', "import { level } from 'level'", 'may not import the package level'],
    ['client/x.ts', "import * as grpc from '@grpc/grpc-js'", 'only client/connection/grpc.ts may'],
    ['client/x.ts', "import { asIs } from '../grpc/as-is.ts'", 'only client/connection/grpc.ts may'],
    ['host/x.ts', "import { a } from './run-node.ts'", 'must load host/run-node.ts dynamically'],
    ['base/x.ts', "import { a } from './gone.ts'", 'is not a file of src/'],
    ['base/x.ts', "import { a } from './y'", 'without .ts'],
    ['attic/x.ts', '', 'stands in no folder of the table'],
  ])('in %s: %s', (path, source, sentence) => {
    expect(rules.importViolations(planted(path, source, other)).join()).toContain(sentence)
  })

  test.each([
    ['session/x.ts', "import type { a } from '../codec/codec.ts'"],
    ['session/x.ts', "import { type a, type b } from '../codec/codec.ts'"],
    ['session/x.ts', "import { ValueError } from '../codec/value/value-error.ts'"],
    ['storage/x.ts', "import type { a } from '../node/ports/clock.ts'\nimport { level } from 'level'"],
    ['codec/x.ts', "import { crc32 } from 'node:zlib'\n// import '../raft/step.ts'\nconst a = `import '../raft'`"],
    ['client/connection/grpc.ts', "import * as grpc from '@grpc/grpc-js'"],
    ['host/x.ts', "const { a } = await import('./run-node.ts')\nimport type { b } from './run-node.ts'"],
  ])('and nothing else, in %s: %s', (path, source) => {
    expect(rules.importViolations(planted(path, source, other))).toEqual([])
  })

  describe('the simulator', () => {
    const simulator = "import { scan } from '../storage/scan.ts'\nimport type { a } from '../storage/disk.ts'"
    const reaching = (frame: string): string =>
      simulatorImpurities(
        planted('sim/x.ts', simulator, {
          'storage/scan.ts': "import { a } from './frame.ts'",
          'storage/frame.ts': frame,
          'storage/disk.ts': "import { open } from 'node:fs'",
        }),
      ).join()

    test.each(['', "import { crc32 } from 'node:zlib'\nimport { hash } from 'node:crypto'", 'a instanceof Date'])(
      'may import a part of storage/ that leads to: %s',
      (frame) => {
        expect(reaching(frame)).toBe('')
      },
    )

    test.each([
      ["import { hash, randomBytes } from 'node:crypto'", 'imports node:crypto'],
      ["import { open } from 'node:fs'", 'imports node:fs'],
      ['const now = Date.now()', 'uses Date'],
      ['\nsetTimeout(f, 1)', 'uses setTimeout'],
      ['const a = Math.random()', 'uses Math.random'],
      ['await f()', 'uses await'],
    ])('and not one that leads to: %s', (frame, problem) => {
      expect(reaching(frame)).toContain(
        `${problem}, and the simulator reaches it: sim/x.ts > storage/scan.ts > storage/fr`,
      )
    })

    test('is held to it in its own files, and through every folder', () => {
      expect(simulatorImpurities(planted('sim/x.ts', 'setTimeout(f, 1)')).join()).toContain(
        'sim/x.ts:1 uses setTimeout',
      )
      const clock = { 'node/system-clock.ts': '\nperformance.now()' }
      const found = simulatorImpurities(planted('sim/x.ts', "import { a } from '../node/system-clock.ts'", clock))
      expect(found.join()).toContain('node/system-clock.ts:2 uses performance')
    })

    test('may meet one default argument, in one place, for as long as it is there', () => {
      const server = 'gateway/in-process-server.ts'
      const found = (source: string): string[] =>
        simulatorImpurities(
          planted('sim/x.ts', "import { a } from '../gateway/in-process-server.ts'", { [server]: source }),
        )
      expect(found('function f(defer = queueMicrotask) {}')).toEqual([])
      expect(found('function f(defer = queueMicrotask) {}\nqueueMicrotask(f)').join()).toContain(
        `${server}:2 uses queueMi`,
      )
      expect(found('').join()).toContain('is excepted for what it no longer does')
    })
  })

  test.each([
    'const a = Date.now()',
    'const a = new Date()',
    'const a = Math.random()',
    'async function f() {}',
    'const f = async () => 1',
    'setTimeout(f, 1)',
    'console.log(1)',
    'const a = `${process.pid}`',
    'const a = crypto.randomUUID()',
    'fetch(a)',
    'const a: Promise<void> = b',
    'const a = performance.now()',
    'globalThis.setTimeout(f)',
    'const a = b\n  ? Date\n  : c',
  ])('impure: %s', (source) => {
    expect(purityViolations(planted('raft/x.ts', source))).toHaveLength(1)
    expect(purityViolations(planted('server/x.ts', source))).toEqual([])
  })

  test.each([
    '// Date.now()',
    "const a = 'process'",
    'a.process(b)',
    'const a = { process: 1 }',
    'get process() {',
    '/async/.test(a)',
  ])('pure: %s', (source) => {
    expect(purityViolations(planted('raft/x.ts', source))).toEqual([])
  })

  test.each([
    'const a: ' + 'any = 1',
    'const a = b as ' + 'any',
    'const a: Map<string, ' + 'any> = b',
    'const a = b' + '!.c',
    'const a = b[0]' + '!',
    'const a = f()' + '!.c',
    '// TO' + 'DO later',
    '// @ts' + '-ignore',
    'enum' + ' A { B }',
  ])('an escape: %s', (source) => {
    expect(rules.escapeViolations('x.ts', source)).toHaveLength(1)
  })

  test.each(['if (!a) b', 'a !== b', 'return !a', 'f(!a, !b)', "test.any('x')", 'const a = many', 'x = y ? !a : !b'])(
    'no escape: %s',
    (source) => {
      expect(rules.escapeViolations('x.ts', source)).toEqual([])
    },
  )

  test('a file of 401 lines and a function of 71 are too long, 400 and 70 are not', () => {
    const body = (lines: number): string => `function f() {\n${'  a()\n'.repeat(lines - 2)}}\n`
    expect(rules.sizeViolations('x.ts', body(70))).toEqual([])
    expect(rules.sizeViolations('x.ts', body(71)).join()).toContain('a function of 71 lines')
    expect(rules.sizeViolations('x.ts', 'a\n'.repeat(400))).toEqual([])
    expect(rules.sizeViolations('x.ts', 'a\n'.repeat(401)).join()).toContain('401 lines')
    const wrapped = `export function f(\n  a: number,\n): number {\n${'  a()\n'.repeat(70)}}\n`
    expect(rules.sizeViolations('x.ts', wrapped).join()).toContain('x.ts:1 is a function of 74 lines')
  })

  test('a file that nothing imports is not reachable', () => {
    const files = planted('main.ts', "import './a.ts'", {
      'a.ts': "import type { b } from './b.ts'",
      'b.ts': '',
      'c.ts': '',
    })
    expect(rules.unreachable(files, ['main.ts'])).toEqual(['c.ts'])
  })

  test("a tree in the README is read with its folders' children", () => {
    const readme =
      '## The tree\n\n```text\nsrc/  the source\n  raft/   the core\n  main.ts  the root\ntest/  tests\n```\n'
    expect(treeInReadme(readme)).toEqual(['src/', 'src/main.ts', 'src/raft/', 'test/'])
  })

  test('imports are found in every form, and only in code', () => {
    const source = [
      "import a, { type B, c as d } from './1.ts'",
      "import type E from './2.ts'",
      "import * as f from './3.ts'",
      "export { g } from './4.ts'",
      "export type { H } from './5.ts'",
      "const i: import('./6.ts').I = await import('./7.ts')",
      "const j = 'import x from \"./no.ts\"' // import './no.ts'",
      'export const k = import.meta.url',
      "import { type } from './8.ts'",
      "import {\n  l,\n  type M,\n} from './9.ts'",
    ].join('\n')
    const found = importsOf(source)
    expect(found.map((entry) => entry.specifier)).toEqual([1, 2, 3, 4, 5, 6, 7, 8, 9].map((number) => `./${number}.ts`))
    expect(found.filter((entry) => entry.typeOnly).map((entry) => entry.specifier)).toEqual(['./2.ts', './5.ts'])
    expect(found[0]?.names).toEqual(['default', 'B', 'c'])
    expect(ROOT.length).toBeGreaterThan(1)
  })
})
