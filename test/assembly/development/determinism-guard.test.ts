import { describe, expect, test } from 'vitest'
import { z } from 'zod'
import { sessionCodec } from '../../../src/codec/session-codec.ts'
import { command, defineMachine, mount, query } from '../../../src/machine/index.ts'
import type { UserStateMachine } from '../../../src/session/user-machine.ts'
import { DeterminismError, withDeterminismGuard } from '../../../src/testing/index.ts'
import { MemoryHost } from '../../machine/run/memory-context.ts'

/** A guarded machine (machines.md §2, §6) whose one command runs `body`. */
function guarded(body: (context: Parameters<UserStateMachine['apply']>[0]) => unknown) {
  const violations: string[] = []
  const machine: UserStateMachine = {
    apply: (context) => {
      body(context)
      return { kind: 'value', value: null }
    },
    onSessionCreated: (context) => void body(context),
    onSessionExpired: () => undefined,
  }
  const host = new MemoryHost(withDeterminismGuard(machine, ({ api }) => violations.push(api)))
  return { host, violations, run: () => host.apply('any', 'run', null) }
}

const forbidden: readonly (readonly [api: string, instead: string, use: () => unknown])[] = [
  ['Date.now()', 'ctx.now', () => Date.now()],
  ['new Date()', 'ctx.now', () => new Date()],
  ['Date()', 'ctx.now', () => Date()],
  ['performance.now()', 'ctx.now', () => performance.now()],
  ['process.hrtime()', 'ctx.now', () => process.hrtime()],
  ['Math.random()', 'ctx.random()', () => Math.random()],
  ['crypto.randomUUID()', 'ctx.id(prefix)', () => crypto.randomUUID()],
  ['crypto.getRandomValues()', 'ctx.random()', () => crypto.getRandomValues(new Uint8Array(4))],
  ['setTimeout()', 'ctx.schedule', () => setTimeout(() => undefined, 1)],
  ['setInterval()', 'ctx.schedule', () => setInterval(() => undefined, 1)],
  ['setImmediate()', 'ctx.schedule', () => setImmediate(() => undefined)],
  ['queueMicrotask()', 'ctx.schedule', () => queueMicrotask(() => undefined)],
  ['process.nextTick()', 'ctx.schedule', () => process.nextTick(() => undefined)],
  ['fetch()', 'ctx.task', () => fetch('x:')],
  ['String.localeCompare()', 'compare with < and >', () => 'a'.localeCompare('b')],
  ['String.toLocaleUpperCase()', 'in the client', () => 'a'.toLocaleUpperCase()],
  ['String.normalize()', 'in the client', () => 'a'.normalize()],
  ['String.toUpperCase()', 'letters whose pairs are settled', () => 'a\u019b'.toUpperCase()],
  ['String.toLowerCase()', 'letters whose pairs are settled', () => '\u{10400}'.toLowerCase()],
  ['Number.toLocaleString()', 'in the client', () => (1).toLocaleString()],
  ['BigInt.toLocaleString()', 'in the client', () => 1n.toLocaleString()],
  ['Array.toLocaleString()', 'in the client', () => [1].toLocaleString()],
  ['TypedArray.toLocaleString()', 'in the client', () => new Uint8Array(1).toLocaleString()],
  ['Intl.NumberFormat', 'in the client', () => new Intl.NumberFormat('en').format(1)],
  ['Date.getHours()', 'UTC', () => new Date(0).getHours()],
  ['Date.setHours()', 'UTC', () => new Date(0).setHours(1)],
  ['Date.toString()', 'UTC', () => `${new Date(0)}`],
  ['new Date() of a year, a month, …', 'UTC', () => new Date(2020, 1)],
  ['new Date() of a text without zone', 'UTC', () => new Date('2020-01-01T00:00')],
  ['Date.parse() of a text without zone', 'UTC', () => Date.parse('1 January 2020')],
  ['Math.sin()', 'ctx.state', () => Math.sin(1)],
  ['Math.exp()', 'ctx.state', () => Math.exp(1)],
  ['Math.log10()', 'ctx.state', () => Math.log10(7)],
  ['Math.hypot()', 'ctx.state', () => Math.hypot(1, 2)],
  ['Math.pow()', 'ctx.state', () => Reflect.get(Math, 'pow')(2, 0.5)],
  ['crypto.subtle', 'ctx.hash', () => crypto.subtle],
  ['process.env', 'input of a command', () => process.env['HOME']],
  ['process.cwd()', 'input of a command', () => process.cwd()],
  ['process.hrtime.bigint', 'ctx.now', () => process.hrtime.bigint()],
  ['new WeakRef()', 'ctx.state', () => new WeakRef({})],
]

