import { createServer as createHttp2 } from 'node:http2'
import { type AddressInfo, connect, createServer as createTcp, type Server, type Socket } from 'node:net'
import { Metadata, type ServerDuplexStream, type ServiceDefinition } from '@grpc/grpc-js'
import fc from 'fast-check'
import { describe, expect, onTestFinished, test } from 'vitest'
import { asIs } from '../../src/grpc/as-is.ts'
import { dialStream } from '../../src/grpc/dial-stream.ts'
import type { DialledStream, StreamTarget } from '../../src/grpc/dialled-stream.ts'
import { DirectCall } from '../../src/grpc/direct/direct-call.ts'
import { decodeFields, encodeFields } from '../../src/grpc/direct/fields.ts'
import { FRAME } from '../../src/grpc/direct/frame-socket.ts'
import { PREFACE } from '../../src/grpc/direct/preface.ts'
import { PREFIX_BYTES, prefixed, writePrefix } from '../../src/grpc/message-reader.ts'
import type { StreamEnd } from '../../src/grpc/stream-end.ts'
import { FirstBytes } from '../../src/server/first-bytes.ts'
import { GrpcServer } from '../../src/server/grpc-server.ts'
import { sample } from '../effort.ts'

type Call = ServerDuplexStream<Buffer, Buffer>

const PATH = '/test.Bytes/Stream'
const method = {
  path: PATH,
  requestStream: true,
  responseStream: true,
  requestSerialize: asIs,
  requestDeserialize: asIs,
  responseSerialize: asIs,
  responseDeserialize: asIs,
}
const definition: ServiceDefinition = { Stream: method }

/** A node's server with one method of bytes. */
async function served(handle: (call: Call) => void): Promise<string> {
  const server = await GrpcServer.listen({
    host: '127.0.0.1',
    port: 0,
    graceMs: 50,
    services: [{ definition, implementation: { Stream: handle }, ofBytes: ['Stream'] }],
  })
  onTestFinished(() => server.close())
  return `127.0.0.1:${server.port}`
}

async function listening(server: Server | ReturnType<typeof createHttp2>): Promise<string> {
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  onTestFinished(() => void server.close())
  return `127.0.0.1:${(server.address() as AddressInfo).port}`
}

/** A server whose connections the test plays itself. */
async function played(play: (socket: Socket, count: number) => void): Promise<string> {
  let count = 0
  const server = createTcp((socket) => {
    onTestFinished(() => void socket.destroy())
    count += 1
    play(
      socket.on('error', () => undefined),
      count,
    )
  })
  return listening(server)
}

function dial(address: string, more: Partial<StreamTarget> = {}) {
  const heard: string[] = []
  const messages: Buffer[] = []
  let opened = (): void => undefined
  const open = new Promise<void>((resolve) => (opened = resolve))
  let stream: DialledStream | null = null
  const over = new Promise<StreamEnd | null>((resolve) => {
    stream = dialStream(
      { address, path: PATH, messageBytesMax: 4 * 1024 * 1024, direct: true, ...more },
      {
        onOpen: (headers) => {
          heard.push(`open ${String(headers['kinds'] ?? '')}`)
          opened()
        },
        onMessage: (message) => {
          messages.push(message)
          heard.push(message.length < 100 ? message.toString() : `${message.length} bytes`)
        },
        onEnd: (end) => {
          heard.push('end')
          resolve(end)
        },
      },
    )
  })
  if (stream === null) throw new Error('nothing was dialled')
  const dialled: DialledStream = stream
  onTestFinished(() => dialled.cancel())
  return { heard, messages, over, open, stream: dialled }
}

function frame(kind: number, payload: Buffer = Buffer.alloc(0)): Buffer {
  const bytes = Buffer.alloc(PREFIX_BYTES + payload.length)
  writePrefix(bytes, 0, { kind, payload })
  bytes.set(payload, PREFIX_BYTES)
  return bytes
}

/** Sends everything back, and ends when the client does. */
function echo(call: Call): void {
  const metadata = new Metadata()
  metadata.set('kinds', '7')
  call.sendMetadata(metadata)
  call.on('data', (message: Buffer) => call.write(message, () => undefined))
  call.on('end', () => call.end())
  call.on('error', () => undefined)
}

