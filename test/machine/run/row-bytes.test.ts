import { describe, expect, test } from 'vitest'
import { z } from 'zod'
import type { Value } from '../../../src/codec/value/value.ts'
import { command, defineMachine, mount, query, table } from '../../../src/machine/index.ts'
import { tableSharingBytes } from '../../../src/machine/define/schema.ts'
import { copyBytes, mayHoldBytes } from '../../../src/machine/run/row-bytes.ts'
import { codec, SessionWorld } from '../../machines/session-world.ts'
import { MemoryHost, sessionOf } from './memory-context.ts'

const bytes = z.instanceof(Uint8Array)
const nested = z.object({ list: z.array(z.object({ at: z.int(), bytes })), label: z.object({ text: z.string() }) })

/** Rows whose bytes the handlers change after they gave or got them. */
const blobs = defineMachine(
  'blobs',
  { version: 1, state: { flat: table(z.string(), bytes), deep: table(z.string(), nested) } },
  {
    commands: {
      put: command({ input: z.null(), output: z.null() }, (ctx) => {
        const flat = new Uint8Array([1, 2])
        const deep = { list: [{ at: 1, bytes: new Uint8Array([3, 4]) }], label: { text: 'a' } }
        ctx.state.flat.set('k', flat)
        ctx.state.deep.set('k', deep)
        flat[0] = 99
        for (const item of deep.list) item.bytes[0] = 99
        return null
      }),
      spoil: command({ input: z.null(), output: z.null() }, (ctx) => {
        ctx.state.flat.get('k')?.fill(77)
        for (const { bytes } of ctx.state.deep.get('k')?.list ?? []) bytes.fill(77)
        for (const [, row] of ctx.state.flat.range({ limit: 9 })) row.fill(77)
        for (const [, row] of ctx.state.deep.range({ limit: 9 })) for (const { bytes } of row.list) bytes.fill(77)
        return null
      }),
      mutate: command({ input: z.null(), output: z.null() }, (ctx) => {
        for (const item of ctx.state.deep.get('k')?.list ?? []) Object.assign(item, { at: 2 })
        return null
      }),
    },
    queries: {
      spoil: query({ input: z.null(), output: z.null() }, (view) => {
        view.flat.get('k')?.fill(55)
        for (const [, row] of view.deep.range({ limit: 9 })) for (const { bytes } of row.list) bytes.fill(55)
        return null
      }),
      read: query({ input: z.null(), output: z.unknown() }, (view) => ({
        flat: [...(view.flat.get('k') ?? [])],
        deep: (view.deep.get('k')?.list ?? []).map((item) => [...item.bytes]),
      })),
    },
  },
)

const mounted = mount([blobs], codec)
const STORED = { kind: 'value', value: { flat: [1, 2], deep: [[3, 4]] } }

function world() {
  const made = new SessionWorld(mounted.userMachine)
  const user = made.open(sessionOf('user:a').principal)
  const run = (name: string) => made.submit(mounted, user, 'blobs', name, null)
  expect(run('put')).toEqual({ kind: 'value', value: null })
  return { run, read: () => made.query('blobs', 'read', null), made }
}

