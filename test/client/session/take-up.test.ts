import { getEventListeners } from 'node:events'
import { afterEach, describe, expect, test } from 'vitest'
import { connect } from '../../../src/client/connect.ts'
import type { ConnectOptions } from '../../../src/client/connect-options.ts'
import type { inProcessServer } from '../../../src/gateway/in-process-server.ts'
import { embedded, ended } from '../embedded.ts'
import { hubOn, NodeWorld, openOn, run, Script } from '../world.ts'

const cleanups: (() => unknown)[] = []
afterEach(async () => {
  for (const cleanup of cleanups.splice(0).reverse()) await cleanup()
})

async function open(
  server: ReturnType<typeof inProcessServer>,
  options: Partial<ConnectOptions<readonly []>> = {},
): ReturnType<typeof connect> {
  const session = await connect({ embedded: server, principal: 'user:1', ...options })
  cleanups.push(() => session.close())
  return session
}

const tokenOf = (session: Awaited<ReturnType<typeof open>>) => {
  const { token } = session
  if (token === null) throw new Error('an open session has a token')
  return token
}

describe('a session that is taken up', () => {
  test('with the token that was saved at its start, from before its holder’s own failover', () => {
    const world = new NodeWorld()
    const first = openOn(hubOn(world.environment))
    world.clock.advance(5)
    const saved = first.core.token
    world.lastWire.cut()
    world.clock.advance(2000)
    expect(first.core.token?.epoch).toBeGreaterThan(saved?.epoch ?? 0)
    const second = openOn(hubOn(world.environment), { resume: saved })
    world.clock.advance(2000)
    const { outcomes } = run(second.core, 'echo', 'x')
    world.clock.advance(2000)
    expect([second.told.ready, second.told.lost, second.told.refused]).toEqual([1, [], []])
    expect(outcomes).toMatchObject([{ kind: 'ok' }])
    expect(first.told.lost).toEqual(['SUPERSEDED'])
  })

  test('tells what became of the commands of its earlier holder: done, refused, never executed', async () => {
    const { server } = embedded()
    const first = await open(server)
    await Promise.all([first.execute('t', 'echo', { a: 1 }), first.execute('t', 'reject', 'why')])
    const second = await open(server, { resume: tokenOf(first) })
    expect(await second.resolve(1)).toMatchObject({ kind: 'ok', requestId: 1, value: { a: 1 }, replayed: true })
    expect(await second.resolve(2)).toMatchObject({ kind: 'rejected', code: 'NO', details: 'why' })
    expect(await second.resolve(3)).toMatchObject({ kind: 'notExecuted', code: 'NEVER_EXECUTED' })
    expect(await second.resolve(0)).toMatchObject({ kind: 'unknown', code: 'UNKNOWN_REQUEST' })
    expect(await second.execute('t', 'echo', 'new')).toMatchObject({ kind: 'ok', requestId: 3 })
    expect(await second.resolve(3)).toMatchObject({ kind: 'unknown', code: 'UNKNOWN_REQUEST' })
    // The new command has let the earlier responses go.
    expect(await second.resolve(1)).toMatchObject({ kind: 'unknown', code: 'RESPONSE_EVICTED' })
  })
})

describe('the timeout that an attach grants', () => {
  const TOKEN = { group: 0, incarnation: 1, index: 4, secret: 'ab'.repeat(32), epoch: 5 }

  test('keeps a session alive that was taken up with settings of a longer one', () => {
    const script = new Script()
    const { told } = openOn(hubOn(script.environment, ['n1:1', 'n2:1', 'n3:1']), { resume: TOKEN })
    script.attach(6, 1, 1000)
    for (let quarter = 0; quarter < 40; quarter += 1) {
      script.clock.advance(250)
      for (const { channel } of script.take('ping')) script.say({ kind: 'pong', channel })
      script.clock.advance(100)
      expect([script.clock.monotonicMs(), told.suspended]).toEqual([script.clock.monotonicMs(), 0])
    }
    // The ping that is due next has no answer: a quarter of the timeout, the same again in silence, and two rounds between.
    script.frozen = true
    script.clock.advance(250 + 250 + 170)
    expect(script.open).toEqual(['n1:1', 'n2:1', 'n3:1'])
  })

  test('keeps a session alive that was opened with a longer one', () => {
    const script = new Script()
    openOn(hubOn(script.environment), { timeoutMs: 600_000 })
    script.attach(6, 1, 1000)
    script.take('ping')
    script.clock.advance(500)
    expect(script.take('ping')).not.toEqual([])
  })
})

describe('an end that was asked for here', () => {
  test('detach is no loss, and what follows says so', async () => {
    const { server } = embedded()
    const lost: string[] = []
    const session = await open(server, { onSessionLost: (reason) => lost.push(reason) })
    session.detach()
    expect(await session.execute('t', 'echo', 1)).toMatchObject({ kind: 'notExecuted', code: 'DETACHED' })
    expect(await session.query('t', 'calls', null)).toEqual({ kind: 'failed', code: 'DETACHED' })
    expect(lost).toEqual([])
  })
})

