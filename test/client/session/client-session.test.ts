import { afterEach, describe, expect, test } from 'vitest'
import type { ConnectOptions } from '../../../src/client/connect-options.ts'
import { connect, ConnectError } from '../../../src/client/connect.ts'
import { sessionCodec } from '../../../src/codec/session-codec.ts'
import { counter } from '../../../src/machines/counter.ts'
import { mount } from '../../../src/machine/index.ts'
import { inProcessServer } from '../../../src/gateway/in-process-server.ts'
import { SessionGateway } from '../../../src/gateway/session-gateway.ts'
import { SessionStateMachine } from '../../../src/session/session-state-machine.ts'
import { FakeNode } from '../../gateway/fake-node.ts'
import { autoRun } from '../../server/serve.ts'
import { realClock } from '../../transport/fake-clock.ts'
import { embedded } from '../embedded.ts'

const cleanups: (() => unknown)[] = []
afterEach(async () => {
  for (const cleanup of cleanups.splice(0).reverse()) await cleanup()
})

async function open(server: ReturnType<typeof inProcessServer>, options: Partial<ConnectOptions<readonly []>> = {}) {
  const session = await connect({ embedded: server, principal: 'user:1', ...options })
  cleanups.push(() => session.close())
  return session
}

describe('a session with promises', () => {
  test('FR-005 the four outcomes are values, never exceptions', async () => {
    const { server } = embedded()
    const session = await open(server)
    expect(session.id).toBe('0/1/3')
    expect(await session.execute('t', 'echo', { a: [1] })).toMatchObject({
      kind: 'ok',
      requestId: 1,
      value: { a: [1] },
      replayed: false,
    })
    expect(await session.execute('t', 'reject', { why: 'x' })).toMatchObject({
      kind: 'rejected',
      code: 'NO',
      details: { why: 'x' },
    })
    expect(await session.execute('t', 'echo', 13)).toMatchObject({
      kind: 'notExecuted',
      code: 'VALIDATION_ERROR',
      details: { message: 'not 13' },
    })
    expect(await session.execute('t', 'echo', Number.NaN)).toMatchObject({
      kind: 'notExecuted',
      requestId: 0,
      code: 'VALIDATION_ERROR',
    })
    expect(await session.execute('t', 'throws', 1)).toMatchObject({ kind: 'rejected', code: 'MACHINE_ERROR' })
  })

  test('an aborted call does not wait; what became of it can be asked later', async () => {
    const { server, node } = embedded()
    const session = await open(server)
    expect(await session.execute('t', 'echo', 1, { signal: AbortSignal.abort() })).toMatchObject({
      kind: 'notExecuted',
      code: 'ABORTED',
    })
    const controller = new AbortController()
    const call = session.execute('t', 'echo', 'x', { signal: controller.signal })
    controller.abort()
    const outcome = await call
    expect(outcome).toMatchObject({ kind: 'unknown', code: 'ABORTED' })
    expect(await session.resolve(outcome.requestId)).toMatchObject({ kind: 'ok', value: 'x' })
    expect(await session.resolve(outcome.requestId)).toMatchObject({ kind: 'unknown', code: 'UNKNOWN_REQUEST' })
    expect(session.abandon(outcome.requestId)).toBe(false)
    expect(node.user.calls).toEqual(['echo'])
  })

  test('a query sees at least what the session has done', async () => {
    const { server } = embedded()
    const session = await open(server)
    await session.execute('t', 'echo', 'x')
    expect(await session.query('t', 'calls', null)).toMatchObject({ kind: 'ok', value: 1 })
    for (const consistency of ['linearizable', 'sequential', 'stale'] as const)
      expect(await session.query('t', 'calls', null, { consistency })).toMatchObject({ kind: 'ok', value: 1 })
    expect(await session.query('t', 'calls', Number.NaN)).toMatchObject({ kind: 'failed', code: 'VALIDATION_ERROR' })
    expect(await session.query('t', 'throw', null)).toMatchObject({ kind: 'rejected', code: 'MACHINE_ERROR' })
  })

  test('P-03 a query asks for a linearizable read unless it is told otherwise', async () => {
    const { server, node } = embedded()
    const session = await open(server)
    node.holdsReads = true
    const query = session.query('t', 'calls', null)
    expect(await session.query('t', 'calls', null, { consistency: 'sequential' })).toMatchObject({ kind: 'ok' })
    expect(node.reads.length).toBe(1)
    node.reads[0]?.ready()
    expect(await query).toMatchObject({ kind: 'ok', value: 0 })
  })

  test('typed machines send what their definition says', async () => {
    const codec = sessionCodec
    const mounted = mount([counter], codec)
    const node = new FakeNode({}, new SessionStateMachine(mounted.userMachine, codec))
    autoRun(node)
    const gateway = new SessionGateway(node, {
      parse: mounted.parse,
      parseQuery: mounted.parseQuery,
      codec,
      clock: realClock,
    })
    const session = await connect({ embedded: inProcessServer(gateway), principal: 'user:1', machines: [counter] })
    cleanups.push(() => session.close())
    const outcome = await session.machines.counter.increment({ name: 'a', by: 2 })
    expect(outcome.kind === 'ok' && outcome.value + 1).toBe(3)
    expect(await session.machines.counter.increment({ name: 'a', by: 2000 })).toMatchObject({
      kind: 'rejected',
      code: 'TOO_BIG',
      details: { max: 1000 },
    })
    const value = await session.queries.counter.value('a')
    expect(value.kind === 'ok' && value.value).toBe(2)
    const typed: (input: { name: string; by?: number }) => Promise<unknown> = session.machines.counter.increment
    expect(typeof typed).toBe('function')
  })
})