function refuse(call: Call): void {
  const metadata = new Metadata()
  metadata.set('grpc-status-details-bin', Buffer.from([1, 2, 3]))
  call.emit('error', { code: 9, details: 'NOT TODAY: 100 % ñ', metadata })
}

describe('a direct connection', () => {
  const cases: readonly [string, (call: Call) => void, readonly (string | Buffer)[], Partial<StreamTarget>?][] = [
    ['messages there and back', echo, ['a', '', Buffer.alloc(300_000), 'b', Buffer.alloc(40_000), 'c']],
    ['no message', echo, []],
    ['a refusal before any header', refuse, []],
    ['a refusal behind a message', (call) => call.on('error', () => undefined).once('data', () => refuse(call)), ['a']],
    ['a message that the client does not take', echo, [Buffer.alloc(101)], { messageBytesMax: 100 }],
    ['a message that the server does not take', echo, [Buffer.alloc(20 * 1024 * 1024 + 1)]],
    ['a method that is not there', echo, [], { path: '/test.Bytes/Other' }],
  ]
  test.each(cases)('is heard as a stream on HTTP/2 is: %s', async (_what, handle, messages, more = {}) => {
    const address = await served(handle)
    const ends = []
    for (const direct of [false, true]) {
      const { heard, messages: bytes, over, stream } = dial(address, { ...more, direct })
      for (const message of messages) stream.write(Buffer.from(message), () => undefined)
      stream.finish()
      const end = await over
      // On HTTP/2 what is said while a message is under way is joined, and grpc-js has words of its own for no method.
      const told = end === null ? null : { ...end, message: end.message.replace(/.*test.Bytes.*/, '') }
      ends.push({ first: heard[0], last: heard.at(-1), bytes: Buffer.concat(bytes).toString('latin1'), end: told })
    }
    expect(ends[1]).toEqual(ends[0])
    expect(ends[0]?.last).toBe('end')
  })

  test('is used where the server knows it, and the call of a client that goes is cancelled once', async () => {
    let times = 0
    let gone = (): void => undefined
    const cancelled = new Promise<void>((resolve) => (gone = resolve))
    const names: string[] = []
    const address = await served((call) => {
      names.push(call.constructor.name)
      call.sendMetadata(new Metadata())
      call.on('cancelled', () => {
        times += 1
        call.write(Buffer.from('too late'))
        call.end()
        gone()
      })
    })
    const { open, stream } = dial(address)
    await open
    stream.cancel()
    await cancelled
    expect([names, times]).toEqual([['DirectCall'], 1])
  })

  test('each message that was written is told so, in order, and what is written before an end comes before it', async () => {
    const address = await served(echo)
    const { heard, open, over, stream } = dial(address)
    await open
    const written: number[] = []
    for (let n = 0; n < 50; n += 1) stream.write(Buffer.alloc(n % 7 === 0 ? 40_000 : 200), () => written.push(n))
    stream.finish()
    expect(await over).toBe(null)
    expect(written).toEqual(Array.from({ length: 50 }, (_, n) => n))
    expect(heard).toHaveLength(52)
  })

  test('one that is still open when its server closes is cut after the grace period', async () => {
    const server = await GrpcServer.listen({
      host: '127.0.0.1',
      port: 0,
      graceMs: 20,
      services: [{ definition, implementation: { Stream: echo }, ofBytes: ['Stream'] }],
    })
    const { open, over } = dial(`127.0.0.1:${server.port}`)
    await open
    await server.close()
    expect(await over).toMatchObject({ code: 14, gone: true })
  })

  test('a server that does not answer pings any more is given up; one that says something else meanwhile is not', async () => {
    const keepAlive = { everyMs: 10, timeoutMs: 100 }
    const answer = Buffer.concat([PREFACE, frame(FRAME.open)])
    const silent = dial(await played((socket) => socket.resume().write(answer)), { keepAlive })
    expect(await silent.over).toMatchObject({ code: 14, gone: false, message: expect.stringContaining('ping') })

    let pings = 0
    let enough = (): void => undefined
    const many = new Promise<void>((resolve) => (enough = resolve))
    const busy = await played((socket) => {
      socket.write(answer)
      socket.on('data', (bytes: Buffer) => {
        pings += bytes.filter((byte) => byte === FRAME.ping).length
        socket.write(prefixed(Buffer.from('busy')))
        if (pings > 30) enough()
      })
    })
    const { stream } = dial(busy, { keepAlive })
    await many
    expect(stream.open).toBe(true)
  })
})

