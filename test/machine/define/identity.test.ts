import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { z } from 'zod'
import { bare } from '../../../src/machine/define/bare.ts'
import { command, query } from '../../../src/machine/define/command.ts'
import { defineMachine, type MachineDefinition } from '../../../src/machine/define/define-machine.ts'
import { describeSchema } from '../../../src/machine/define/describe-schema.ts'
import { identityOf } from '../../../src/machine/define/identity.ts'
import { table, task } from '../../../src/machine/define/schema.ts'
import { counter } from '../../../src/machines/counter.ts'
import { register } from '../../../src/machines/register.ts'
import type { UserStateMachine } from '../../../src/session/user-machine.ts'

type Shapes = { readonly [name: string]: z.ZodType }

/** A machine whose every part may be another. */
function machineOf(change: {
  key?: z.ZodType<string | number>
  row?: z.ZodType
  input?: z.ZodType
  output?: z.ZodType
  errors?: Shapes
  requests?: Shapes
  timers?: Shapes
  result?: z.ZodType
  payload?: z.ZodType
  task?: { role?: string; leaseMs?: number; maxAttempts?: number; backoffMs?: readonly number[] }
  command?: string
  answer?: number
  queries?: boolean
}): MachineDefinition {
  const { answer = 1 } = change
  const ignore = (): void => undefined
  const commands = {
    [change.command ?? 'take']: command(
      { input: change.input ?? z.object({ a: z.string(), b: z.int() }), output: change.output ?? z.int() },
      answer === 1 ? () => 1 : () => 2,
    ),
  }
  const timers = change.timers ?? { tick: z.null() }
  return defineMachine(
    'stock',
    {
      version: 1,
      state: { items: table(change.key ?? z.string(), change.row ?? z.object({ left: z.int() })) },
      errors: change.errors ?? { EMPTY: z.object({ name: z.string() }) },
      requests: change.requests ?? { low: z.string() },
      timers,
      tasks: {
        ship: task({
          role: 'shipper',
          leaseMs: 1000,
          maxAttempts: 3,
          backoffMs: [100],
          payload: change.payload ?? z.string(),
          result: change.result ?? z.object({ ok: z.boolean() }),
          ...change.task,
        }),
      },
    },
    {
      commands,
      queries: change.queries === true ? { all: query({ input: z.null(), output: z.int() }, () => 1) } : {},
      timers: Object.fromEntries(Object.keys(timers).map((kind) => [kind, ignore])),
      tasks: { ship: { onResult: ignore, onFailed: ignore } },
    },
  ) as unknown as MachineDefinition
}

const schemaOf = (change: Parameters<typeof machineOf>[0]): string => identityOf(machineOf(change)).schema
const SAME = schemaOf({})

describe('a machine is another one as soon as', () => {
  test.each<[string, Parameters<typeof machineOf>[0]]>([
    ['a key is of another type', { key: z.int() }],
    ['a row has another field', { row: z.object({ left: z.int(), more: z.string() }) }],
    ['a field of a row may be left out', { row: z.object({ left: z.int().optional() }) }],
    ['a field of a row may be null', { row: z.object({ left: z.int().nullable() }) }],
    ['a command has another name', { command: 'give' }],
    ['an input takes less', { input: z.object({ a: z.string().max(3), b: z.int() }) }],
    ['an input takes another pattern', { input: z.object({ a: z.string().regex(/x/), b: z.int() }) }],
    ['an output is of another type', { output: z.string() }],
    ['an error has other details', { errors: { EMPTY: z.object({ name: z.int() }) } }],
    ['there is one more error', { errors: { EMPTY: z.object({ name: z.string() }), FULL: z.null() } }],
    ['a request carries something else', { requests: { low: z.int() } }],
    ['a timer carries something else', { timers: { tick: z.int() } }],
    ['there is one more timer', { timers: { tick: z.null(), tock: z.null() } }],
    ['a task is for another role', { task: { role: 'packer' } }],
    ['a task has another lease', { task: { leaseMs: 1001 } }],
    ['a task has more attempts', { task: { maxAttempts: 4 } }],
    ['a task waits otherwise', { task: { backoffMs: [100, 200] } }],
    ['a task carries something else', { payload: z.int() }],
    ['a task has another result', { result: z.object({ ok: z.string() }) }],
    ['what apply fills into a result is another value', { result: z.object({ ok: z.boolean().default(true) }) }],
  ])('%s', (_what, change) => {
    expect(schemaOf(change)).not.toBe(SAME)
  })

  test('a default of a result, which apply parses, is another value', () => {
    const result = (ok: boolean): z.ZodType => z.object({ ok: z.boolean().default(ok) })
    expect(schemaOf({ result: result(true) })).not.toBe(schemaOf({ result: result(false) }))
  })
})

