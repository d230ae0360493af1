import { createServer as createHttp2, type ServerHttp2Stream } from 'node:http2'
import { type AddressInfo, connect, createServer as createTcp, type Server, type Socket } from 'node:net'
import { describe, expect, onTestFinished, test } from 'vitest'
import { AddressLookup } from '../../src/grpc/address-lookup.ts'
import { dialStream } from '../../src/grpc/dial-stream.ts'
import type { DialledStream, StreamTarget } from '../../src/grpc/dialled-stream.ts'
import { prefixed } from '../../src/grpc/message-reader.ts'
import type { StreamEnd } from '../../src/grpc/stream-end.ts'

const HEADERS = { ':status': 200, 'content-type': 'application/grpc' }

async function listening(server: Server | ReturnType<typeof createHttp2>): Promise<string> {
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  onTestFinished(() => void server.close())
  return `127.0.0.1:${(server.address() as AddressInfo).port}`
}

/** An HTTP/2 server that does with each stream what it is told. */
function http2Server(receive: (stream: ServerHttp2Stream) => void): Promise<string> {
  const server = createHttp2()
  server.on('session', (session) => onTestFinished(() => session.destroy()))
  server.on('stream', (stream) => {
    stream.on('error', () => undefined)
    receive(stream)
  })
  return listening(server)
}

/** A stream with all that it hears; `over` resolves with its end. */
function dial(address: string, more: Partial<StreamTarget> = {}) {
  const heard: string[] = []
  let stream: DialledStream | null = null
  const over = new Promise<StreamEnd | null>((resolve) => {
    stream = dialStream(
      { address, path: '/test.Service/Method', messageBytesMax: 100, ...more },
      {
        onOpen: () => heard.push('open'),
        onMessage: (message) => heard.push(message.toString()),
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
  return { heard, over, stream: dialled }
}

describe('a dialled stream', () => {
  test('carries messages both ways and hears the orderly end behind the last of them', async () => {
    const address = await http2Server((stream) => {
      stream.respond(HEADERS, { waitForTrailers: true })
      stream.on('wantTrailers', () => stream.sendTrailers({ 'grpc-status': '0' }))
      stream.on('data', (bytes: Buffer) => stream.write(bytes))
      stream.on('end', () => stream.end(Buffer.concat([prefixed(Buffer.from('b')), prefixed(Buffer.from('c'))])))
    })
    const { heard, over, stream } = dial(address)
    stream.write(Buffer.from('a'), () => undefined)
    stream.finish()
    expect(await over).toBe(null)
    expect(heard).toEqual(['open', 'a', 'b', 'c', 'end'])
  })

  test.each([
    [
      'behind messages',
      (stream: ServerHttp2Stream) => {
        stream.respond(HEADERS, { waitForTrailers: true })
        stream.on('wantTrailers', () => stream.sendTrailers({ 'grpc-status': '9', 'grpc-message': 'n%C3%A4 100%25' }))
        stream.end(prefixed(Buffer.from('a')))
      },
    ],
    [
      'alone',
      (stream: ServerHttp2Stream) =>
        stream.respond({ ...HEADERS, 'grpc-status': '9', 'grpc-message': 'n%C3%A4 100%25' }, { endStream: true }),
    ],
  ])("the server's status and sentence are told: %s", async (_where, answer) => {
    const { over } = dial(await http2Server(answer))
    expect(await over).toEqual({ code: 9, message: 'nä 100%', details: null, gone: false })
  })

  test.each([
    ['a web server', 14, (stream: ServerHttp2Stream) => stream.respond({ ':status': 503 }, { endStream: true })],
    [
      'another kind of answer',
      2,
      (stream: ServerHttp2Stream) => stream.respond({ ':status': 200, 'content-type': 'text/html' }),
    ],
    [
      'a message too large',
      8,
      (stream: ServerHttp2Stream) => {
        stream.respond(HEADERS)
        stream.write(prefixed(Buffer.alloc(101)))
      },
    ],
    ['a reset', 14, (stream: ServerHttp2Stream) => stream.close(2)],
  ])('%s ends it with status %i', async (_what, code, answer) => {
    const { over, stream } = dial(await http2Server(answer))
    expect(await over).toMatchObject({ code })
    expect(stream.open).toBe(false)
  })

  test.each(['', 'host', '::1:4600', 'a:99999'])(
    '%j is told to be no address, and nothing is thrown',
    async (address) => {
      expect(await dial(address).over).toMatchObject({
        code: 14,
        message: expect.stringContaining('is not an address'),
      })
    },
  )

  test('a port that nobody listens on is gone, also under a name with several addresses', async () => {
    const server = createTcp()
    const address = await listening(server)
    await new Promise((resolve) => server.close(resolve))
    expect(await dial(address).over).toMatchObject({ code: 14, gone: true })
    const port = address.split(':')[1]
    expect(await dial(`localhost:${port}`).over).toMatchObject({ code: 14, gone: true })
  })

  test('a name whose lookup hangs holds up no other stream', async () => {
    const lookup = new AddressLookup((name, done) => {
      if (name === 'good.test') done(null, [{ address: '127.0.0.1', family: 4 }])
    })
    const address = await http2Server((stream) =>
      stream.respond({ ...HEADERS, 'grpc-status': '0' }, { endStream: true }),
    )
    const port = address.split(':')[1]
    const hanging = Array.from({ length: 10 }, () => dial(`hangs.test:${port}`, { lookup }))
    expect(await dial(`good.test:${port}`, { lookup }).over).toBe(null)
    for (const { stream } of hanging) stream.cancel()
    expect(hanging.flatMap(({ heard }) => heard)).toEqual([])
  })

  test('a server that accepts and says nothing is left at once: the connection of a cancelled stream is closed', async () => {
    const sockets: Socket[] = []
    let accepted = (): void => {}
    const address = await listening(
      createTcp((socket) => {
        sockets.push(socket.on('error', () => undefined).resume())
        accepted()
      }),
    )
    for (const how of ['cancel', 'end'] as const) {
      const arrived = new Promise<void>((resolve) => {
        accepted = resolve
      })
      const { stream, heard } = dial(address)
      await arrived
      const socket = sockets.at(-1)
      stream[how]()
      await new Promise((resolve) => socket?.once('close', resolve))
      expect(heard).toEqual([])
    }
  })

  test('a connection whose other end has frozen is given up when a ping is not answered', async () => {
    const target = await http2Server((stream) => stream.respond(HEADERS))
    const halves: Socket[] = []
    const relay = await listening(
      createTcp((socket) => {
        const onward = connect(Number(target.split(':')[1]), '127.0.0.1')
        for (const half of [socket, onward]) halves.push(half.on('error', () => undefined))
        socket.pipe(onward).pipe(socket)
        onTestFinished(() => void socket.destroy())
      }),
    )
    const { over, heard } = dial(relay, { keepAlive: { everyMs: 20, timeoutMs: 200 } })
    while (!heard.includes('open')) await new Promise(setImmediate)
    for (const half of halves) half.unpipe().pause()
    expect(await over).toMatchObject({ code: 14, gone: false, message: expect.stringContaining('ping') })
  })
})
