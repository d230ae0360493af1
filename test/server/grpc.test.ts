import { Client, credentials, type Metadata, type ServiceError, status } from '@grpc/grpc-js'
import { afterEach, describe, expect, test } from 'vitest'
import { connect } from '../../src/client/connect.ts'
import { sessionCodec } from '../../src/codec/session-codec.ts'
import { loadService } from '../../src/grpc/load-service.ts'
import { ByteWriter } from '../../src/protocol/bytes.ts'
import { DownFrameReader } from '../../src/protocol/down-frame.ts'
import type { DownMessage } from '../../src/protocol/down-message.ts'
import { decodeErrorInfo, STATUS_DETAILS_KEY } from '../../src/protocol/error-info.ts'
import { unwrapFrames, wrapFrame } from '../../src/protocol/frame-message.ts'
import { FRAME_VERSION } from '../../src/protocol/frame.ts'
import { type UpMessage, writeUp } from '../../src/protocol/up-frame.ts'
import { SECRET } from '../gateway/recorder.ts'
import { serve, type Served } from './serve.ts'

const cleanups: (() => void | Promise<void>)[] = []
afterEach(async () => {
  for (const cleanup of cleanups.splice(0).reverse()) await cleanup()
})

async function served(options: Parameters<typeof serve>[0] = {}): Promise<Served> {
  const result = await serve(options)
  cleanups.push(() => result.close())
  return result
}

const encode = (value: Parameters<typeof sessionCodec.encodeValue>[0]): Buffer =>
  Buffer.from(sessionCodec.encodeValue(value))
const asIs = (bytes: Buffer): Buffer => bytes

/** A bare stream, for what the library would never send. */
function rawStream(address: string) {
  const client = new Client(address, credentials.createInsecure(), { 'grpc.use_local_subchannel_pool': 1 })
  const call = client.makeBidiStreamRequest<Buffer, Buffer>('/holdfast.v1.SessionService/Connect', asIs, asIs)
  const heard: DownMessage[] = []
  const reader = new DownFrameReader()
  let wake = (): void => {}
  call.on('data', (message: Buffer) => {
    for (const frame of unwrapFrames(message) ?? [Buffer.alloc(0)]) {
      expect(reader.read(frame, (down) => heard.push(structuredClone(down)))).toBe(null)
    }
    wake()
  })
  const ended = new Promise<ServiceError>((resolve) => call.on('error', (error: ServiceError) => resolve(error)))
  cleanups.push(() => {
    call.cancel()
    client.close()
  })
  const until = async (count: number): Promise<void> => {
    while (heard.length < count) await new Promise<void>((resolve) => (wake = resolve))
  }
  const send = (...messages: UpMessage[]): void => {
    const writer = new ByteWriter()
    writer.byte(FRAME_VERSION)
    for (const message of messages) writeUp(writer, message)
    call.write(wrapFrame(writer.take()))
  }
  return { call, heard, ended, until, send }
}

const OPEN: UpMessage = {
  kind: 'open',
  channel: 1,
  secret: SECRET,
  principal: 'user:1',
  roles: [],
  capabilities: encode({}),
  name: '',
  timeoutMs: 30_000,
  validUntil: 1_000_000 + 60_000,
  ordered: false,
}

const reasonOf = (error: { metadata: Metadata }): unknown =>
  decodeErrorInfo(error.metadata.get(STATUS_DETAILS_KEY)[0] as Buffer)?.reason