describe('a machine stays the same when', () => {
  test.each<[string, Parameters<typeof machineOf>[0]]>([
    ['fields are declared in another order', { input: z.object({ b: z.int(), a: z.string() }) }],
    ['a field is described', { input: z.object({ a: z.string().describe('a name'), b: z.int() }) }],
    ['a field has metadata', { input: z.object({ a: z.string().meta({ title: 'A' }), b: z.int() }) }],
    ['a message is another', { input: z.object({ a: z.string({ error: 'a text!' }), b: z.int() }, { error: 'no' }) }],
    ['an input is declared strict, as every input is', { input: z.strictObject({ a: z.string(), b: z.int() }) }],
    ['it has queries', { queries: true }],
    ['a field is branded', { input: z.object({ a: z.string().brand('A'), b: z.int() }) }],
  ])('%s', (_what, change) => {
    expect(schemaOf(change)).toBe(SAME)
  })

  test('tables, errors, requests, timers and bounds are declared in another order', () => {
    const bounds = (row: z.ZodType): string => schemaOf({ row })
    expect(bounds(z.string().min(1).max(3))).toBe(bounds(z.string().max(3).min(1)))
    const two = { a: z.int(), b: z.null() }
    const turned = { b: z.null(), a: z.int() }
    expect(schemaOf({ errors: two, requests: two, timers: two })).toBe(
      schemaOf({ errors: turned, requests: turned, timers: turned }),
    )
  })

  test('a default that the leader fills in is another value', () => {
    const input = (b: number): z.ZodType => z.object({ a: z.string(), b: z.int().default(b) })
    expect(schemaOf({ input: input(1) })).toBe(schemaOf({ input: input(2) }))
    expect(schemaOf({ input: input(1) })).not.toBe(SAME)
  })

  test('its handlers are others: only `code` tells', () => {
    const [one, two] = [identityOf(machineOf({ answer: 1 })), identityOf(machineOf({ answer: 2 }))]
    expect(one.schema).toBe(two.schema)
    expect(one.code).not.toBe(two.code)
  })
})

