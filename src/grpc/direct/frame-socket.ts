import type { Socket } from 'node:net'
import type { KeepAlive } from '../keep-alive.ts'
import { MessageReader, PREFIX_BYTES, writePrefix } from '../message-reader.ts'
import { endedBy, endOfError, STATUS, type StreamEnd } from '../stream-end.ts'
import { FIELDS_BYTES_MAX } from './fields.ts'
import { PREFACE } from './preface.ts'

/** What a frame is; the first byte of its prefix. 1 is left out: in gRPC it says that the message is compressed. */
export const FRAME = {
  /** A message of the stream. */
  message: 0,
  /** First of either end: the fields of a request, or of the answer that a server is there. */
  open: 2,
  /** Last of the server: the fields of the trailers, `grpc-status` among them. */
  end: 3,
  /** The client says no more. */
  finish: 4,
  ping: 5,
  pong: 6,
} as const

/** What is joined into one write, bytes; what is longer goes as it is, behind its prefix. */
const JOINED_BYTES_MAX = 32 * 1024
const NOTHING = Buffer.alloc(0)

interface Frame {
  readonly kind: number
  readonly payload: Buffer
  readonly written: (() => void) | null
}

/** Who hears of the frames of a connection. Nothing is heard once one of the last two was. */
export interface FrameListener {
  onMessage(message: Buffer): void
  /** A frame of another kind, pings and pongs excepted. */
  onFrame(kind: number, payload: Buffer): void
  /** The other end says what it must not, or (`unavailable`) has fallen silent. The connection is still there. */
  onBroken(end: StreamEnd): void
  /** The connection is no more. */
  onClosed(end: StreamEnd): void
}

/**
 * Frames on a connection of their own, both ways (docs/format.md, "Direct connections"). It needs no more of its socket than
 * one under TLS has. What is said in one go leaves in one write.
 *
 * PERF: to read a message and write one, in a turn of its own, takes 63 µs, on HTTP/2 125
 * (docs/decisions/direct-connections.md).
 */
export class FrameSocket {
  private readonly socket: Socket
  private readonly listener: FrameListener
  private readonly reader: MessageReader
  private waiting: Frame[] = []
  private readonly keepAlive: KeepAlive
  private readonly pings: NodeJS.Timeout
  private late: NodeJS.Timeout | null = null
  /** Something came in since the last ping, or something went out although that ping had to wait for its turn. */
  private alive = false
  private behind = false
  private over = false

  /** A message may have up to `messageBytesMax` bytes. The preface has been read from `socket`; this end's is written here. */
  constructor(
    socket: Socket,
    { messageBytesMax, keepAlive }: { readonly messageBytesMax: number; readonly keepAlive: KeepAlive },
    listener: FrameListener,
  ) {
    this.socket = socket
    this.listener = listener
    const bounds = { messageBytesMax, others: { kindMax: FRAME.pong, bytesMax: FIELDS_BYTES_MAX }, views: true }
    this.reader = new MessageReader(bounds, (payload, kind) => this.receive(kind, payload))
    this.keepAlive = keepAlive
    this.pings = setInterval(() => this.ping(keepAlive.timeoutMs), keepAlive.everyMs).unref()
    socket.write(PREFACE)
    socket.on('error', (error) => this.closed(endOfError(error)))
    socket.on('close', () => this.closed(endedBy(STATUS.unavailable, 'the connection was closed', true)))
  }

  /** Bytes from the socket. */
  read(chunk: Buffer): void {
    this.alive = true
    if (this.over) return
    const refused = this.reader.read(chunk)
    if (refused !== null) this.broken(refused)
  }

  /** `written` follows when the system has taken it. */
  write(kind: number, payload: Buffer = NOTHING, written: (() => void) | null = null): void {
    if (this.waiting.push({ kind, payload, written }) === 1) queueMicrotask(() => this.flush())
  }

  /**
   * Says no more behind what was written. What still comes is read, or it would reset the connection, but not heard. Who does
   * not take it within a ping and the wait for its answer is cut.
   */
  end(): void {
    this.flush()
    this.stop()
    this.socket.end()
    const late = setTimeout(() => this.socket.destroy(), this.keepAlive.everyMs + this.keepAlive.timeoutMs).unref()
    this.socket.once('close', () => clearTimeout(late))
  }

  /** Cuts it at once. */
  destroy(): void {
    this.stop()
    this.socket.destroy()
  }

  private flush(): void {
    const frames = this.waiting
    if (frames.length === 0 || this.over) return
    this.waiting = []
    let bytes = 0
    for (const { payload } of frames) bytes += PREFIX_BYTES + payload.length
    if (bytes <= JOINED_BYTES_MAX) return this.writeJoined(frames, bytes)
    this.socket.cork()
    for (const frame of frames) {
      const prefix = Buffer.allocUnsafe(PREFIX_BYTES)
      writePrefix(prefix, 0, frame)
      this.socket.write(prefix)
      this.socket.write(frame.payload, () => this.wrote(frame))
    }
    this.socket.uncork()
  }

  private writeJoined(frames: readonly Frame[], bytes: number): void {
    const joined = Buffer.allocUnsafe(bytes)
    let at = 0
    for (const frame of frames) {
      writePrefix(joined, at, frame)
      joined.set(frame.payload, at + PREFIX_BYTES)
      at += PREFIX_BYTES + frame.payload.length
    }
    this.socket.write(joined, () => {
      for (const frame of frames) this.wrote(frame)
    })
  }

  private wrote({ written }: Frame): void {
    if (this.behind) this.alive = true
    written?.()
  }

  private receive(kind: number, payload: Buffer): void {
    if (this.over) return
    if (kind === FRAME.message) return this.listener.onMessage(payload)
    if (kind === FRAME.ping) return this.write(FRAME.pong)
    if (kind !== FRAME.pong) this.listener.onFrame(kind, payload)
  }

  /**
   * A link with much to carry may take longer for the answer than that, but not without moving: while more waits than the
   * system takes, each write that it takes is one of which the other end's has made room.
   */
  private ping(timeoutMs: number): void {
    if (this.late === null) this.watch(timeoutMs)
    this.write(FRAME.ping)
  }

  private watch(timeoutMs: number): void {
    this.alive = false
    this.behind = this.socket.writableLength > 0
    this.late = setTimeout(() => {
      this.late = null
      if (!this.alive) this.broken(endedBy(STATUS.unavailable, `no answer to a ping within ${timeoutMs} ms`))
    }, timeoutMs).unref()
  }

  private broken(end: StreamEnd): void {
    if (!this.over) this.listener.onBroken(end)
  }

  private closed(end: StreamEnd): void {
    if (this.over) return
    this.destroy()
    this.listener.onClosed(end)
  }

  private stop(): void {
    this.over = true
    clearInterval(this.pings)
    if (this.late !== null) clearTimeout(this.late)
  }
}
