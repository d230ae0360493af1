import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { beforeAll, describe, expect, test } from 'vitest'
import { compileOnce } from '../cluster/processes.ts'
import { ROOT } from '../tidy/tree.ts'
import { collidingNames, unexportedTypes } from './shown-types.ts'

beforeAll(compileOnce, 120_000)

/** What signatures show and nobody outside has to name, and why. */
const INTERNAL: { readonly [type: string]: string } = {
  'codec/entry/payload.ts:ClientRequestPayload': 'the codec is handed on whole; only the session layer reads entries',
  'codec/entry/payload.ts:PayloadByKind': 'likewise',
  'codec/value/running-hash.ts:RunningHash': 'likewise: only the session layer hashes rows',
  'sim/faulty-world.ts:WorldListener': 'what a seed tells is the trace; only the command line says which faults happen',
  'session/rows/row-watches.ts:RowWatch': 'what `watch` gives is handed on whole; only the gateway watches queries',
  'machine/xstate/chart/chart.ts:Chart': 'a checked chart is handed on whole; only the adapter steps it',
  'machine/xstate/entity/run-context.ts:RunContext':
    'ChartContext is what a handler has to offer; the adapter sees it as this',
  'machine/define/define-machine.ts:ErasedBehaviour': 'handlers without their types; only the kit calls them',
  'machines/payments/facts/payments-schema.ts:PaymentsContext':
    'ContextOf<typeof payments>: its handlers alone have it',
  'machines/payments/facts/payments-schema.ts:PaymentsQueryContext': 'likewise',
  'machines/payments/facts/payments-schema.ts:PaymentsView': 'likewise',
  'machines/gates/facts/gates-schema.ts:GatesContext': 'likewise',
  'machines/gates/facts/gates-schema.ts:GatesQueryContext': 'likewise',
  'machines/gates/facts/gates-schema.ts:GatesView': 'likewise',
  'machines/reconciler/facts/reconciler-schema.ts:ReconcilerContext': 'likewise',
  'machines/reconciler/facts/reconciler-schema.ts:ReconcilerQueryContext': 'likewise',
  'machines/reconciler/facts/reconciler-schema.ts:ReconcilerView': 'likewise',
  'machines/concierge/facts/concierge-schema.ts:ConciergeContext': 'likewise',
  'machines/concierge/facts/concierge-schema.ts:ConciergeQueryContext': 'likewise',
  'machines/concierge/facts/concierge-schema.ts:ConciergeView': 'likewise',
  'machines/session/facts/session-schema.ts:SessionContext': 'likewise',
  'machines/session/facts/session-schema.ts:SessionQueryContext': 'likewise',
  'machines/session/facts/session-schema.ts:SessionView': 'likewise',
}

const MANIFEST: { readonly exports: { readonly [entry: string]: { readonly types: string } } } = JSON.parse(
  readFileSync(join(ROOT, 'package.json'), 'utf8'),
)
const ENTRIES = Object.values(MANIFEST.exports).map(({ types }) =>
  types.replace('./dist/src/', '').replace('.d.ts', '.ts'),
)

const withoutComments = (text: string): string => text.replace(/\/\*[\s\S]*?\*\//g, '').replace(/^\s*\/\/.*$/gm, '')

const read = new Map<string, string>()
function compiled(path: string): string {
  const known = read.get(path)
  if (known !== undefined) return known
  const text = withoutComments(readFileSync(join(ROOT, 'dist', 'src', path.replace(/\.ts$/, '.d.ts')), 'utf8'))
  read.set(path, text)
  return text
}

function found(files: { readonly [path: string]: string }): string[] {
  return unexportedTypes(['index.ts'], (path) => files[path] ?? '')
}

describe('a type that a signature shows and no entry exports', () => {
  test('is found in parameters and members, under the name of its home', () => {
    const files = {
      'index.ts': "export { make, type Made } from './make.ts';\n",
      'make.ts':
        "import type { Other as Known } from './other.ts';\nexport declare function make(options: Options): Made;\n" +
        'export interface Made {\n    readonly known: Known;\n    private hidden;\n}\ninterface Options {\n}\n',
      'other.ts': 'export interface Other {\n}\n',
    }
    expect(found(files)).toEqual(['make.ts:Options <- make', 'other.ts:Other <- Made'])
  })

  test('is found behind an alias that its file keeps to itself, and where the compiler wrote the import', () => {
    const files = {
      'index.ts': "export * from './make.ts';\n",
      'make.ts':
        "import type { Other } from './other.ts';\nexport type Made = Inner | 'Third';\ntype Inner = Other[];\n" +
        'export declare const made: import("./other.ts").Third;\n',
      'other.ts': 'export interface Other {\n}\nexport interface Third {\n}\n',
    }
    expect(found(files)).toEqual(['other.ts:Other <- Made', 'other.ts:Third <- made'])
  })

  test('is found in the constructor of a class, unless the class is exported as a type alone', () => {
    const made =
      'export interface Parts {\n}\nexport declare class Made {\n    constructor(parts: Parts, more: {\n        a: 1;\n    });\n}\n'
    expect(found({ 'index.ts': "export { Made } from './made.ts';\n", 'made.ts': made })).toEqual([
      'made.ts:Parts <- Made',
    ])
    expect(found({ 'index.ts': "export type { Made } from './made.ts';\n", 'made.ts': made })).toEqual([])
  })

  test('is none of the package, so that a user can name what a call takes and returns', () => {
    const missing = unexportedTypes(ENTRIES, compiled)
    expect(missing.filter((line) => INTERNAL[line.split(' <- ')[0] ?? ''] === undefined)).toEqual([])
    // An exception that nothing needs any more goes.
    expect(Object.keys(INTERNAL).filter((key) => !missing.some((line) => line.startsWith(`${key} <- `)))).toEqual([])
  })

  test('has no namesake: no name means one thing from one entry and another from the next', () => {
    const files = {
      'a.ts': 'export interface Made {\n}\n',
      'b.ts': 'export interface Made {\n}\nexport interface Other {\n}\n',
    } as { readonly [path: string]: string }
    expect(collidingNames(['a.ts', 'b.ts'], (path) => files[path] ?? '')).toEqual(['Made: a.ts:Made b.ts:Made'])
    expect(collidingNames(ENTRIES, compiled)).toEqual([])
  })
})