describe('Connect', () => {
  test('greets, serves, and coalesces the answers of one turn into one frame', async () => {
    const { address } = await served()
    const stream = rawStream(address)
    await stream.until(1)
    expect(stream.heard[0]).toMatchObject({ kind: 'greeting', node: 'n1', leader: 'n1', incarnation: 1, credit: 1024 })
    const open: UpMessage = {
      kind: 'open',
      channel: 1,
      secret: SECRET,
      principal: 'user:1',
      roles: [],
      capabilities: encode({}),
      name: '',
      timeoutMs: 30_000,
      validUntil: 1_000_000 + 60_000,
      ordered: false,
    }
    stream.send(open)
    await stream.until(2)
    stream.send({
      kind: 'attach',
      channel: 1,
      group: 0,
      incarnation: 1,
      index: 3,
      secret: SECRET,
      replaces: 0,
      nonce: Buffer.alloc(16, 1),
    })
    await stream.until(3)
    let frames = 0
    stream.call.on('data', () => (frames += 1))
    const requests = Array.from(
      { length: 100 },
      (_unused, at): UpMessage => ({
        kind: 'request',
        channel: 1,
        requestId: at + 1,
        lowestPendingRequestId: 1,
        ackServerRequests: 0,
        machine: 't',
        command: 'echo',
        input: encode(at + 100),
      }),
    )
    stream.send(...requests)
    await stream.until(103)
    expect(frames).toBe(1)
    expect(stream.heard.slice(3).map((message) => message.kind === 'response' && message.answer.kind)).toEqual(
      Array(100).fill('ok'),
    )
  })

  test.each([
    ['a frame of another version', wrapFrame(Buffer.from([9, 9, 9]))],
    ['garbage', wrapFrame(Buffer.from([FRAME_VERSION, 3, 0xff, 0xff]))],
    ['bytes that are no Frame', Buffer.from([0x55, 1, 2, 3])],
  ])('%s ends the connection with MALFORMED_FRAME, and the process lives', async (_name, bytes) => {
    const { address, notes, gateway } = await served()
    const stream = rawStream(address)
    await stream.until(1)
    stream.call.write(bytes)
    const error = await stream.ended
    expect(error.code).toBe(status.INVALID_ARGUMENT)
    expect(reasonOf(error)).toBe('MALFORMED_FRAME')
    expect(stream.heard.at(-1)).toMatchObject({ kind: 'failed', code: 'MALFORMED_FRAME' })
    expect(notes).toEqual(['MALFORMED_FRAME'])
    expect(gateway.connectionCount).toBe(0)
    const next = rawStream(address)
    await next.until(1)
  })

  test('a reader that does not read is cut once too much has piled up', async () => {
    const { address, notes, gateway } = await served({ service: { slowReaderBytes: 2 * 1024 * 1024 } })
    const stream = rawStream(address)
    await stream.until(1)
    stream.call.pause()
    const big = encode('x'.repeat(500_000))
    const query: UpMessage = {
      kind: 'query',
      channel: 0,
      correlationId: 1,
      consistency: 'stale',
      incarnation: 0,
      minIndex: 0,
      machine: 't',
      query: 'echo',
      input: big,
    }
    while (notes.length === 0) {
      stream.send(query)
      await new Promise((resolve) => setImmediate(resolve))
    }
    expect(notes).toEqual(['SLOW_READER'])
    expect(gateway.connectionCount).toBe(0)
    stream.call.resume()
    expect(reasonOf(await stream.ended)).toBe('SLOW_READER')
  })

  test('more streams than allowed are refused', async () => {
    const { address } = await served({ service: { connectionsMax: 1 } })
    const first = rawStream(address)
    await first.until(1)
    const second = rawStream(address)
    const error = await second.ended
    expect(error.code).toBe(status.RESOURCE_EXHAUSTED)
    expect(reasonOf(error)).toBe('TOO_MANY_CONNECTIONS')
  })

  test('a node that stops ends its streams with NODE_STOPPED', async () => {
    const { address, sessions } = await served()
    const stream = rawStream(address)
    await stream.until(1)
    sessions.close()
    expect(reasonOf(await stream.ended)).toBe('NODE_STOPPED')
    expect(sessions.streamCount).toBe(0)
  })

  test('a client that goes away leaves no connection behind', async () => {
    const { address, gateway } = await served()
    const stream = rawStream(address)
    await stream.until(1)
    stream.call.cancel()
    while (gateway.connectionCount > 0) await new Promise((resolve) => setImmediate(resolve))
  })
})

