import type { Socket } from 'node:net'
import { Writable } from 'node:stream'
import { afterEach, beforeEach, expect, test, vi } from 'vitest'
import { FRAME, FrameSocket } from '../../src/grpc/direct/frame-socket.ts'
import { PREFACE } from '../../src/grpc/direct/preface.ts'
import { PREFIX_BYTES, MessageReader, writePrefix } from '../../src/grpc/message-reader.ts'

const MIB = 1024 * 1024
const KEEP_ALIVE = { everyMs: 100, timeoutMs: 50 }

beforeEach(() => {
  vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout', 'setInterval', 'clearInterval'] })
})
afterEach(() => {
  vi.useRealTimers()
})

/** A socket whose system takes no byte but those that the test lets it, and tells of a write once it has all of it. */
class NarrowSocket extends Writable {
  connecting = false
  readonly taken: Buffer[] = []
  private room = 0
  private offered: Buffer = Buffer.alloc(0)
  private done: (() => void) | null = null

  take(bytes: number): void {
    this.room += bytes
    this.move()
  }

  override _write(chunk: Buffer, _encoding: string, done: () => void): void {
    this.offered = chunk
    this.done = done
    this.move()
  }

  override _writev(chunks: { chunk: Buffer }[], done: () => void): void {
    this._write(Buffer.concat(chunks.map(({ chunk }) => chunk)), '', done)
  }

  private move(): void {
    const part = this.offered.subarray(0, this.room)
    this.room -= part.length
    this.offered = this.offered.subarray(part.length)
    if (part.length > 0) this.taken.push(part)
    const { done } = this
    if (this.offered.length > 0 || done === null) return
    this.done = null
    done()
  }
}

function opened() {
  const socket = new NarrowSocket()
  const heard: string[] = []
  // It uses no more of a socket than this one has.
  const frames = new FrameSocket(
    socket as unknown as Socket,
    { messageBytesMax: MIB, keepAlive: KEEP_ALIVE },
    {
      onMessage: (message) => heard.push(`message of ${message.length}`),
      onFrame: (kind) => heard.push(`frame ${kind}`),
      onBroken: ({ message }) => heard.push(message),
      onClosed: ({ message }) => heard.push(message),
    },
  )
  return { socket, heard, frames }
}

/** The frames behind the preface, by kind and length. */
function framesIn(taken: readonly Buffer[]): readonly (readonly [number, Buffer])[] {
  const read: [number, Buffer][] = []
  const bounds = { messageBytesMax: 64 * MIB, others: { kindMax: FRAME.pong, bytesMax: MIB } }
  const reader = new MessageReader(bounds, (payload, kind) => read.push([kind, payload]))
  expect(reader.read(Buffer.concat(taken).subarray(PREFACE.length))).toBe(null)
  return read
}

function pings(count: number): Buffer {
  const bytes = Buffer.alloc(count * PREFIX_BYTES)
  for (let n = 0; n < count; n += 1)
    writePrefix(bytes, n * PREFIX_BYTES, { kind: FRAME.ping, payload: Buffer.alloc(0) })
  return bytes
}

async function turn(): Promise<void> {
  await new Promise(setImmediate)
}

test('who pings without end and reads nothing has one pong waiting, and an answer once it reads', async () => {
  const { socket, frames } = opened()
  for (let chunk = 0; chunk < 20; chunk += 1) {
    frames.read(pings(10_000))
    await turn()
  }
  expect(socket.writableLength).toBe(PREFACE.length + PREFIX_BYTES)
  socket.take(MIB)
  await turn()
  expect(framesIn(socket.taken).map(([kind]) => kind)).toEqual([FRAME.pong])
  frames.read(pings(2))
  await turn()
  expect(framesIn(socket.taken).map(([kind]) => kind)).toEqual([FRAME.pong, FRAME.pong])
})

test.each([
  ['one message of 16 MiB', 1, 16 * MIB],
  ['much that was said while the link was busy', 16 * 64, 16 * 1024],
])('a slow link that moves is not given up: %s', async (_what, count, bytes) => {
  const { socket, heard, frames } = opened()
  let written = 0
  socket.take(PREFACE.length)
  const payload = Buffer.alloc(bytes, 'x')
  for (let n = 0; n < count; n += 1) {
    frames.write(FRAME.message, payload, () => {
      written += 1
    })
    await turn()
  }
  // A ping at 100 ms must hear something by 150: the link moves by less than the half of what waits until then.
  for (let step = 0; step < 40; step += 1) {
    await vi.advanceTimersByTimeAsync(25)
    socket.take(300 * 1024)
    await turn()
  }
  expect(heard).toEqual([])
  expect(socket.writableLength).toBeLessThan(512 * 1024)
  socket.take(64 * MIB)
  while (written < count) await turn()
  const messages = framesIn(socket.taken).filter(([kind]) => kind === FRAME.message)
  expect(messages.length).toBe(count)
  expect(messages.every(([, message]) => message.equals(payload))).toBe(true)
})

test('a link that does not move is given up', async () => {
  const { socket, heard, frames } = opened()
  frames.write(FRAME.message, Buffer.alloc(16 * MIB))
  socket.take(MIB)
  await turn()
  await vi.advanceTimersByTimeAsync(KEEP_ALIVE.everyMs + KEEP_ALIVE.timeoutMs)
  expect(heard).toEqual(['no answer to a ping within 50 ms'])
})

test('what is said in one go is said in order, long or short, and before an end', async () => {
  const { socket, frames } = opened()
  const lengths = [3, 40_000, 0, 700_000, 262_144, 131_072, 5, 32_763, 32_764]
  for (const length of lengths) frames.write(FRAME.message, Buffer.alloc(length, length % 251))
  frames.write(FRAME.end)
  frames.end()
  socket.take(64 * MIB)
  await turn()
  expect(socket.writableFinished).toBe(true)
  const read = framesIn(socket.taken)
  expect(read.map(([kind, payload]) => [kind, payload.length])).toEqual([
    ...lengths.map((length) => [FRAME.message, length]),
    [FRAME.end, 0],
  ])
  expect(read.every(([, payload]) => payload.equals(Buffer.alloc(payload.length, payload.length % 251)))).toBe(true)
})

test('nothing is pinged before it is connected', async () => {
  const { socket, heard } = opened()
  socket.connecting = true
  socket.take(MIB)
  await vi.advanceTimersByTimeAsync(10 * KEEP_ALIVE.everyMs)
  expect([heard, framesIn(socket.taken)]).toEqual([[], []])
  socket.connecting = false
  await vi.advanceTimersByTimeAsync(KEEP_ALIVE.everyMs)
  expect(framesIn(socket.taken)).toEqual([[FRAME.ping, Buffer.alloc(0)]])
})
