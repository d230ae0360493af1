import { afterEach, describe, expect, test } from 'vitest'
import { connect } from '../../src/client/connect.ts'
import { embedded, ended } from './embedded.ts'
import { hubOn, NodeWorld, openOn, run } from './world.ts'

const cleanups: (() => unknown)[] = []
afterEach(async () => {
  for (const cleanup of cleanups.splice(0).reverse()) await cleanup()
})

async function open() {
  const { server, node } = embedded()
  const session = await connect({ embedded: server, principal: 'user:1' })
  cleanups.push(() => session.close())
  return { session, node }
}

const END = { done: true, value: undefined }

describe('closing', () => {
  test('two calls at once both settle, and a later one too', async () => {
    const { session } = await open()
    expect(await Promise.all([session.close(), session.close()])).toEqual([true, true])
    expect(await session.close()).toBe(true)
  })

  test('a command right after it is not executed, one right before it is', async () => {
    const { session, node } = await open()
    const before = session.execute('t', 'echo', 'before')
    const closed = session.close()
    const after = session.execute('t', 'echo', 'after')
    expect(await after).toMatchObject({ kind: 'notExecuted', code: 'SESSION_CLOSED' })
    expect(await before).toMatchObject({ kind: 'ok' })
    expect(await closed).toBe(true)
    expect(node.user.calls).toEqual(['echo'])
  })

  test('every query, command and iterator that waits then settles', async () => {
    const { session } = await open()
    const iterator = session.serverRequests()
    const all = Promise.all([
      session.query('t', 'calls', null),
      session.execute('t', 'echo', 1),
      iterator.next(),
      session.close(),
      session.query('t', 'calls', null),
      session.resolve(1),
      session.serverRequests().next(),
    ])
    const [asked, executed, next, closed, late, resolved, lateNext] = await all
    expect([asked.kind, executed.kind, next, closed]).toEqual(['ok', 'ok', END, true])
    expect(['ok', 'failed']).toContain(late.kind)
    expect([resolved.kind, lateNext]).toEqual(['unknown', END])
  })

  test('of a session that is still opening, twice, is told when it is open, refused or given up', () => {
    const world = new NodeWorld()
    const hub = hubOn(world.environment)
    const told: (readonly [string, boolean])[] = []
    const { core } = openOn(hub)
    core.closeSession((closed) => told.push(['first', closed]))
    core.closeSession((closed) => told.push(['second', closed]))
    expect(run(core, 'echo', 1).outcomes).toMatchObject([{ kind: 'notExecuted', code: 'SESSION_CLOSED' }])
    world.clock.advance(100)
    expect(told).toEqual([
      ['first', true],
      ['second', true],
    ])
    world.up = false
    const down = openOn(hubOn(world.environment))
    down.core.closeSession((closed) => told.push(['down', closed]))
    down.core.drop()
    expect(told.at(-1)).toEqual(['down', false])
  })

  test('a session that is opened behind the close of its connection is over', () => {
    for (const [code, ended] of [
      ['SESSION_CLOSED', 'SESSION_CLOSED'],
      ['DETACHED', 'DETACHED'],
      ['SESSION_EXPIRED', 'SESSION_CLOSED'],
    ] as const) {
      const world = new NodeWorld()
      const hub = hubOn(world.environment)
      hub.close(code)
      const { core } = openOn(hub)
      world.clock.advance(0)
      expect([core.over, core.endedBy, hub.sessionCount, world.clock.pending]).toEqual([true, ended, 0, 0])
      expect(run(core, 'echo', 1).outcomes).toMatchObject([{ kind: 'notExecuted', code: ended }])
    }
  })

  test('a session that was left without a word to the server says false: after detach, a drop, a close of its connection', async () => {
    const { session } = await open()
    session.detach()
    expect(await session.close()).toBe(false)
    for (const end of ['drop', 'close'] as const) {
      const world = new NodeWorld()
      const hub = hubOn(world.environment)
      const { core } = openOn(hub)
      world.clock.advance(10)
      if (end === 'drop') core.drop()
      else hub.close()
      const closed: boolean[] = []
      core.closeSession((each) => closed.push(each))
      expect([end, closed]).toEqual([end, [false]])
    }
  })

  test('of a session whose open is refused is told', () => {
    const world = new NodeWorld({ limits: { sessionsMax: 1 } })
    const hub = hubOn(world.environment)
    openOn(hub)
    world.clock.advance(100)
    const { core, told } = openOn(hub)
    const closed: boolean[] = []
    core.closeSession((each) => closed.push(each))
    world.clock.advance(100)
    expect([told.refused, closed]).toEqual([['TOO_MANY_SESSIONS'], [false]])
  })
})

describe('the iterator of server requests', () => {
  test('two that wait both settle, each with a request of its own', async () => {
    const { session } = await open()
    const iterator = session.serverRequests()
    const both = Promise.all([iterator.next(), iterator.next()])
    await session.execute('t', 'emit', 2)
    expect((await both).map((result) => result.value?.serverRequestId)).toEqual([1, 2])
  })

  test('two iterators share the requests, and both end with the session', async () => {
    const { session } = await open()
    const first = session.serverRequests()
    const second = session.serverRequests()
    const waiting = [first.next(), second.next()]
    await session.execute('t', 'emit', 1)
    expect((await waiting[0])?.value).toMatchObject({ serverRequestId: 1 })
    await session.close()
    expect(await waiting[1]).toEqual(END)
    expect([await first.next(), await second.next()]).toEqual([END, END])
  })

  test('return and throw settle, and so does the next that waits', async () => {
    const { session } = await open()
    const iterator = session.serverRequests()
    const waiting = iterator.next()
    expect(await iterator.return(undefined)).toEqual(END)
    expect(await waiting).toEqual(END)
    const thrown = session.serverRequests()
    const next = thrown.next()
    const error = new Error('enough')
    expect(await ended(thrown.throw(error))).toBe(error)
    expect(await next).toEqual(END)
  })

  test('one that was made before the end and is asked after it ends', async () => {
    for (const end of ['close', 'detach'] as const) {
      const { session } = await open()
      const iterator = session.serverRequests()
      await session[end]()
      const late = await Promise.race([iterator.next(), new Promise((resolve) => setTimeout(resolve, 1000, 'waits'))])
      expect([end, late]).toEqual([end, END])
    }
  })

  test('a request that a left iterator held is offered again', async () => {
    const { session, node } = await open()
    const left = session.serverRequests()
    await session.execute('t', 'emit', 1)
    expect((await left.next()).value).toMatchObject({ serverRequestId: 1 })
    await left.return(undefined)
    const seen: number[] = []
    session.on('*', (request) => seen.push(request.serverRequestId))
    expect(seen).toEqual([1])
    await session.close()
    expect(node.machine.sessionFacts(3)).toBeNull()
  })
})
