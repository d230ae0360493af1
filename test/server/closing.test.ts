import { connect, type Socket } from 'node:net'
import type { ServerDuplexStream, ServiceDefinition } from '@grpc/grpc-js'
import { describe, expect, onTestFinished, test } from 'vitest'
import { asIs } from '../../src/grpc/as-is.ts'
import { encodeFields } from '../../src/grpc/direct/fields.ts'
import { FRAME } from '../../src/grpc/direct/frame-socket.ts'
import { PREFACE } from '../../src/grpc/direct/preface.ts'
import { PREFIX_BYTES, writePrefix } from '../../src/grpc/message-reader.ts'
import { DirectCalls } from '../../src/server/direct-calls.ts'
import { FirstBytes } from '../../src/server/first-bytes.ts'
import { GrpcServer } from '../../src/server/grpc-server.ts'

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

const payload = encodeFields({ ':path': PATH })
const OPEN = Buffer.alloc(PREFIX_BYTES + payload.length)
writePrefix(OPEN, 0, { kind: FRAME.open, payload })
OPEN.set(payload, PREFIX_BYTES)

/** A server whose one method ends each call at once, and how many there were. */
async function served() {
  const seen = { calls: 0 }
  const server = await GrpcServer.listen({
    host: '127.0.0.1',
    port: 0,
    graceMs: 60_000,
    services: [
      {
        definition,
        implementation: {
          Stream: (call: ServerDuplexStream<Buffer, Buffer>) => {
            seen.calls += 1
            call.on('error', () => undefined).end()
          },
        },
        ofBytes: ['Stream'],
      },
    ],
  })
  return { server, seen }
}

function dialled({ port }: GrpcServer, said: Buffer): { socket: Socket; closed: Promise<void> } {
  const socket = connect(port, '127.0.0.1').on('error', () => undefined)
  onTestFinished(() => void socket.destroy())
  socket.write(said)
  return { socket, closed: new Promise((resolve) => socket.once('close', () => resolve())) }
}

describe('a server that closes', () => {
  test.each([
    ['nothing', Buffer.alloc(0)],
    ['half of what it is', PREFACE.subarray(0, 4)],
  ])('cuts a connection that has said %s, and hands it to nobody', async (_what, said) => {
    const { server, seen } = await served()
    const { socket, closed } = dialled(server, said)
    // Connections are accepted in their order: behind the answer to this one the other has been.
    const later = dialled(server, PREFACE)
    await new Promise((resolve) => later.socket.once('data', resolve))
    const over = server.close()
    socket.write(Buffer.concat([PREFACE.subarray(said.length), OPEN]))
    await Promise.all([over, closed, later.closed])
    expect(seen.calls).toBe(0)
  })

  test('takes no call any more on a connection that has only said what it is', async () => {
    const { server, seen } = await served()
    const { socket, closed } = dialled(server, PREFACE)
    await new Promise((resolve) => socket.once('data', resolve))
    const over = server.close()
    socket.write(OPEN)
    await Promise.all([over, closed])
    expect(seen.calls).toBe(0)
  })

  test('takes no connection that comes later', async () => {
    const taken: string[] = []
    const first = new FirstBytes(60_000, { direct: () => taken.push('direct'), http2: () => taken.push('http2') })
    const calls = new DirectCalls(new Map(), { messageBytesMax: 100, openMs: 60_000 })
    first.close()
    await calls.close(0)
    for (const take of [(socket: Socket) => first.take(socket), (socket: Socket) => calls.take(socket)]) {
      const { server } = await served()
      const { socket } = dialled(server, Buffer.alloc(0))
      take(socket)
      expect(socket.destroyed).toBe(true)
      await server.close()
    }
    expect(taken).toEqual([])
  })
})