describe('a client that reads nothing', () => {
  /** The server's end of a call that has more to say than the system takes, and when its socket closes. */
  async function calledBy(keepAlive: { everyMs: number; timeoutMs: number }) {
    let called = (_call: DirectCall): void => undefined
    const call = new Promise<DirectCall>((resolve) => (called = resolve))
    let close = (): void => undefined
    const closed = new Promise<void>((resolve) => (close = resolve))
    const address = await played((socket) => {
      socket.once('close', close)
      const taken: DirectCall = new DirectCall(socket, {
        messageBytesMax: 100,
        openMs: 10_000,
        keepAlive,
        onCall: () => {
          called(taken)
          return true
        },
      })
    })
    const client = connect(Number(address.split(':')[1]), '127.0.0.1').pause()
    onTestFinished(() => void client.destroy())
    client.write(frame(FRAME.open, encodeFields({ ':path': PATH })))
    const served = await call
    const gone = new Promise((resolve) => served.once('cancelled', resolve))
    served.write(Buffer.alloc(32 * 1024 * 1024))
    return { served, closed, gone }
  }

  test('is cut when the end of its call does not reach it', async () => {
    const { served, closed } = await calledBy({ everyMs: 50, timeoutMs: 50 })
    served.end()
    await closed
  })

  test('is cut when it does not answer a ping, and its call is cancelled', async () => {
    const { closed, gone } = await calledBy({ everyMs: 20, timeoutMs: 50 })
    await Promise.all([closed, gone])
  })
})

describe('a server that does not know direct connections', () => {
  test('is spoken to on HTTP/2 at once, and hears what was said before that, once and in order', async () => {
    const server = createHttp2()
    server.on('session', (session) => onTestFinished(() => session.destroy()))
    server.on('sessionError', () => undefined)
    server.on('stream', (stream) => {
      stream.respond({ ':status': 200, 'content-type': 'application/grpc', kinds: '3' }, { waitForTrailers: true })
      stream.on('wantTrailers', () => stream.sendTrailers({ 'grpc-status': '0' }))
      stream.on('error', () => undefined).pipe(stream)
    })
    const { heard, over, stream } = dial(await listening(server))
    for (const text of ['a', 'b']) stream.write(Buffer.from(text), () => undefined)
    stream.finish()
    expect(await over).toBe(null)
    expect(heard.slice(0, 2)).toEqual(['open 3', 'a'])
    expect(heard.at(-1)).toBe('end')
  })

  test.each([
    ['closes', (socket: Socket) => void socket.end()],
    ['resets the connection', (socket: Socket) => void socket.once('data', () => socket.resetAndDestroy())],
    ['speaks of something else', (socket: Socket) => void socket.end('HTTP/1.1 400 Bad Request\r\n\r\n')],
  ])('one that %s is dialled a second time, with HTTP/2', async (_how, answer) => {
    const first: Buffer[] = []
    let dialled = 0
    const address = await played((socket, count) => {
      dialled = count
      if (count === 1) return answer(socket)
      socket.once('data', (bytes: Buffer) => {
        first.push(bytes)
        socket.destroy()
      })
    })
    expect(await dial(address).over).toMatchObject({ code: 14 })
    expect(dialled).toBe(2)
    expect(first[0]?.toString('latin1')).toMatch(/^PRI \* HTTP/)
  })

  test('nobody listens: that is told at once, and not tried twice', async () => {
    const server = createTcp()
    const address = await listening(server)
    await new Promise((resolve) => server.close(resolve))
    expect(await dial(address).over).toMatchObject({ code: 14, gone: true })
  })

  test('a stream that was ended or cancelled meanwhile dials nobody else', async () => {
    for (const how of ['end', 'cancel'] as const) {
      let arrived = (_socket: Socket): void => undefined
      const accepted = new Promise<Socket>((resolve) => (arrived = resolve))
      let dialled = 0
      const address = await played((socket, count) => {
        dialled = count
        socket.once('data', () => arrived(socket))
      })
      const { stream, heard } = dial(address)
      const socket = await accepted
      stream[how]()
      socket.end()
      await new Promise((resolve) => socket.resume().once('close', resolve))
      for (let turn = 0; turn < 20; turn += 1) await new Promise(setImmediate)
      expect([heard, dialled]).toEqual([[], 1])
    }
  })
})

