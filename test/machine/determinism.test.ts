import { describe, expect, test } from 'vitest'
import { z } from 'zod'
import { sessionCodec } from '../../src/codec/session-codec.ts'
import { command, defineMachine, mount, query } from '../../src/machine/index.ts'
import type { UserStateMachine } from '../../src/session/user-machine.ts'
import { DeterminismError, withDeterminismGuard } from '../../src/testing/index.ts'
import { MemoryHost } from './run/memory-context.ts'

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
  ['Date.getHours()', 'UTC', () => new Date(0).getHours()],
]

describe('the determinism guard', () => {
  test.each(forbidden)('UPC-1 FM-2 %s throws inside apply and names %s', (api, instead, use) => {
    const { run, violations } = guarded(use)
    expect(run).toThrow(DeterminismError)
    expect(run).toThrow(`${api} differs between replicas`)
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
  test('a machine that swallows the error is reported all the same', () => {
    const { run, violations } = guarded(() => {
      try {
        Math.random()
      } catch {
        // Hidden from the host, but not from the report.
      }
    })
    run()
    expect(violations).toEqual(['Math.random()'])
  })
  test('dates of a given time are arithmetic and stay allowed', () => {
    const { run } = guarded((context) => {
      expect(new Date(context.now).toISOString()).toBe('1970-01-01T00:00:01.000Z')
      expect(new Date(0) instanceof Date).toBe(true)
      expect(Date.UTC(1970, 0, 1)).toBe(0)
    })
    expect(run()).toEqual({ kind: 'value', value: null })
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
        expect(() => Date.now()).toThrow('Date.now()')
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