describe('a bug in serving one message', () => {
  test('ends its stream with INTERNAL and no other', async () => {
    const { address, node, notes } = await served()
    const [bad, good] = [rawStream(address), rawStream(address)]
    await Promise.all([bad.until(1), good.until(1)])
    const { submit } = node
    node.submit = () => {
      throw new RangeError('a bug')
    }
    bad.send({ ...OPEN })
    expect(reasonOf(await bad.ended)).toBe('INTERNAL')
    expect(bad.heard.at(-1)).toMatchObject({
      kind: 'failed',
      code: 'INTERNAL',
      message: expect.stringContaining('a bug'),
    })
    expect(notes).toEqual(['INTERNAL'])
    node.submit = submit
    good.send({ ...OPEN })
    await good.until(2)
    expect(good.heard[1]).toMatchObject({ kind: 'opened' })
  })

  test('fails its unary call with INTERNAL', async () => {
    const { address, node } = await served()
    node.submit = () => {
      throw new RangeError('a bug')
    }
    const definition = loadService('holdfast/v1/session.proto', 'holdfast.v1.SessionService')
    const client = new Client(address, credentials.createInsecure())
    cleanups.push(() => client.close())
    const { path, requestSerialize } = definition['Open'] as (typeof definition)[string]
    const request = { secret: SECRET, principal: 'user:1', nonce: Buffer.alloc(16, 3) }
    const error = await new Promise<ServiceError | null>((resolve) =>
      client.makeUnaryRequest(path, requestSerialize, asIs, request, resolve),
    )
    expect(reasonOf(error as ServiceError)).toBe('INTERNAL')
  })
})

