import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest'
import type { ConnectOptions } from '../../src/client/connect-options.ts'
import { connect } from '../../src/client/connect.ts'
import { MultiSession } from '../../src/client/session/multi-session.ts'
import { explainError } from '../../src/protocol/errors.ts'
import { embedded, warnings } from './embedded.ts'
import { hubOn, NodeWorld, openOn, SETTINGS } from './world.ts'

const cleanups: (() => unknown)[] = []
let heard: { code: string; message: string }[] = []
beforeEach(() => {
  const listener = warnings()
  heard = listener.heard
  cleanups.push(listener.stop)
})
afterEach(async () => {
  for (const cleanup of cleanups.splice(0).reverse()) await cleanup()
})

async function open(options: Partial<ConnectOptions<readonly []>> = {}) {
  const { server, node } = embedded()
  const session = await connect({ embedded: server, principal: 'user:1', ...options })
  cleanups.push(() => session.close())
  return { session, node, acknowledged: () => node.machine.sessionFacts(3)?.acknowledged }
}

const fail = (): never => {
  throw new Error('a bug of the user')
}
/** An object with that as its `then`. */
const withThen = (then: unknown): object => Object.fromEntries([['then', then]])
const failLater = async (): Promise<void> => fail()

describe('a handler of server requests', () => {
  test('may return what is no promise', async () => {
    const { session, acknowledged } = await open()
    const seen: unknown[] = []
    session.on('*', (request) => seen.push(request.serverRequestId))
    await session.execute('t', 'emit', 3)
    await vi.waitFor(() => expect(acknowledged()).toBe(3), 5000)
    expect(seen).toEqual([1, 2, 3])
  })

  test.each([
    ['null', () => null],
    ['an object whose then is no function', () => withThen(1)],
    ['a thenable', () => withThen((done: () => void) => done())],
  ])('may return %s', async (_what, handler) => {
    const { session, acknowledged } = await open()
    session.on('*', handler)
    await session.execute('t', 'emit', 1)
    await vi.waitFor(() => expect(acknowledged()).toBe(1), 5000)
  })

  test.each([
    ['throws', fail],
    ['rejects', failLater],
    ['returns a thenable that throws', () => withThen(fail)],
    ['throws undefined', () => Promise.reject()],
  ])('that %s is warned about once where nobody listens, and called again', async (_what, broken) => {
    const { session, acknowledged } = await open()
    let calls = 0
    session.on('*', () => {
      calls += 1
      return calls <= 2 ? broken() : undefined
    })
    await session.execute('t', 'emit', 1)
    await vi.waitFor(() => expect(acknowledged()).toBe(1), 5000)
    expect(heard.map(({ code }) => code)).toEqual(['HANDLER_FAILED'])
  })

  test.each([
    ['throws', fail],
    ['rejects', failLater],
  ])('whose onHandlerError %s too is called again all the same', async (_what, onHandlerError) => {
    const { session, acknowledged } = await open({ onHandlerError })
    let calls = 0
    session.on('*', () => {
      calls += 1
      if (calls <= 2) fail()
    })
    await session.execute('t', 'emit', 1)
    await vi.waitFor(() => expect(acknowledged()).toBe(1), 5000)
    expect(heard).toMatchObject([{ code: 'CALLBACK_FAILED', message: expect.stringContaining('onHandlerError') }])
  })
})

describe('a request that nothing handles', () => {
  test('is told to onUnhandledRequest once per type, waits, and goes on with its handler', async () => {
    const told: unknown[] = []
    const { session, acknowledged } = await open({ onUnhandledRequest: (request) => told.push(request) })
    session.on('another type', () => {})
    await session.execute('t', 'emit', 2)
    await vi.waitFor(() => expect(told).toEqual([{ serverRequestId: 1, type: 'note' }]), 5000)
    expect(acknowledged()).toBe(0)
    session.on('note', () => {})
    await vi.waitFor(() => expect(acknowledged()).toBe(2), 5000)
    expect([told.length, heard]).toEqual([1, []])
  })

  test('is warned about where nobody listens', async () => {
    const { session, acknowledged } = await open()
    await session.execute('t', 'emit', 2)
    await vi.waitFor(() => expect(heard).toMatchObject([{ code: 'UNHANDLED_REQUEST' }]), 5000)
    expect(heard[0]?.message).toContain("session.on('note'")
    for await (const { serverRequestId } of session.serverRequests()) if (serverRequestId === 2) break
    await vi.waitFor(() => expect(acknowledged()).toBe(1), 5000)
  })

  test('is not told of when its handler comes soon after', async () => {
    const told: unknown[] = []
    const { session, acknowledged } = await open({ onUnhandledRequest: (request) => told.push(request) })
    await session.execute('t', 'emit', 1)
    session.on('*', () => {})
    await vi.waitFor(() => expect(acknowledged()).toBe(1), 5000)
    expect(told).toEqual([])
  })
})