describe('an expiry', () => {
  test('of a session that was never handed over is told by connect alone', async () => {
    const { server } = embedded()
    const first = await open(server)
    const resume = tokenOf(first)
    await first.close()
    const lost: string[] = []
    const onSessionLost = (reason: string): void => void lost.push(reason)
    const error = await ended(connect({ embedded: server, principal: 'user:1', resume, onSessionLost }))
    expect([error, lost]).toMatchObject([{ code: expect.stringContaining('SESSION_') }, []])
  })

  test('ends what was outstanding and what is asked later with SESSION_EXPIRED', async () => {
    const script = new Script()
    const lost: string[] = []
    const { environment } = script
    const onSessionLost = (reason: string): void => void lost.push(reason)
    const connecting = connect({ environment, endpoints: ['n1:1'], principal: 'user:1', onSessionLost })
    await new Promise(setImmediate)
    script.attach()
    const session = await connecting
    const command = session.execute('t', 'echo', 1)
    const query = session.query('t', 'calls', null)
    script.say({ kind: 'ended', channel: 1, reason: 'expired' })
    expect(lost).toEqual(['SESSION_EXPIRED'])
    expect(await query).toEqual({ kind: 'failed', code: 'SESSION_EXPIRED' })
    expect(await command).toMatchObject({ code: 'SESSION_EXPIRED' })
    expect(await session.execute('t', 'echo', 2)).toMatchObject({ kind: 'notExecuted', code: 'SESSION_EXPIRED' })
    expect(await session.query('t', 'calls', null)).toEqual({ kind: 'failed', code: 'SESSION_EXPIRED' })
    expect(await session.resolve(1)).toMatchObject({ kind: 'unknown', code: 'SESSION_EXPIRED' })
  })
})

describe('a command that was not sent before its deadline', () => {
  test('says HELD_BACK behind a full window, and NO_LEADER where there is none', () => {
    const world = new NodeWorld({ limits: { windowRequests: 2 } })
    const { core } = openOn(hubOn(world.environment))
    world.clock.advance(5)
    world.lastWire.loseUp = true
    const runs = [1, 2, 3].map((input) => run(core, 'echo', input, world.clock.monotonicMs() + 100))
    world.clock.advance(150)
    expect(runs.map(({ outcomes }) => outcomes[0])).toMatchObject([
      { kind: 'unknown', code: 'DEADLINE_EXCEEDED' },
      { kind: 'unknown', code: 'DEADLINE_EXCEEDED' },
      { kind: 'notExecuted', code: 'HELD_BACK' },
    ])
    world.up = false
    world.lastWire.cut()
    const late = run(core, 'echo', 4, world.clock.monotonicMs() + 100)
    world.clock.advance(150)
    expect(late.outcomes).toMatchObject([{ kind: 'notExecuted', code: 'NO_LEADER' }])
  })
})

describe('a query after a command', () => {
  test('sees what it did, although the command is still under way when it is asked', async () => {
    const { server } = embedded()
    const session = await open(server)
    const commands = Array.from({ length: 5 }, (_, at) => session.execute('t', 'echo', at + 100))
    const seen = await session.query('t', 'calls', null, { after: session.lastRequestId })
    expect(seen).toMatchObject({ kind: 'ok', value: 5 })
    await Promise.all(commands)
    expect(await session.query('t', 'calls', null, { after: 1 })).toMatchObject({ kind: 'ok', value: 5 })
    expect(await session.query('t', 'calls', null, { after: 6 })).toEqual({ kind: 'failed', code: 'UNKNOWN_REQUEST' })
  })

  test('fails as a command did that was given up before, and runs where nothing more is known of it', async () => {
    const { server, node } = embedded()
    const session = await open(server)
    const { submit } = node
    node.submit = () => {}
    const controller = new AbortController()
    const aborted = session.execute('t', 'echo', 1, { signal: controller.signal })
    controller.abort()
    const { requestId } = await aborted
    expect(await session.query('t', 'calls', null, { after: requestId })).toEqual({ kind: 'failed', code: 'ABORTED' })
    expect(await session.resolve(requestId, { deadlineMs: 1 })).toMatchObject({ code: 'DEADLINE_EXCEEDED' })
    const again = await session.query('t', 'calls', null, { after: requestId })
    expect(again).toEqual({ kind: 'failed', code: 'DEADLINE_EXCEEDED' })
    node.submit = submit
    session.abandon(requestId)
    expect(await session.query('t', 'calls', null, { after: requestId })).toMatchObject({ kind: 'ok', value: 0 })
  })

  test('fails as the command did when nobody knows what that has done', async () => {
    const { server, node } = embedded()
    const session = await open(server)
    node.submit = () => {}
    void session.execute('t', 'echo', 1, { deadlineMs: 20 })
    const asked = session.query('t', 'calls', null, { after: session.lastRequestId })
    expect(await asked).toEqual({ kind: 'failed', code: 'DEADLINE_EXCEEDED' })
    session.detach()
  })
})

test('a thousand commands under one AbortSignal have one listener, and all hear of it', async () => {
  const { server, node } = embedded()
  const session = await open(server)
  const controller = new AbortController()
  const { submit } = node
  node.submit = () => {}
  const calls = Array.from({ length: 1000 }, (_, at) =>
    session.execute('t', 'echo', at + 100, { signal: controller.signal }),
  )
  expect(getEventListeners(controller.signal, 'abort').length).toBe(1)
  controller.abort()
  const outcomes = await Promise.all(calls)
  expect(new Set(outcomes.map((outcome) => ('code' in outcome ? outcome.code : outcome.kind)))).toEqual(
    new Set(['ABORTED']),
  )
  node.submit = submit
  session.detach()
})