describe('server requests', () => {
  test('go to the handler of their type, or to *, and are acknowledged when it has finished', async () => {
    const { server, node } = embedded()
    const session = await open(server)
    const seen: string[] = []
    let finish = (): void => {}
    await session.execute('t', 'emit', 2)
    session.on('other', () => void seen.push('other'))
    session.on('*', (request) => {
      seen.push(`* ${request.serverRequestId}`)
      return new Promise<void>((resolve) => {
        finish = resolve
      })
    })
    expect(seen).toEqual(['* 1'])
    finish()
    while (seen.length < 2) await new Promise((resolve) => setImmediate(resolve))
    finish()
    const facts = () => node.machine.sessionFacts(3)
    while (facts()?.acknowledged !== 2) await new Promise((resolve) => setTimeout(resolve, 1))
    expect(seen).toEqual(['* 1', '* 2'])
  })

  test('an iterator acknowledges each request when the next one is asked for, and ends with the session', async () => {
    const { server, node } = embedded()
    const session = await open(server)
    await session.execute('t', 'emit', 3)
    const seen: number[] = []
    for await (const request of session.serverRequests()) {
      seen.push(request.serverRequestId)
      if (seen.length === 3) break
    }
    expect(seen).toEqual([1, 2, 3])
    while (node.machine.sessionFacts(3)?.acknowledged !== 2) await new Promise((resolve) => setTimeout(resolve, 1))
    const again = session.serverRequests()
    expect((await again.next()).value?.serverRequestId).toBe(3)
    const end = again.next()
    await session.close()
    expect((await end).done).toBe(true)
  })

  test('a handler that throws or rejects is told and acknowledges nothing', async () => {
    const { server, node } = embedded()
    const errors: unknown[] = []
    const session = await open(server, { onHandlerError: (error) => errors.push(error) })
    session.on('note', () => {
      throw new Error('first')
    })
    await session.execute('t', 'emit', 1)
    while (errors.length < 1) await new Promise((resolve) => setImmediate(resolve))
    session.on('note', () => Promise.reject(new Error('second')))
    await session.execute('t', 'emit', 1)
    expect(node.machine.sessionFacts(3)?.acknowledged).toBe(0)
  })
})

describe('connecting', () => {
  test('P-07 fails with a code and a cure', async () => {
    const { server } = embedded()
    const refused = await connect({ embedded: server, principal: 'system' }).then(
      () => null,
      (error: unknown) => error,
    )
    expect(refused).toBeInstanceOf(ConnectError)
    expect(refused).toMatchObject({ code: 'PRINCIPAL_INVALID', message: expect.stringContaining('user:42') })
    const nobody = connect({ endpoints: ['127.0.0.1:1'], principal: 'user:1', connectDeadlineMs: 1000 })
    await expect(nobody).rejects.toMatchObject({ code: 'NO_LEADER', message: expect.stringContaining('ECONNREFUSED') })
    await expect(nobody).rejects.toMatchObject({ message: expect.stringContaining('no session was opened') })
    const { server: slow, node } = embedded()
    node.submit = () => {}
    const late = connect({ embedded: slow, principal: 'user:1', connectDeadlineMs: 20 })
    const message = expect.stringContaining('connectDeadlineMs')
    await expect(late).rejects.toMatchObject({ code: 'DEADLINE_EXCEEDED', message })
  })

  test('P-23 a session is taken up by its token, and its old holder hears SUPERSEDED', async () => {
    const { server } = embedded()
    const lost: string[] = []
    const first = await connect({ embedded: server, principal: 'user:1', onSessionLost: (reason) => lost.push(reason) })
    await first.execute('t', 'echo', 'x')
    const { token } = first
    if (token === null) throw new Error('an open session has a token')
    const second = await open(server, { resume: { ...token, epoch: 0 } })
    expect(await second.execute('t', 'echo', 'y')).toMatchObject({ kind: 'ok', requestId: 2 })
    expect(lost).toEqual(['SUPERSEDED'])
    expect(second.detach()).toMatchObject({ index: token.index })
  })

  test('a token that went through JSON takes the session up', async () => {
    const { server } = embedded()
    const first = await open(server)
    const saved = JSON.stringify(first.detach())
    const second = await open(server, { resume: JSON.parse(saved) })
    expect(second.id).toBe(first.id)
    expect(await second.execute('t', 'echo', 'y')).toMatchObject({ kind: 'ok' })
  })
})