describe('a callback of a session', () => {
  test.each([
    ['throws', fail],
    ['rejects', failLater],
  ])('that %s is warned about, once each, and ends nothing', async (_what, broken) => {
    const world = new NodeWorld()
    const environment = { ...world.environment, warn: (code: string, message: string) => heard.push({ code, message }) }
    const options = { environment, endpoints: ['n1:1'], principal: 'user:1', timeoutMs: 1000 }
    const opening = connect({ ...options, onSessionLost: broken, onSuspended: broken, onResumed: broken })
    const session = await settleOn(world, opening)
    for (let round = 0; round < 2; round += 1) {
      world.lastWire.loseDown = true
      world.clock.advance(1500)
      world.lastWire.loseDown = false
      world.lastWire.cut()
      world.clock.advance(1000)
    }
    const answered = session.execute('t', 'echo', 1)
    expect(await settleOn(world, answered)).toMatchObject({ kind: 'ok' })
    const second = connect({ ...options, resume: { ...(session.token ?? fail()), epoch: 0 } })
    await settleOn(world, second)
    world.clock.advance(1000)
    await Promise.resolve()
    const names = heard.map(({ code, message }) => [code, message.split(' ')[0]])
    expect(names).toEqual([
      ['CALLBACK_FAILED', 'onSuspended'],
      ['CALLBACK_FAILED', 'onResumed'],
      ['CALLBACK_FAILED', 'onSessionLost'],
    ])
  })

  test('without promises either: events, outcomes, answers and news of the leader', () => {
    const world = new NodeWorld()
    const environment = { ...world.environment, warn: (code: string, message: string) => heard.push({ code, message }) }
    const hub = new MultiSession({ environment, endpoints: ['n1:1'], onLeader: fail })
    const events = {
      onReady: fail,
      onRefused: fail,
      onSuspended: fail,
      onResumed: fail,
      onLost: fail,
      onHandlerError: fail,
      onServerRequest: fail,
    }
    const core = hub.openSession(SETTINGS, events)
    world.clock.advance(0)
    const call = { machine: 't', command: 'emit', input: Uint8Array.of(1) }
    core.enqueue(call, 0, fail)
    hub.query(
      { consistency: 'stale', incarnation: 0, minIndex: 0, machine: 't', query: 'calls', input: Uint8Array.of(0xc0) },
      1000,
      fail,
    )
    world.clock.advance(1000)
    core.closeSession(fail)
    const second = hub.openSession({ ...SETTINGS, principal: 'user:2' }, events)
    world.clock.advance(1000)
    // Somebody else takes the second session up, which ends it here.
    openOn(hubOn(world.environment), { resume: second.token })
    world.clock.advance(1000)
    hub.close()
    const names = new Set(heard.map(({ code, message }) => `${code} ${message.split(' ')[0]}`))
    expect([...names].toSorted()).toEqual(
      ['done', 'onHandlerError', 'onLeader', 'onLost', 'onReady', 'onServerRequest'].map(
        (name) => `CALLBACK_FAILED ${name}`,
      ),
    )
  })

  test.each([
    ['throws', fail],
    ['rejects', failLater],
  ])('where even the warning %s, a failed handler is called again all the same', async (_what, warn) => {
    const world = new NodeWorld()
    const environment = { ...world.environment, warn }
    const opening = connect({ environment, endpoints: ['n1:1'], principal: 'user:1' })
    const session = await settleOn(world, opening)
    let calls = 0
    session.on('*', () => {
      calls += 1
      if (calls === 1) fail()
    })
    expect(await settleOn(world, session.execute('t', 'emit', 1))).toMatchObject({ kind: 'ok' })
    world.clock.advance(1000)
    expect([calls, world.node.machine.sessionFacts(3)?.acknowledged]).toEqual([2, 1])
  })

  test('what is warned about is explained', () => {
    for (const code of ['CALLBACK_FAILED', 'HANDLER_FAILED', 'UNHANDLED_REQUEST', 'INVALID'])
      expect([code, explainError('client', code)?.cure]).toEqual([code, expect.any(String)])
  })
})

/** Virtual time goes on until the promise settles. */
async function settleOn<Settled>(world: NodeWorld, promise: Promise<Settled>): Promise<Settled> {
  let over = false
  const done = promise.finally(() => {
    over = true
  })
  for (let turn = 0; turn < 1000 && !over; turn += 1) {
    world.clock.advance(1)
    await new Promise((resolve) => setImmediate(resolve))
  }
  return done
}