describe('the determinism guard', () => {
  test.each(forbidden)('UPC-1 FM-2 %s throws inside apply and names %s', (api, instead, use) => {
    const { run, violations } = guarded(use)
    expect(run).toThrow(DeterminismError)
    expect(run).toThrow(
      new RegExp(`${api.replace(/[.()…,]/g, '.')} (differs between replicas|may differ between builds of Node)`),
    )
    expect(run).toThrow(instead)
    expect(violations).toEqual([api, api, api])
  })
  test('everything is as it was after apply, also after a throw', () => {
    const members = () => [
      Date,
      Math.random,
      setTimeout,
      fetch,
      crypto.randomUUID,
      performance.now,
      process.hrtime,
      ''.localeCompare,
    ]
    const before = members()
    const own = [Object.hasOwn(crypto, 'randomUUID'), Object.hasOwn(performance, 'now')]
    guarded(() => undefined).run()
    expect(() => guarded(() => Date.now()).run()).toThrow('Date.now()')
    for (const [position, member] of members().entries()) expect(member).toBe(before[position])
    expect([Object.hasOwn(crypto, 'randomUUID'), Object.hasOwn(performance, 'now')]).toEqual(own)
    expect(Date.now()).toBeGreaterThan(0)
  })
  test('a machine that swallows the error fails all the same', () => {
    const { run, violations } = guarded(() => {
      try {
        Math.random()
      } catch {
        // Hidden from nobody.
      }
    })
    expect(run).toThrow('Math.random()')
    expect(violations).toEqual(['Math.random()'])
  })
  test('dates of a given time are arithmetic and stay allowed', () => {
    const { run } = guarded((context) => {
      expect(new Date(context.now).toISOString()).toBe('1970-01-01T00:00:01.000Z')
      expect(new Date(0) instanceof Date).toBe(true)
      expect(Date.UTC(1970, 0, 1)).toBe(0)
      expect(new Date(0).getUTCHours()).toBe(0)
      for (const text of ['1970-01-01', '1970-01-01T00:00Z', '1970-01-01T01:00:00.000+01:00'])
        expect([Date.parse(text), new Date(text).getTime()]).toEqual([0, 0])
      expect(Object.prototype.toString.call(new Date(0))).toBe('[object Date]')
    })
    expect(run()).toEqual({ kind: 'value', value: null })
  })
  test('what every build of Node computes alike stays allowed', () => {
    const { run } = guarded(() => {
      expect([Reflect.get(Math, 'pow')(2, 10), Math.sqrt(2), Math.round(2.5), Math.max(1, 2)]).toEqual([
        1024,
        Math.SQRT2,
        3,
        2,
      ])
      expect(['b', 'a'].sort()).toEqual(['a', 'b'])
      expect(['ß'.toUpperCase(), 'ÉΣЖ'.toLowerCase()]).toEqual(['SS', 'éσж'])
      expect((1.5).toFixed(1)).toBe('1.5')
    })
    expect(run()).toEqual({ kind: 'value', value: null })
  })
  test('code of the process that runs between two calls, or beside them, finds the real globals', async () => {
    const seen: unknown[] = []
    const { run } = guarded(() => void Promise.resolve().then(() => seen.push(Date.now, Math.sin, process, Intl)))
    run()
    await Promise.resolve()
    expect(seen).toEqual([Date.now, Math.sin, process, Intl])
    expect(Object.getOwnPropertyDescriptor(globalThis, 'crypto')?.get).toBeTypeOf('function')
  })
  test('guards of two nodes may nest', () => {
    const inner = guarded(() => expect(() => Date.now()).toThrow('Date.now()'))
    const machine: UserStateMachine = {
      apply: (context) => {
        context.log('to the host, which runs another machine')
        expect(() => Date.now()).toThrow('Date.now()')
        return { kind: 'value', value: null }
      },
      onSessionCreated: () => undefined,
      onSessionExpired: () => undefined,
    }
    const host = new MemoryHost(machine)
    const context = {
      ...host.context(null, []),
      log: () => {
        expect(() => inner.run()).toThrow('Date.now()')
        expect(Date.now()).toBeGreaterThan(0)
      },
    }
    expect(() => withDeterminismGuard(machine).apply(context, { machine: 'any', command: 'run', input: null })).toThrow(
      'Date.now()',
    )
    expect(Date.now()).toBeGreaterThan(0)
  })
  test('hooks and queries are guarded, and what a machine runs through ctx.once and ctx.afterReject', () => {
    const { host } = guarded(() => Date.now())
    expect(() =>
      host.transaction(null, (context) => host.machine.onSessionCreated(context, expect.anything())),
    ).toThrow()
    const inOnce = guarded((context) => context.once('a', 'b', 'c', 1, () => Date.now()))
    expect(inOnce.run).toThrow('Date.now()')
    const reject = defineMachine(
      'late',
      { version: 1, state: {} },
      {
        commands: {
          go: command({ input: z.null(), output: z.null() }, (ctx) => {
            ctx.afterReject(() => void Date.now())
            return ctx.reject('CONFLICT')
          }),
        },
        queries: { when: query({ input: z.null(), output: z.int() }, () => Date.now()) },
      },
    )
    const world = new MemoryHost(withDeterminismGuard(mount([reject], sessionCodec).userMachine))
    expect(() => world.apply('late', 'go', null)).toThrow('Date.now()')
    expect(() => world.query('late', 'when', null)).toThrow('Date.now()')
  })
  test('what the host does inside a ctx call is not guarded', () => {
    const machine: UserStateMachine = {
      apply: (context) => {
        context.log('now')
        return { kind: 'value', value: null }
      },
      onSessionCreated: () => undefined,
      onSessionExpired: () => undefined,
    }
    const stamped: number[] = []
    const host = new MemoryHost(machine)
    const context = { ...host.context(null, []), log: () => void stamped.push(Date.now()) }
    withDeterminismGuard(machine).apply(context, { machine: 'any', command: 'run', input: null })
    expect(stamped).toHaveLength(1)
  })
})
