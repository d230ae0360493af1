import { describe, expect, test } from 'vitest'
import { ApplyHalt } from '../../../src/session/run/halt.ts'
import { z } from 'zod'
import { bare } from '../../../src/machine/define/bare.ts'
import { identityOf } from '../../../src/machine/define/identity.ts'
import { command, defineMachine, mount, type Mountable, query, table } from '../../../src/machine/index.ts'
import { code, codec, Log, swapped, value } from '../../session/log.ts'
import { SessionStateMachine } from '../../../src/session/session-state-machine.ts'

/** Version 1 counts items by name; a timer of it adds one. */
const one = defineMachine(
  'stock',
  { version: 1, state: { items: table(z.string(), z.int()) }, timers: { refill: z.string() } },
  {
    commands: {
      add: command({ input: z.object({ name: z.string() }), output: z.int() }, (ctx, { name }) => {
        const next = (ctx.state.items.get(name) ?? 0) + 1
        ctx.state.items.set(name, next)
        return next
      }),
      later: command({ input: z.string(), output: z.null() }, (ctx, name) => {
        ctx.schedule('refill', ctx.now + 1000, name)
        return null
      }),
    },
    queries: { left: query({ input: z.string(), output: z.int() }, (view, name) => view.items.get(name) ?? 0) },
    timers: { refill: (ctx, name) => ctx.state.items.set(name, (ctx.state.items.get(name) ?? 0) + 1) },
    onSessionCreated: (ctx, session) => ctx.audit(`1 saw ${session.name}`),
  },
)

/** Version 2 keeps objects, adds as many as it is told, and its timer adds ten. */
const two = (migrate?: () => void) =>
  defineMachine(
    'stock',
    { version: 2, state: { items: table(z.string(), z.object({ left: z.int() })) }, timers: { refill: z.string() } },
    {
      commands: {
        add: command(
          { input: z.object({ name: z.string(), count: z.int().default(1) }), output: z.int() },
          (ctx, input) => {
            const left = (ctx.state.items.get(input.name)?.left ?? 0) + input.count
            ctx.state.items.set(input.name, { left })
            return left
          },
        ),
      },
      queries: { left: query({ input: z.string(), output: z.int() }, (view, name) => view.items.get(name)?.left ?? 0) },
      timers: {
        refill: (ctx, name) => ctx.state.items.set(name, { left: (ctx.state.items.get(name)?.left ?? 0) + 10 }),
      },
      onSessionCreated: (ctx, session) => ctx.audit(`2 saw ${session.name}`),
      migrations: {
        1: () => {
          throw new Error('nobody comes from version 0')
        },
        2: (ctx) => {
          for (const [name, left] of ctx.state.items.range({ limit: 1000 })) {
            ctx.state.items.set(name, { left: left as unknown as number })
          }
          migrate?.()
        },
      },
    },
  )

const schemaOf = (machine: Mountable): string => identityOf(machine as never).schema
const advance = (machine: Mountable) => ({ machine: machine.name, to: machine.version ?? 1, schema: schemaOf(machine) })

const left = (log: Log, name: string): unknown =>
  log.machine.query({ machine: 'stock', query: 'left', input: name, session: null })

function logOf(machines: readonly Mountable[], ...active: readonly Mountable[]): Log {
  const log = new Log(mount(machines, codec).userMachine)
  for (const machine of active) log.append('AdvanceVersion', { machines: [advance(machine)] })
  return log
}

const add = (log: Log, session: number, id: number, version: number, input: object = { name: 'a' }) =>
  log.request(session, id, 'add', { machine: 'stock', version, input: input as never })

