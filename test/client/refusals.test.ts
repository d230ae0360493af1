import { afterEach, describe, expect, test } from 'vitest'
import type { ConnectOptions } from '../../src/client/connect-options.ts'
import { connect, ConnectError } from '../../src/client/connect.ts'
import type { ClientSession } from '../../src/client/session/client-session.ts'
import { InvalidArgument } from '../../src/client/check/invalid-argument.ts'
import { processClock } from '../../src/client/connection/environment.ts'
import { MultiSession } from '../../src/client/session/multi-session.ts'
import { explainError } from '../../src/protocol/errors.ts'
import { embedded, ended } from './embedded.ts'
import { NodeWorld, openOn, run, SETTINGS } from './world.ts'

const cleanups: (() => unknown)[] = []
afterEach(async () => {
  for (const cleanup of cleanups.splice(0).reverse()) await cleanup()
})

async function open(): Promise<ClientSession> {
  const session = await connect({ embedded: embedded().server, principal: 'user:1' })
  cleanups.push(() => session.close())
  return session
}

const cyclic: unknown[] = []
cyclic.push({ cyclic })
const hostile = new Proxy(
  {},
  {
    getPrototypeOf: () => {
      throw new Error('hostile')
    },
    get: () => {
      throw new Error('hostile')
    },
  },
)
/** Stands for `hostile` in tables, whose values are printed. */
const HOSTILE = 'a proxy that throws'
/** Anything at all, where the types allow less. */
const any = <Type>(value: unknown): Type => (value === HOSTILE ? hostile : value) as Type

describe('a name that no frame can carry', () => {
  test.each<[field: string, machine: unknown, name: unknown]>([
    ['command', 't', 'c'.repeat(300)],
    ['command', 't', 'c'.repeat(129)],
    ['command', 't', ''],
    ['command', 't', 'a b'],
    ['command', 't', undefined],
    ['machine', 'é', 'echo'],
    ['machine', 'm'.repeat(129), 'echo'],
    ['machine', Symbol('m'), 'echo'],
  ])('is refused with its field, %s, and the session goes on', async (field, machine, name) => {
    const session = await open()
    const outcome = await session.execute(any(machine), any(name), null)
    expect(outcome).toMatchObject({ kind: 'notExecuted', requestId: 0, code: 'INVALID', details: { field } })
    const asked = await session.query(any(machine), any(name), null)
    const queryField = field === 'command' ? 'query' : field
    expect(asked).toMatchObject({ kind: 'failed', code: 'INVALID', details: { field: queryField } })
    expect(await session.execute('t', 'echo', 'next')).toMatchObject({ kind: 'ok', requestId: 1, value: 'next' })
  })

  test('is refused on the way without promises too, and nothing is sent', () => {
    const world = new NodeWorld()
    const hub = new MultiSession({ environment: world.environment, endpoints: ['n1:1'] })
    const { core } = openOn(hub)
    world.clock.advance(0)
    const { id, outcomes } = run(core, 'c'.repeat(129), null)
    expect([id, outcomes]).toMatchObject([0, [{ kind: 'notExecuted', code: 'INVALID' }]])
    const asked: unknown[] = []
    const query = { consistency: 'stale', incarnation: 0, minIndex: 0, machine: 't', input: new Uint8Array(1) } as const
    hub.query({ ...query, query: 'q'.repeat(129) }, 1000, (outcome) => asked.push(outcome))
    expect(asked).toMatchObject([{ kind: 'failed', code: 'INVALID', details: { field: 'query' } }])
    world.clock.advance(5000)
    expect(world.wires).toHaveLength(1)
    expect(run(core, 'echo', 1).id).toBe(1)
  })
})

describe('an input that is no plain data', () => {
  test.each<[path: string, input: unknown]>([
    ['input.f', { f: () => 1 }],
    ['input.s', { s: Symbol('s') }],
    ['input.big[0]', { big: [2n ** 70n] }],
    ['input[0].cyclic', cyclic],
    ['input.u', { u: undefined }],
    ['input.d', { d: new Date(0) }],
    ['input', HOSTILE],
    [
      'input.g',
      {
        get g() {
          throw new Error('a getter')
        },
      },
    ],
    ['input', undefined],
  ])('is refused with the path to it: %s', async (field, input) => {
    const session = await open()
    const refused = { code: 'VALIDATION_ERROR', details: { field, problem: expect.any(String) } }
    expect(await session.execute('t', 'echo', any(input))).toMatchObject({ kind: 'notExecuted', ...refused })
    expect(await session.query('t', 'calls', any(input))).toMatchObject({ kind: 'failed', ...refused })
    expect(await session.execute('t', 'echo', 'next')).toMatchObject({ kind: 'ok', requestId: 1 })
  })
})