describe('unary calls', () => {
  async function unary(address: string) {
    const definition = loadService('holdfast/v1/session.proto', 'holdfast.v1.SessionService')
    const client = new Client(address, credentials.createInsecure())
    cleanups.push(() => client.close())
    return (name: string, request: object): Promise<Record<string, unknown>> =>
      new Promise((resolve, reject) => {
        const method = definition[name]
        if (method === undefined) throw new Error(name)
        client.makeUnaryRequest(
          method.path,
          method.requestSerialize,
          method.responseDeserialize as (bytes: Buffer) => Record<string, unknown>,
          request,
          (error, response) => (error === null && response !== undefined ? resolve(response) : reject(error)),
        )
      })
  }
  const open = { secret: SECRET, principal: 'user:1', nonce: Buffer.alloc(16, 3) }

  test('P-08 Open, Execute, Acknowledge, Query and Close serve a simple client, each idempotent', async () => {
    const { address, node } = await served()
    const call = await unary(address)
    const opened = await call('Open', open)
    expect(opened).toMatchObject({ existing: false, nextRequestId: 1, timeoutMs: 30_000 })
    expect(await call('Open', open)).toMatchObject({
      session: opened['session'],
      epoch: opened['epoch'],
      existing: true,
    })
    const proof = { session: opened['session'], epoch: opened['epoch'], secret: SECRET }
    const execute = {
      ...proof,
      requestId: 1,
      lowestPendingRequestId: 1,
      machine: 't',
      command: 'emit',
      input: encode(2),
    }
    expect(await call('Execute', execute)).toMatchObject({
      outcome: 'OUTCOME_OK',
      value: encode(null),
      replayed: false,
    })
    expect(await call('Execute', execute)).toMatchObject({ outcome: 'OUTCOME_OK', replayed: true })
    expect(node.user.calls).toEqual(['emit'])
    const rejected = await call('Execute', {
      ...execute,
      requestId: 2,
      command: 'reject',
      input: encode({ why: 'no' }),
    })
    expect(rejected).toMatchObject({ outcome: 'OUTCOME_REJECTED', code: 'NO', details: encode({ why: 'no' }) })
    expect(await call('Acknowledge', { ...proof, serverRequestId: 2 })).toEqual({ acknowledged: 2 })
    // Without a consistency it is linearizable.
    for (const consistency of [{}, { consistency: 'CONSISTENCY_STALE' }]) {
      const query = { ...consistency, machine: 't', query: 'calls', input: encode(null) }
      expect(await call('Query', query)).toMatchObject({ outcome: 'OUTCOME_OK', value: encode(2) })
    }
    expect(await call('Close', proof)).toEqual({})
    await expect(call('Close', proof)).rejects.toMatchObject({ code: status.NOT_FOUND })
  })

  test.each([
    [
      'Execute',
      { requestId: 1, lowestPendingRequestId: 0, machine: 't', command: 'echo', input: encode(1) },
      'INVALID',
      status.INVALID_ARGUMENT,
    ],
    [
      'Execute',
      { requestId: '9007199254740993', lowestPendingRequestId: 1, machine: 't', command: 'echo', input: encode(1) },
      'INVALID',
      status.INVALID_ARGUMENT,
    ],
    [
      'Execute',
      { requestId: 1, lowestPendingRequestId: 1, machine: 't', command: 'echo', input: encode(13) },
      'VALIDATION_ERROR',
      status.INVALID_ARGUMENT,
    ],
    [
      'Execute',
      { requestId: 1, lowestPendingRequestId: 1, machine: 't', command: 'echo', secret: Buffer.alloc(32, 1) },
      'SESSION_UNKNOWN',
      status.NOT_FOUND,
    ],
    [
      'Execute',
      { requestId: 1, lowestPendingRequestId: 1, machine: 't', command: 'echo', epoch: 1, input: encode(1) },
      'FENCED',
      status.ABORTED,
    ],
    ['Execute', { session: null }, 'INVALID', status.INVALID_ARGUMENT],
    ['Acknowledge', { serverRequestId: 5 }, 'INVALID_ACK', status.OUT_OF_RANGE],
    ['Open', { ...open, principal: 'system' }, 'PRINCIPAL_INVALID', status.INVALID_ARGUMENT],
    ['Open', { ...open, principal: 'user:2' }, 'OPEN_CONFLICT', status.ALREADY_EXISTS],
    ['Query', { incarnation: 9, machine: 't', query: 'calls' }, 'CLUSTER_CHANGED', status.FAILED_PRECONDITION],
  ])('P-07 %s %o is %s with ErrorInfo', async (name, overrides, reason, code) => {
    const { address } = await served()
    const call = await unary(address)
    const opened = await call('Open', open)
    const request = { session: opened['session'], epoch: opened['epoch'], secret: SECRET, ...overrides }
    const error = await call(name, request).then(
      () => null,
      (failure: ServiceError) => failure,
    )
    expect(error).toMatchObject({ code })
    expect(reasonOf(error as ServiceError)).toBe(reason)
  })

  test('NOT_LEADER carries the address of the leader', async () => {
    const { address, node } = await served()
    node.loseLead(node.id)
    const call = await unary(address)
    const error = await call('Open', open).then(
      () => null,
      (failure: ServiceError) => failure,
    )
    const info = decodeErrorInfo(error?.metadata.get(STATUS_DETAILS_KEY)[0] as Buffer)
    expect(info).toEqual({ reason: 'NOT_LEADER', metadata: { scope: 'open', leader: 'n1', address: 'address-of-n1' } })
  })
})

test('the library and the server agree over real sockets', async () => {
  const { address, node } = await served()
  const session = await connect({ endpoints: [address], principal: 'user:1' })
  const outcomes = await Promise.all(
    Array.from({ length: 500 }, (_unused, at) => session.execute('t', 'echo', at + 100)),
  )
  expect(outcomes.map((outcome) => outcome.kind === 'ok' && outcome.value)).toEqual(
    Array.from({ length: 500 }, (_unused, at) => at + 100),
  )
  expect(node.user.calls.length).toBe(500)
  expect(await session.query('t', 'calls', null)).toMatchObject({ kind: 'ok', value: 500 })
  const received: number[] = []
  session.on('note', (request) => void received.push(request.serverRequestId))
  await session.execute('t', 'emit', 3)
  while (received.length < 3) await new Promise((resolve) => setImmediate(resolve))
  expect(received).toEqual([1, 2, 3])
  expect(await session.close()).toBe(true)
  expect(node.machine.counts.sessions).toBe(0)
})