describe('a machine in several versions', () => {
  test('a definition of version 2 runs, once the log has switched to it', () => {
    const log = logOf([two()], two())
    expect(value(add(log, log.open('client'), 1, 2, { name: 'a', count: 3 }))).toBe(3)
    expect(left(log, 'a')).toEqual({ kind: 'value', value: 3 })
  })

  test('each entry runs under the version that is active at its index, and the rows are migrated in between', () => {
    const log = logOf([one, two()], one)
    const session = log.open('client')
    expect(value(add(log, session, 1, 1))).toBe(1)
    expect(value(log.request(session, 2, 'later', { machine: 'stock', input: 'a' }))).toBeNull()
    expect(left(log, 'a')).toEqual({ kind: 'value', value: 1 })
    log.append('AdvanceVersion', { machines: [advance(two())] })
    expect(log.machine.activeVersion('stock')).toBe(2)
    expect(left(log, 'a')).toEqual({ kind: 'value', value: 1 })
    expect(code(add(log, session, 3, 1))).toBe('VERSION_CHANGED')
    expect(value(add(log, session, 3, 2, { name: 'a', count: 5 }))).toBe(6)
    // Armed under version 1, fired under version 2.
    log.advance(2000)
    log.empty('Tick')
    expect(left(log, 'a')).toEqual({ kind: 'value', value: 16 })
    log.machine.checkInvariants()
  })

  test('hooks are those of the active version alone', () => {
    const log = logOf([one, two()], one)
    log.open('first')
    log.append('AdvanceVersion', { machines: [advance(two())] })
    log.open('second')
    const rows = [...swapped(log.machine)].filter(([key]) => key.startsWith('session/audit/')).map(([, row]) => row)
    expect(rows).toMatchObject([{ record: '1 saw first' }, { record: '2 saw second' }])
  })

  test('a migration that throws leaves rows and version, is told, and every replica does alike', () => {
    const failing = two(() => {
      throw new Error('not so')
    })
    const [log, again] = [logOf([one, failing], one), logOf([one, failing], one)]
    for (const { append, open } of [log, again].map((each) => ({
      append: () => each.append('AdvanceVersion', { machines: [advance(failing)] }),
      open: () => value(add(each, each.open('client'), 1, 1)),
    }))) {
      open()
      append()
    }
    expect(log.machine.activeVersion('stock')).toBe(1)
    expect(left(log, 'a')).toEqual({ kind: 'value', value: 1 })
    expect(log.reports).toMatchObject([{ kind: 'failure', part: { machine: 'stock', name: 'migration' } }])
    expect(log.machine.stateHash()).toBe(again.machine.stateHash())
    const alerts = [...swapped(log.machine)].filter(([key]) => key.startsWith('session/alert/'))
    expect(JSON.stringify(alerts)).toContain('MIGRATION_FAILED')
  })

  test('a version never falls, and a lower one is not even asked for', () => {
    const log = logOf([two()], two())
    log.append('AdvanceVersion', { machines: [{ ...advance(one), machine: 'stock' }] })
    expect(log.machine.activeVersion('stock')).toBe(2)
  })
})

describe('a machine that the log has not switched to', () => {
  const other = bare('other', {
    apply: () => ({ kind: 'value', value: 'ran' }),
    onSessionCreated: hook,
    onSessionExpired: hook,
  })
  let hooks = 0
  function hook(): void {
    hooks += 1
  }

  test('runs no command and no hook', () => {
    hooks = 0
    const log = logOf([one, other], one)
    const session = log.open('client')
    expect(hooks).toBe(0)
    for (const [id, version] of [
      [1, 1],
      [1, 0],
    ] as const) {
      const reply = log.request(session, id, 'run', { machine: 'other', version })
      expect(code(reply), `version ${version}`).toBe(version === 0 ? 'UNKNOWN_MACHINE' : 'VERSION_CHANGED')
    }
    log.append('AdvanceVersion', { machines: [advance(other)] })
    log.open('another')
    expect(hooks).toBe(1)
    expect(value(log.request(session, 2, 'run', { machine: 'other' }))).toBe('ran')
  })

  test('is refused by the parser, with what the log runs and what this build has', () => {
    const { parse, parseQuery } = mount([one, other], codec)
    const input = codec.encodeValue({ name: 'a' })
    expect(parse('stock', 'add', input, 0)).toMatchObject({ ok: false, code: 'MACHINE_NOT_ACTIVE' })
    expect(parse('stock', 'add', input, 7)).toMatchObject({ ok: false, message: expect.stringContaining('version 7') })
    expect(parseQuery('stock', 'left', codec.encodeValue('a'), 0)).toMatchObject({ code: 'MACHINE_NOT_ACTIVE' })
    expect(parse('stock', 'add', input, 1)).toMatchObject({ ok: true, version: 1 })
  })
})