describe('bytes in rows', () => {
  test('bytes that a handler changes after it set them stay in the state as they were set', () => {
    expect(world().read()).toEqual(STORED)
  })
  test('bytes that a handler or a query got from a table are its own', () => {
    const { run, read, made } = world()
    run('spoil')
    expect(read()).toEqual(STORED)
    made.query('blobs', 'spoil', null)
    expect(read()).toEqual(STORED)
  })
  test('FM-3 changing a row with bytes in place is an error, as in any row', () => {
    expect(world().run('mutate')).toMatchObject({ code: 'MACHINE_ERROR' })
  })

  test('a table that shares bytes hands out the very bytes it was given', () => {
    const state = { rows: tableSharingBytes(z.string(), bytes) }
    const same = defineMachine(
      'same',
      { version: 1, state },
      {
        commands: {
          put: command({ input: z.null(), output: z.boolean() }, (ctx) => {
            const row = new Uint8Array([1])
            ctx.state.rows.set('k', row)
            return ctx.state.rows.get('k') === row
          }),
        },
      },
    )
    const host = new MemoryHost(mount([same], codec).userMachine)
    expect(host.apply('same', 'put', null)).toEqual({ kind: 'value', value: true })
  })

  test('parts without bytes are shared, and a row without bytes is the row itself', () => {
    const row = { label: { text: 'a' }, list: [{ n: 1 }, { bytes: new Uint8Array([1]) }] }
    const copy = copyBytes(row) as typeof row
    expect(copy).toEqual(row)
    expect(copy.label).toBe(row.label)
    expect(copy.list[0]).toBe(row.list[0])
    expect(copy.list[1]?.bytes).not.toBe(row.list[1]?.bytes)
    expect([copy, copy.list, copy.list[1]].every(Object.isFrozen)).toBe(true)
    expect(copyBytes(row.label)).toBe(row.label)
  })
  test.each<[string, object]>([
    ['a getter', Object.defineProperty({ bytes: new Uint8Array(1) }, 'x', { get: () => 1, enumerable: true })],
    ['a hidden property', Object.defineProperty({ bytes: new Uint8Array(1) }, 'x', { value: 1 })],
    ['a symbol', { bytes: new Uint8Array(1), [Symbol('x')]: 1 }],
    ['a hole', Object.assign(new Array(2), { 0: new Uint8Array(1) })],
    ['a named element', Object.assign([new Uint8Array(1)], { x: 1 })],
    ['a Buffer', { bytes: Buffer.from([1]) }],
    ['a key named __proto__', Object.defineProperty({}, '__proto__', { value: new Uint8Array(1), enumerable: true })],
  ])('a row with %s is refused with copied bytes as without', (_what, row) => {
    const walk = (value: unknown) => codec.walk(value, { high: 0, low: 0 })
    expect(() => walk(row)).toThrow()
    expect(() => walk(copyBytes(row as Value))).toThrow()
  })
  test('a circular row with bytes is left to the walk', () => {
    const row: { bytes: Uint8Array; self?: object } = { bytes: new Uint8Array(1) }
    row.self = row
    expect(() => codec.walk(copyBytes(row as unknown as Value), { high: 0, low: 0 })).toThrow()
  })

  test.each<[boolean, z.ZodType]>([
    [false, z.object({ a: z.int(), b: z.array(z.enum(['x'])).optional(), c: z.tuple([z.null(), z.literal(1)]) })],
    [false, z.record(z.string(), z.union([z.string(), z.boolean().nullable()]))],
    [false, z.strictObject({ a: z.string().min(1).default('a') }).readonly()],
    [true, bytes],
    [true, nested],
    [true, z.object({ a: bytes.nullable().optional() })],
    [true, z.record(z.string(), z.array(bytes))],
    [true, z.tuple([z.int()], bytes)],
    [true, z.union([z.int(), z.object({ a: bytes })])],
    [true, z.lazy(() => bytes)],
    [true, z.unknown()],
    [true, z.looseObject({ a: z.int() })],
    [true, z.string().transform((text) => new TextEncoder().encode(text))],
  ])('the schema tells once whether rows may hold bytes: %s (%#)', (expected, schema) => {
    expect(mayHoldBytes(schema)).toBe(expected)
  })
  test('a recursive schema holds bytes where any of its parts does', () => {
    const tree = z.object({
      name: z.string(),
      get children() {
        return z.array(tree)
      },
    })
    const leaf = z.object({
      get children() {
        return z.array(leaf)
      },
      bytes,
    })
    expect([mayHoldBytes(tree), mayHoldBytes(leaf)]).toEqual([false, true])
  })
})