describe('options of a call', () => {
  test.each<[field: string, options: unknown]>([
    ['options', null],
    ['options', 7],
    ['options', HOSTILE],
    ['options.deadlineMs', { deadlineMs: -1 }],
    ['options.deadlineMs', { deadlineMs: Number.POSITIVE_INFINITY }],
    ['options.deadlineMs', { deadlineMs: 2 ** 31 }],
    ['options.deadlineMs', { deadlineMs: Number.NaN }],
    ['options.deadlineMs', { deadlineMs: '5' }],
  ])('%s of %o is refused at once', async (field, options) => {
    const session = await open()
    const refused = { code: 'INVALID', details: { field, problem: expect.any(String) } }
    const given = any<object>(options)
    expect(await session.execute('t', 'echo', 1, given)).toMatchObject({ kind: 'notExecuted', ...refused })
    expect(await session.query('t', 'calls', 1, given)).toMatchObject({ kind: 'failed', ...refused })
    for (const promise of [session.resolve(1, given), session.close(given)]) {
      expect(await ended(promise)).toBeInstanceOf(InvalidArgument)
    }
    expect(await session.execute('t', 'echo', 1, { deadlineMs: 2 ** 31 - 1 })).toMatchObject({ kind: 'ok' })
  })

  test.each<[field: string, options: unknown]>([
    ['options.signal', { signal: 7 }],
    ['options.signal.aborted', { signal: {} }],
  ])('%s that is no signal is refused at once', async (field, options) => {
    const session = await open()
    const outcome = await session.execute('t', 'echo', 1, any(options))
    expect(outcome).toMatchObject({
      kind: 'notExecuted',
      code: 'INVALID',
      details: { field: expect.stringContaining(field) },
    })
  })

  test('a consistency that does not exist is refused at once', async () => {
    const session = await open()
    const outcome = await session.query('t', 'calls', 1, any({ consistency: 'eventual' }))
    expect(outcome).toMatchObject({ kind: 'failed', code: 'INVALID', details: { field: 'options.consistency' } })
  })
})

const TOKEN = { group: 0, incarnation: 1, index: 3, secret: '00'.repeat(32), epoch: 0 }

describe('connect refuses at once what it cannot use, with the field', () => {
  test.each<[field: string, options: unknown]>([
    ['options', null],
    ['options', HOSTILE],
    ['endpoints', { principal: 'user:1', embedded: undefined }],
    ['endpoints[0]', { embedded: undefined, endpoints: ['localhost'] }],
    ['endpoints[0]', { embedded: undefined, endpoints: [7] }],
    ['endpoints', { embedded: undefined, endpoints: [] }],
    ['embedded.accept', { embedded: {} }],
    ['principal', { principal: undefined }],
    ['principal', { principal: `user:${'x'.repeat(200)}` }],
    ['roles', { roles: Array.from({ length: 65 }, () => 'r') }],
    ['roles[1]', { roles: ['r', 'r'.repeat(129)] }],
    ['roles', { roles: null }],
    ['capabilities.a', { capabilities: { a: undefined } }],
    ['capabilities', { capabilities: [] }],
    ['capabilities', { capabilities: { a: 'x'.repeat(17_000) } }],
    ['name', { name: 'n'.repeat(513) }],
    ['timeoutMs', { timeoutMs: Number.POSITIVE_INFINITY }],
    ['timeoutMs', { timeoutMs: -5 }],
    ['timeoutMs', { timeoutMs: 0.5 }],
    ['ordered', { ordered: 'yes' }],
    ['deadlineMs', { deadlineMs: 2 ** 31 }],
    ['connectDeadlineMs', { connectDeadlineMs: Number.POSITIVE_INFINITY }],
    ['machines[0].name', { machines: [{ commands: {}, queries: {} }] }],
    ['onSessionLost', { onSessionLost: 7 }],
    ['environment.dial', { environment: { clock: processClock, random: { float: () => 1 } } }],
    ['resume', { resume: 'token' }],
    ['resume.secret', { resume: { ...TOKEN, secret: { 0: 1, 1: 2 } } }],
    ['resume.secret', { resume: { ...TOKEN, secret: 'xyz' } }],
    ['resume.index', { resume: { ...TOKEN, index: 0 } }],
    ['resume.epoch', { resume: { ...TOKEN, epoch: -1 } }],
  ])('%s', async (field, change) => {
    const given = typeof change === 'object' && change !== null
    const base = { embedded: embedded().server, principal: 'user:1', connectDeadlineMs: 5000 }
    const error = await ended(connect(any<ConnectOptions<readonly []>>(given ? { ...base, ...change } : change)))
    expect(error).toBeInstanceOf(ConnectError)
    expect(error).toMatchObject({
      details: { field, problem: expect.any(String) },
      message: expect.stringContaining(field),
    })
    expect((error as ConnectError).code).toBe(field === 'principal' ? 'PRINCIPAL_INVALID' : 'INVALID')
    const { code, message } = error as ConnectError
    const entry = explainError('client', code) ?? explainError('open', code)
    expect(message).toContain(`${code} ${entry?.cause} ${entry?.cure}`)
  })

  test('the same of many sessions on one connection', () => {
    const world = new NodeWorld()
    const hub = new MultiSession({ environment: world.environment, endpoints: ['n1:1'] })
    expect(() => openOn(hub, { roles: ['r'.repeat(129)] })).toThrow(InvalidArgument)
    expect(() => hub.openSession(SETTINGS, any({}))).toThrow('events.onReady must be a function')
    expect(() => new MultiSession({ environment: world.environment, endpoints: [] })).toThrow('endpoints')
    expect(hub.sessionCount).toBe(0)
    for (const code of ['', 7, null, {}]) expect(() => hub.close(any(code)), `${code}`).toThrow('code must be')
    expect(openOn(hub).core.over).toBe(false)
    hub.close()
  })

  test('capabilities that change later do not change the session’s', async () => {
    const { server, node } = embedded()
    const capabilities: { [name: string]: number } = { a: 1 }
    const opening = connect({ embedded: server, principal: 'user:1', capabilities })
    capabilities['a'] = 2
    const session = await opening
    cleanups.push(() => session.close())
    const index = session.token?.index ?? 0
    expect(node.machine.sessionFacts(index)?.info.capabilities).toEqual({ a: 1 })
    expect(session.token).toEqual(JSON.parse(JSON.stringify(session.token)))
  })
})