test('inputs are parsed by the version that is asked for, by the highest without one', () => {
  const { parse } = mount([two(), one], codec)
  const input = codec.encodeValue({ name: 'a' })
  const parsed = [1, 2, undefined].map((active) => parse('stock', 'add', input, active))
  expect(parsed.map((each) => each.ok && [each.version, codec.decodeValue(each.input)])).toEqual([
    [1, { name: 'a' }],
    [2, { name: 'a', count: 1 }],
    [2, { name: 'a', count: 1 }],
  ])
  expect(parse('stock', 'later', codec.encodeValue('a'), 2)).toMatchObject({ code: 'UNKNOWN_COMMAND' })
})

describe('a log without AdvanceVersion entries, of an earlier build', () => {
  test('is at version 1, and the lowest version that the build has does the rest', () => {
    const log = logOf([one, two()])
    expect(log.machine.activated).toBe(false)
    expect(value(add(log, log.open('client'), 1, 1))).toBe(1)
    const later = logOf([two()])
    const session = later.open('client')
    expect(code(add(later, session, 1, 2))).toBe('VERSION_CHANGED')
    expect(JSON.stringify([...swapped(later.machine)])).toContain('2 saw client')
  })

  test('one entry switches all of its machines on, without a migration', () => {
    const log = logOf([two()])
    log.append('AdvanceVersion', { machines: [advance(two())] })
    expect(log.reports).toEqual([])
    expect(log.machine.machines()).toMatchObject([{ name: 'stock', active: 2, schema: schemaOf(two()) }])
  })
})

test('the rows of a snapshot name versions and schemas', () => {
  const log = logOf([one, two()], one)
  const rows = swapped(log.machine)
  const key = [...rows.keys()].find((each) => each.startsWith('session/version/')) ?? ''
  expect(rows.get(key)).toEqual({ version: 1, schema: schemaOf(one) })
  const restored = new SessionStateMachine(mount([one], codec).userMachine, codec)
  for (const [at, row] of rows) if (row !== undefined) restored.restoreRow(at, row)
  restored.restored({ index: log.machine.appliedIndex, term: 1, lease: 0, now: 0 })
  expect(restored.machines()).toMatchObject([{ name: 'stock', active: 1, schema: schemaOf(one) }])
  restored.checkInvariants()
})

describe('what a build must not decide', () => {
  test('the order in which machines are listed', () => {
    const greeter = (name: string): Mountable =>
      defineMachine(
        name,
        { version: 1, state: {}, requests: { hello: z.string() } },
        { commands: {}, onSessionCreated: (ctx, session) => void ctx.emit(session.id, 'hello', name) },
      )
    const [first, second] = [greeter('aa'), greeter('bb')]
    const hashes = [
      [first, second],
      [second, first],
    ].map((machines) => {
      const log = new Log(mount(machines, codec).userMachine)
      log.append('AdvanceVersion', { machines: [first, second].map(advanceTo) })
      log.open('client')
      return log.machine.stateHash()
    })
    expect(hashes[0]).toBe(hashes[1])
  })

  test('by which version a log of an earlier build is applied again', () => {
    for (const build of [[two()], []]) {
      const log = new Log(mount(build, codec).userMachine)
      const session = log.open('client')
      const request = { machine: 'stock', version: 1, input: { name: 'a' } }
      expect(() => log.request(session, 1, 'add', request)).toThrow(ApplyHalt)
    }
  })
})

const advanceTo = (machine: Mountable) => ({
  machine: machine.name,
  to: machine.version ?? 1,
  schema: identityOf(machine).schema,
})