describe('a connection that was accepted', () => {
  test('is told from one of HTTP/2 by its first bytes, however they come', async () => {
    const address = await served(echo)
    const socket = connect(Number(address.split(':')[1]), '127.0.0.1')
    socket.setNoDelay(true)
    onTestFinished(() => void socket.destroy())
    const bytes = Buffer.concat([
      PREFACE,
      frame(FRAME.open, encodeFields({ ':path': PATH })),
      prefixed(Buffer.from('x')),
    ])
    const answer: Buffer[] = []
    const echoed = new Promise<void>((resolve) => {
      socket.on('data', (chunk: Buffer) => {
        answer.push(chunk)
        if (Buffer.concat(answer).at(-1) === 'x'.charCodeAt(0)) resolve()
      })
    })
    for (const byte of bytes) {
      await new Promise<void>((resolve) => socket.write(Buffer.from([byte]), () => resolve()))
      await new Promise(setImmediate)
    }
    await echoed
    expect(Buffer.concat(answer).subarray(0, PREFACE.length)).toEqual(PREFACE)
  })

  test.each([
    ['nothing', ''],
    ['half a preface', 'HOLD'],
  ])('that says %s is closed in time, and handed to nobody', async (_what, said) => {
    const taken: string[] = []
    const address = await played((socket) =>
      new FirstBytes(50, { direct: () => taken.push('direct'), http2: () => taken.push('http2') }).take(socket),
    )
    const socket = connect(Number(address.split(':')[1]), '127.0.0.1').on('error', () => undefined)
    if (said !== '') socket.write(said)
    await new Promise((resolve) => socket.resume().once('close', resolve))
    expect(taken).toEqual([])
  })

  test.each([
    ['a message before its call', [prefixed(Buffer.from('x'))]],
    ['an empty one', [prefixed(Buffer.alloc(0))]],
    ['that a long one follows', [prefixed(Buffer.alloc(1024 * 1024)).subarray(0, PREFIX_BYTES)]],
    ['two calls', [1, 2].map(() => frame(FRAME.open, encodeFields({ ':path': PATH })))],
    ['a call of nothing', [frame(FRAME.open)]],
    ['a frame of a kind that there is not', [frame(99)]],
  ])('that says %s hears so, and is closed', async (_what, frames) => {
    const address = await served((call) => call.on('error', () => undefined))
    const socket = connect(Number(address.split(':')[1]), '127.0.0.1')
    const answer: Buffer[] = []
    socket.on('data', (chunk: Buffer) => answer.push(chunk)).write(Buffer.concat([PREFACE, ...frames]))
    await new Promise((resolve) => socket.once('close', resolve))
    const [kind, ...rest] = Buffer.concat(answer).subarray(PREFACE.length)
    expect(kind).toBe(FRAME.end)
    expect(decodeFields(Buffer.from(rest.slice(PREFIX_BYTES - 1)))).toMatchObject({ 'grpc-status': '13' })
  })

  test('random bytes behind the preface end that connection and nothing else', async () => {
    const address = await served(echo)
    const port = Number(address.split(':')[1])
    const call = frame(FRAME.open, encodeFields({ ':path': PATH }))
    const bytes = fc.tuple(fc.boolean(), fc.uint8Array({ maxLength: 200 }))
    await fc.assert(
      fc.asyncProperty(bytes, async ([called, garbage]) => {
        const socket = connect(port, '127.0.0.1').on('error', () => undefined)
        socket.end(Buffer.concat([PREFACE, ...(called ? [call] : []), garbage]))
        await new Promise((resolve) => socket.resume().once('close', resolve))
      }),
      { numRuns: sample(100) },
    )
    const { over, stream, heard } = dial(address)
    stream.write(Buffer.from('still there'), () => undefined)
    stream.finish()
    expect(await over).toBe(null)
    expect(heard).toContain('still there')
  })
})