describe('schemas that differ are described differently', () => {
  const kinds: readonly (readonly [string, z.ZodType])[] = [
    ['string', z.string()],
    ['number', z.number()],
    ['integer', z.int()],
    ['int32', z.int32()],
    ['from 0', z.number().min(0)],
    ['above 0', z.number().gt(0)],
    ['to 0', z.number().max(0)],
    ['steps', z.number().multipleOf(5)],
    ['coerced', z.coerce.number()],
    ['bigint', z.bigint()],
    ['boolean', z.boolean()],
    ['null', z.null()],
    ['any', z.any()],
    ['never', z.never()],
    ['date', z.date()],
    ['bytes', z.instanceof(Uint8Array)],
    ['email', z.email()],
    ['an email by another pattern', z.email({ pattern: /@/ })],
    ['uuid', z.uuid()],
    ['uuid 4', z.uuid({ version: 'v4' })],
    ['time', z.iso.datetime()],
    ['time with offset', z.iso.datetime({ offset: true })],
    ['url', z.url()],
    ['url by protocol', z.url({ protocol: /^https$/ })],
    ['pattern', z.string().regex(/a/)],
    ['pattern with flags', z.string().regex(/a/i)],
    ['own format', z.stringFormat('own', /a/)],
    ['starts', z.string().startsWith('a')],
    ['ends', z.string().endsWith('a')],
    ['includes', z.string().includes('a')],
    ['trimmed, then bounded', z.string().trim().min(1)],
    ['bounded, then trimmed', z.string().min(1).trim()],
    ['refined', z.string().refine((text) => text !== '')],
    ['transformed', z.string().transform((text) => text.length)],
    ['enum', z.enum(['a', 'b'])],
    ['smaller enum', z.enum(['a'])],
    ['literal', z.literal('a')],
    ['literals', z.literal(['a', 1])],
    ['template', z.templateLiteral(['a', z.int()])],
    ['array', z.array(z.string())],
    ['short array', z.array(z.string()).max(2)],
    ['tuple', z.tuple([z.string()])],
    ['tuple with rest', z.tuple([z.string()], z.int())],
    ['object', z.object({ a: z.string() })],
    ['loose object', z.looseObject({ a: z.string() })],
    ['catchall', z.object({ a: z.string() }).catchall(z.int())],
    ['refined object', z.object({ a: z.string() }).refine(() => true)],
    ['record', z.record(z.string(), z.int())],
    ['record by enum', z.record(z.enum(['a']), z.int())],
    ['partial record', z.partialRecord(z.enum(['a']), z.int())],
    ['map', z.map(z.string(), z.int())],
    ['set', z.set(z.string())],
    ['union', z.union([z.string(), z.int()])],
    ['union in another order', z.union([z.int(), z.string()])],
    ['xor', z.xor([z.string(), z.int()])],
    ['intersection', z.intersection(z.object({ a: z.int() }), z.object({ b: z.int() }))],
    ['optional', z.string().optional()],
    ['exactly optional', z.exactOptional(z.string())],
    ['nullable', z.string().nullable()],
    ['default', z.string().default('')],
    ['prefault', z.string().prefault('')],
    ['catch', z.string().catch('')],
    ['readonly', z.array(z.string()).readonly()],
    ['pipe', z.string().pipe(z.email())],
    ['lazy', z.lazy(() => z.string())],
  ]

  test('each kind of zod by itself', () => {
    const seen = new Map<string, string>()
    for (const [name, schema] of kinds) {
      const text = JSON.stringify(describeSchema(schema, { values: false }))
      expect(seen.get(text), `${name}: ${text}`).toBeUndefined()
      seen.set(text, name)
    }
  })

  test('by a discriminator the order of the options means nothing', () => {
    const [a, b] = [z.object({ kind: z.literal('a') }), z.object({ kind: z.literal('b') })]
    const of = (schema: z.ZodType): string => JSON.stringify(describeSchema(schema, { values: false }))
    expect(of(z.discriminatedUnion('kind', [a, b]))).toBe(of(z.discriminatedUnion('kind', [b, a])))
  })

  test('recursive schemas end, by a getter, lazily, and made anew for ever', () => {
    const node = z.object({
      name: z.string(),
      get next() {
        return node.optional()
      },
    })
    const made = (): z.ZodType => z.object({ next: z.lazy(made).optional() })
    const endless = (): z.ZodType => z.object({ next: z.lazy(() => endless()), other: z.lazy(() => endless()) })
    for (const schema of [node, made(), endless()]) {
      const text = JSON.stringify(describeSchema(schema, { values: false }))
      expect(text).toBe(JSON.stringify(describeSchema(schema, { values: false })))
      expect(text.length).toBeLessThan(1_000_000)
    }
    expect(JSON.stringify(describeSchema(node, { values: false }))).toContain('again')
  })

  test('whatever the order of an object’s keys, at any depth', () => {
    const tree = fc.letrec<{ node: fc.JsonValue; leaf: fc.JsonValue; object: fc.JsonValue }>((tie) => ({
      node: fc.oneof({ maxDepth: 4 }, tie('leaf'), tie('object')),
      leaf: fc.constantFrom('string', 'number', 'boolean'),
      object: fc.dictionary(fc.string({ minLength: 1, maxLength: 4 }), tie('node'), { maxKeys: 4 }) as never,
    })).object
    const build = (value: unknown, turned: boolean): z.ZodType => {
      if (typeof value === 'string')
        return value === 'string' ? z.string() : value === 'number' ? z.number() : z.boolean()
      const entries = Object.entries(value as object).map(([key, inner]) => [key, build(inner, turned)] as const)
      return z.object(Object.fromEntries(turned ? entries.reverse() : entries))
    }
    fc.assert(
      fc.property(tree, (value) => {
        const [one, two] = [false, true].map((turned) => describeSchema(build(value, turned), { values: true }))
        expect(JSON.stringify(one)).toBe(JSON.stringify(two))
      }),
      { numRuns: 100 },
    )
  })
})

test('the identities of our own machines are pinned: another release of zod may not change them', () => {
  expect([counter, register].map((machine) => identityOf(machine).schema)).toMatchInlineSnapshot(`
    [
      "69f4ce8e18c8959471767ffb64d86b6d31ed3b9fbd76d4ace404b06f472fe042",
      "a0761b0e8978ca5285340bd2472cd942e0a70f76f55d15b811bc21725c8ea352",
    ]
  `)
})

test('a bare machine is known by what it declares, and by nothing where it declares nothing', () => {
  class Machine implements UserStateMachine {
    apply = (): { kind: 'value'; value: null } => ({ kind: 'value', value: null })
    onSessionCreated(): void {}
    onSessionExpired(): void {}
  }
  const plain = identityOf(bare('plain', new Machine(), { version: 3 }))
  expect(plain).toMatchObject({ name: 'plain', version: 3, schema: '' })
  expect(plain.code).toMatch(/^[0-9a-f]{64}$/)
  const declared = (input: z.ZodType): string =>
    identityOf(bare('plain', new Machine(), { commands: { run: input } })).schema
  expect(declared(z.int())).toMatch(/^[0-9a-f]{64}$/)
  expect(declared(z.int())).not.toBe(declared(z.string()))
})
