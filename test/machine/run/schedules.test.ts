import { expect, test } from 'vitest'
import { z } from 'zod'
import { command, defineMachine, identityOf, mount, table } from '../../../src/machine/index.ts'
import { codec, Log } from '../../session/log.ts'
import { machineHarness } from '../../../src/testing/index.ts'

const BASE = { version: 1, state: { ran: table(z.string(), z.string()) } } as const
const payload = z.object({ to: z.string() })
const EVERY_HOUR = { cron: '0 * * * *', zone: 'UTC' } as const

const bells = defineMachine(
  'bells',
  { ...BASE, schedules: { ring: payload, plain: z.null() } },
  {
    commands: {
      ring: command({ input: z.string(), output: z.boolean() }, (ctx, key) =>
        ctx.schedules.put('ring', { ...EVERY_HOUR, payload: { to: key } }, key),
      ),
      plain: command({ input: z.null(), output: z.boolean() }, (ctx) =>
        ctx.schedules.put('plain', { ...EVERY_HOUR, payload: null }),
      ),
      undeclared: command({ input: z.null(), output: z.boolean() }, (ctx) =>
        ctx.schedules.put('other' as 'plain', { ...EVERY_HOUR, payload: null }),
      ),
      find: command({ input: z.string(), output: z.string().nullable() }, (ctx, key) => {
        return ctx.schedules.find('ring', key)?.name ?? null
      }),
      drop: command({ input: z.string(), output: z.boolean() }, (ctx, kind) => ctx.schedules.cancel(kind, 'c')),
      end: command({ input: z.int(), output: z.boolean() }, (ctx, run) => ctx.schedules.end('ring', run, 'a/b')),
    },
    schedules: {
      ring: (ctx, { run, payload: { to } }, key) => {
        ctx.state.ran.set(`${key} ${run}`, to)
        return 'open'
      },
      plain: (ctx, { run }, key) => ctx.state.ran.set(`plain ${key}${run}`, ''),
    },
  },
)

test('schedules of a machine are apart by kind and key, and a handler says that its run goes on', () => {
  const harness = machineHarness([bells])
  const { machines } = harness.session('user:a')
  machines.bells.ring('a/b')
  machines.bells.ring('c')
  machines.bells.plain(null)
  harness.advance('2h')
  expect(harness.table('bells', 'ran').map(([name]) => name)).toEqual(['a/b 1', 'c 1', 'plain 1', 'plain 2'])
  expect(machines.bells.find('a/b')).toEqual({ kind: 'ok', value: 'ring/a/b' })
  expect(machines.bells.find('d')).toEqual({ kind: 'ok', value: null })
  // A migration takes away what only an earlier version has declared.
  expect(machines.bells.drop('gone')).toEqual({ kind: 'ok', value: false })
  expect(machines.bells.end(1)).toEqual({ kind: 'ok', value: true })
  harness.advance('1h')
  expect(harness.table('bells', 'ran').map(([name]) => name)).toContain('a/b 2')
  expect(harness.schedules.map(({ name, skipped }) => [name, skipped])).toEqual([
    ['plain', 0],
    ['ring/a/b', 1],
    ['ring/c', 2],
  ])
})

test('a run whose handler returns a rejection has failed, and leaves nothing', () => {
  const refusing = defineMachine(
    'refusing',
    { ...BASE, errors: { NO: z.object({}) }, schedules: { ring: z.null() } },
    {
      commands: {
        begin: command({ input: z.null(), output: z.boolean() }, (ctx) =>
          ctx.schedules.put('ring', { ...EVERY_HOUR, payload: null }),
        ),
      },
      schedules: {
        ring: (ctx, { run }) => {
          ctx.state.ran.set(String(run), 'half')
          return ctx.reject('NO', {}) as never
        },
      },
    },
  )
  const harness = machineHarness([refusing], { failures: 'collect' })
  harness.session('user:a').machines.refusing.begin(null)
  harness.advance('2h')
  expect(harness.table('refusing', 'ran')).toEqual([])
  expect(harness.schedules).toMatchObject([{ runs: 2, failed: 2 }])
})

test('a version that declares a kind no more cancels its schedules as it migrates', () => {
  const later = defineMachine(
    'bells',
    { ...BASE, version: 2 },
    { commands: {}, migrations: { 2: (ctx) => void ctx.schedules.cancel('ring', 'a') } },
  )
  const log = new Log(mount([bells, later], codec).userMachine)
  const advance = (machine: typeof bells | typeof later) =>
    log.append('AdvanceVersion', {
      machines: [{ machine: 'bells', to: machine.version, schema: identityOf(machine).schema }],
    })
  advance(bells)
  log.request(log.open('a'), 1, 'ring', { machine: 'bells', input: 'a' })
  expect(log.machine.schedules.find('bells', 'ring/a')).not.toBe(null)
  advance(later)
  expect(log.machine.activeVersion('bells')).toBe(2)
  expect(log.machine.schedules.find('bells', 'ring/a')).toBe(null)
  log.machine.checkInvariants()
})

test('a kind that is not declared is a bug of the handler, and one without a handler one of the definition', () => {
  const harness = machineHarness([bells])
  expect(() => harness.session('user:a').machines.bells.undeclared(null)).toThrow('bells declares no schedule other')
  expect(() => defineMachine('m', { ...BASE, schedules: { a: payload } }, { commands: {} })).toThrow(
    'schedules.a is declared',
  )
  const slash = { ...BASE, schedules: { 'a/b': payload } }
  expect(() => defineMachine('m', slash, { commands: {}, schedules: { 'a/b': () => undefined } })).toThrow('no slash')
})

test('a machine without schedules has the fingerprint that it had; what a run is told is part of one with', () => {
  const define = (schedules: { readonly [kind: string]: z.ZodType }) =>
    defineMachine('m', { ...BASE, schedules }, { commands: {}, schedules: { a: () => undefined } })
  const schemas = [
    defineMachine('m', BASE, { commands: {} }),
    define({}),
    define({ a: payload }),
    define({ a: z.int() }),
  ].map((machine) => identityOf(machine).schema)
  expect(schemas[0]).toBe(schemas[1])
  expect(new Set(schemas).size).toBe(3)
})
