import { describe, expect, test } from 'vitest'
import { z } from 'zod'
import type { Value } from '../../../src/codec/value/value.ts'
import { sessionCodec } from '../../../src/codec/session-codec.ts'
import { bare, command, defineMachine, identityOf, mount, query } from '../../../src/machine/index.ts'
import { didYouMean } from '../../../src/base/suggest.ts'

const codec = sessionCodec

interface Tree {
  readonly name: string
  readonly children: readonly Tree[]
}
const tree: z.ZodType<Tree> = z.object({
  name: z.string(),
  get children() {
    return z.array(tree)
  },
})

const inputs = {
  open: z.object({ name: z.string().min(1), by: z.int().default(1), note: z.string().optional() }),
  nested: z.object({ list: z.array(z.object({ a: z.int() })), pair: z.tuple([z.object({ b: z.int() })]).optional() }),
  union: z.discriminatedUnion('kind', [
    z.object({ kind: z.literal('a'), a: z.int() }),
    z.object({ kind: z.literal('b'), b: z.object({ c: z.int() }).nullable() }),
  ]),
  loose: z.looseObject({ a: z.int() }),
  recursive: z.object({ root: z.lazy(() => tree) }),
  trimmed: z.object({ name: z.string().trim() }),
  record: z.record(z.string(), z.object({ a: z.int() })),
  both: z.intersection(z.object({ a: z.int() }), z.object({ b: z.int() })),
  failing: z.string().transform(() => {
    throw new Error('no luck')
  }),
  late: z.string().refine(async () => true),
  nothing: z.string().transform(() => undefined),
  meddling: z.custom<{ name: string }>().transform((given) => Object.assign(given, { name: 'b' })),
  copying: z.custom<{ name: string }>().transform((given) => ({ ...Object.assign(given, { name: 'b' }) })),
}

const nothing = () => null
const machine = defineMachine(
  'parsed',
  { version: 3, state: {} },
  {
    commands: {
      open: command({ input: inputs.open, output: z.null() }, nothing),
      nested: command({ input: inputs.nested, output: z.null() }, nothing),
      union: command({ input: inputs.union, output: z.null() }, nothing),
      loose: command({ input: inputs.loose, output: z.null() }, nothing),
      recursive: command({ input: inputs.recursive, output: z.null() }, nothing),
      trimmed: command({ input: inputs.trimmed, output: z.null() }, nothing),
      record: command({ input: inputs.record, output: z.null() }, nothing),
      both: command({ input: inputs.both, output: z.null() }, nothing),
      failing: command({ input: inputs.failing, output: z.null() }, nothing),
      late: command({ input: inputs.late, output: z.null() }, nothing),
      nothing: command({ input: inputs.nothing, output: z.null() }, nothing),
      meddling: command({ input: inputs.meddling, output: z.null() }, nothing),
      copying: command({ input: inputs.copying, output: z.null() }, nothing),
    },
    queries: { find: query({ input: z.object({ id: z.string() }), output: z.null() }, nothing) },
  },
)
const untyped = bare('untyped', {
  apply: () => ({ kind: 'value', value: null }),
  onSessionCreated: () => undefined,
  onSessionExpired: () => undefined,
})
const typed = bare('typed', untyped.machine, { version: 2, commands: { go: z.object({ to: z.string() }) } })
const mounted = mount([machine, untyped, typed], codec)

const parse = (name: string, input: Value, where = 'parsed') => mounted.parse(where, name, codec.encodeValue(input))
/** The parsed value, or the failure. */
const parsed = (name: string, input: Value, where?: string) => {
  const result = parse(name, input, where)
  return result.ok ? codec.decodeValue(result.input) : result
}

describe('a recursive schema', () => {
  test('is strict at every depth also when it was looked into before, as fingerprints and queries do', () => {
    const leaf = z.object({ name: z.string() })
    const input = z.object({ root: z.lazy(() => leaf) })
    const machine = defineMachine(
      'lazy',
      { version: 1, state: {} },
      {
        commands: { put: command({ input, output: z.null() }, () => null) },
      },
    )
    expect(identityOf(machine).schema).not.toBe('')
    expect(input.safeParse({ root: { name: 'a', x: 1 } }).success).toBe(true)
    const bytes = codec.encodeValue({ root: { name: 'a', x: 1 } })
    expect(mount([machine], codec).parse('lazy', 'put', bytes)).toMatchObject({ ok: false, code: 'VALIDATION_ERROR' })
  })
})

describe('parsing at the edge', () => {
  test('UPC-3 UPR-2 defaults and transforms happen before the log, and the parsed value decodes to itself', () => {
    expect(parsed('open', { name: 'a' })).toEqual({ name: 'a', by: 1 })
    expect(parsed('trimmed', { name: ' a ' })).toEqual({ name: 'a' })
    expect(parse('open', { name: 'a' })).toMatchObject({ ok: true, version: 3 })
  })
  test('bytes that are canonical and pass unchanged are kept; any other way to write them gives the same', () => {
    const canonical = codec.encodeValue({ name: 'a', by: 2 })
    const wide = Uint8Array.from(Buffer.from('df00000002 d9046e616d65 d90161 a26279 cd0002'.replaceAll(' ', ''), 'hex'))
    const kept = mounted.parse('parsed', 'open', canonical)
    expect(kept.ok && kept.input).toBe(canonical)
    const rewritten = mounted.parse('parsed', 'open', wide)
    expect(rewritten.ok && rewritten.input).not.toBe(wide)
    expect(rewritten).toEqual(kept)
    expect(mounted.parse('untyped', 'anything', wide)).toMatchObject({ ok: true, input: canonical })
  })
  test('a schema that writes into its input is taken at what it returns', () => {
    const input = { name: 'a', list: [1] }
    expect(parsed('meddling', input)).toEqual({ name: 'b', list: [1] })
    expect(parsed('copying', input)).toEqual({ name: 'b', list: [1] })
  })
  test('the order of the keys does not change the bytes', () => {
    expect(parse('open', { by: 2, name: 'a' })).toEqual(parse('open', { name: 'a', by: 2 }))
  })
  test('an unknown key is refused, with the nearest known one', () => {
    expect(parse('open', { nmae: 'a', name: 'a' })).toMatchObject({
      ok: false,
      code: 'VALIDATION_ERROR',
      message: 'the input does not fit: unknown key "nmae"; did you mean name? known: by, name, note',
    })
  })
  test.each([
    ['nested', { list: [{ a: 1, x: 1 }] }, '.list[0]'],
    ['nested', { list: [], pair: [{ b: 1, x: 1 }] }, '.pair[0]'],
    ['union', { kind: 'a', a: 1, x: 1 }, ''],
    ['union', { kind: 'b', b: { c: 1, x: 1 } }, '.b'],
    ['recursive', { root: { name: 'r', children: [{ name: 'c', children: [], x: 1 }] } }, '.root.children[0]'],
    ['record', { one: { a: 1, x: 1 } }, '.one'],
  ])('an unknown key deep inside %s is refused at its path', (name, input: Value, path) => {
    const result = parse(name, input)
    expect(result).toMatchObject({ code: 'VALIDATION_ERROR', details: { issues: [{ path }] } })
    expect(result).toMatchObject({ details: { issues: [{ message: expect.stringContaining('unknown key "x"') }] } })
  })
  test.each([
    ['nested', { list: [{ a: 1 }], pair: [{ b: 2 }] }],
    ['union', { kind: 'b', b: null }],
    ['loose', { a: 1, x: 1 }],
    ['recursive', { root: { name: 'r', children: [{ name: 'c', children: [] }] } }],
    ['record', { one: { a: 1 } }],
    ['both', { a: 1, b: 2 }],
  ])('what fits %s passes unchanged', (name, input: Value) => {
    expect(parsed(name, input)).toEqual(input)
  })
  test('every issue is named with its path', () => {
    const result = parse('open', { name: '', by: 1.5 })
    expect(result).toMatchObject({ details: { issues: [{ path: '.name' }, { path: '.by' }] } })
    expect(result).toMatchObject({ message: expect.stringMatching(/^the input does not fit: \.name: .*; \.by: /) })
  })
  test('an unknown machine, command or query says what there is', () => {
    expect(parse('open', null, 'prased')).toMatchObject({
      code: 'UNKNOWN_MACHINE',
      message: 'unknown machine "prased"; did you mean parsed? known: parsed, task, typed, untyped',
    })
    expect(parse('opn', null)).toMatchObject({
      code: 'UNKNOWN_COMMAND',
      message: expect.stringMatching(/^machine parsed has no command "opn"; did you mean open\? known: both, /),
    })
    expect(parse('toString', null)).toMatchObject({ code: 'UNKNOWN_COMMAND' })
    const nothingFound = mounted.parseQuery('parsed', 'fnd', codec.encodeValue(null))
    expect(nothingFound).toMatchObject({
      code: 'UNKNOWN_QUERY',
      message: expect.stringContaining('did you mean find?'),
    })
    expect(mounted.parseQuery('nowhere', 'x', codec.encodeValue(null))).toMatchObject({ code: 'UNKNOWN_MACHINE' })
  })
  test('FM-1 bytes that are no value are refused, and so is a schema that throws, waits or makes no plain data', () => {
    expect(mounted.parse('parsed', 'open', new Uint8Array([0xc1]))).toMatchObject({
      ok: false,
      code: 'VALIDATION_ERROR',
    })
    expect(mounted.parse('parsed', 'open', new Uint8Array())).toMatchObject({ ok: false, code: 'VALIDATION_ERROR' })
    expect(parse('failing', 'x')).toMatchObject({ message: expect.stringContaining('the schema failed: no luck') })
    expect(parse('late', 'x')).toMatchObject({ ok: false, code: 'VALIDATION_ERROR' })
    expect(parse('nothing', 'x')).toMatchObject({ ok: false, code: 'VALIDATION_ERROR' })
  })
  test('queries are parsed too, strictly', () => {
    expect(mounted.parseQuery('parsed', 'find', codec.encodeValue({ id: 'a' }))).toEqual({
      ok: true,
      input: { id: 'a' },
    })
    expect(mounted.parseQuery('parsed', 'find', codec.encodeValue({ id: 1 }))).toMatchObject({
      code: 'VALIDATION_ERROR',
    })
    expect(mounted.parseQuery('parsed', 'find', new Uint8Array([0xc1]))).toMatchObject({ code: 'VALIDATION_ERROR' })
  })
  test('the built-in machine task takes complete and fail', () => {
    const complete = { taskId: '1-task-1', attempt: 1, result: { any: ['thing'] } }
    expect(parsed('complete', complete, 'task')).toEqual(complete)
    expect(parsed('fail', { taskId: '1-task-1', attempt: 1, reason: 'no' }, 'task')).toMatchObject({ reason: 'no' })
    expect(parsed('complete', { taskId: '1-task-1', attempt: 0, result: 1 }, 'task')).toMatchObject({ ok: false })
    expect(parsed('done', complete, 'task')).toMatchObject({ code: 'UNKNOWN_COMMAND' })
    expect(parsed('complete', { taskId: '1-task-1', attempt: 1 }, 'task')).toMatchObject({ ok: false })
  })
  test('a bare machine without schemas takes any plain data, with schemas it is parsed like every other', () => {
    expect(parsed('anything', { at: ['all'] }, 'untyped')).toEqual({ at: ['all'] })
    expect(parse('go', { to: 'x' }, 'typed')).toMatchObject({ ok: true, version: 2 })
    expect(parse('go', { to: 'x', y: 1 }, 'typed')).toMatchObject({ code: 'VALIDATION_ERROR' })
    expect(parse('come', null, 'typed')).toMatchObject({ code: 'UNKNOWN_COMMAND' })
  })
})

describe('did you mean', () => {
  test.each([
    ['incremnt', 'increment'],
    ['INCREMENT', 'increment'],
    ['icnrement', 'increment'],
    ['value', null],
    ['x'.repeat(65), null],
    ['', null],
  ])('%s → %s', (name, expected) => {
    expect(didYouMean(name, ['decrement', 'increment'])).toBe(expected)
  })
})
