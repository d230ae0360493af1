import type { Socket } from 'node:net'
import type { KeepAlive } from '../keep-alive.ts'
import { type MessageBounds, MessageReader, PREFIX_BYTES, writePrefix } from '../message-reader.ts'
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
/**
 * While the system has this much to take, bytes, the socket is given no more; of a longer payload it gets as much at once. The
 * system says that it has taken something only when it has taken all that the socket holds, and a slow link must be seen to
 * move: with this, one that carries 52 KB a second is, within `KEEP_ALIVE.timeoutMs`.
 */
const HANDED_BYTES_MAX = 128 * 1024
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
  private readonly bounds: MessageBounds & { messageBytesMax: number | null }
  /** What was said and not yet handed to the socket, in order. Of the first the payload's bytes before `sliced` were. */
  private waiting: Frame[] = []
  private sliced = 0
  /** Bytes that the socket was given and the system has not taken, those of two writes at most. */
  private handed = 0
  private ponging = false
  private readonly keepAlive: KeepAlive
  private readonly pings: NodeJS.Timeout
  private late: NodeJS.Timeout | null = null
  /** Something came in since the last ping, or something went out although that ping had to wait for its turn. */
  private alive = false
  private behind = false
  private over = false

  /**
   * A message may have up to `messageBytesMax` bytes; null: it is out of place until `takeMessages`. The preface has been read
   * from `socket`; this end's is written here.
   */
  constructor(
    socket: Socket,
    { messageBytesMax, keepAlive }: { readonly messageBytesMax: number | null; readonly keepAlive: KeepAlive },
    listener: FrameListener,
  ) {
    this.socket = socket
    this.listener = listener
    this.bounds = { messageBytesMax, others: { kindMax: FRAME.pong, bytesMax: FIELDS_BYTES_MAX }, views: true }
    this.reader = new MessageReader(this.bounds, (payload, kind) => this.receive(kind, payload))
    this.keepAlive = keepAlive
    this.pings = setInterval(() => this.ping(keepAlive.timeoutMs), keepAlive.everyMs).unref()
    socket.write(PREFACE)
    socket.on('error', (error) => this.closed(endOfError(error)))
    socket.on('close', () => this.closed(endedBy(STATUS.unavailable, 'the connection was closed', true)))
  }

  /** From here on a message may have up to `bytesMax` bytes. */
  takeMessages(bytesMax: number): void {
    this.bounds.messageBytesMax = bytesMax
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
    if (this.over) return
    if (this.waiting.push({ kind, payload, written }) === 1) queueMicrotask(() => this.flush(HANDED_BYTES_MAX))
  }

  /**
   * Says no more behind what was written. What still comes is read, or it would reset the connection, but not heard. Who does
   * not take it within a ping and the wait for its answer is cut.
   */
  end(): void {
    this.flush(Number.POSITIVE_INFINITY)
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

  /** Hands the socket what waits, while it holds less than `handedMax` bytes. What the system takes of those asks for more. */
  private flush(handedMax: number): void {
    if (this.over || this.waiting.length === 0) return
    this.socket.cork()
    while (this.waiting.length > 0 && this.handed < handedMax) {
      const frames = this.takeJoined()
      if (frames.length > 0) this.handJoined(frames)
      else this.handSlice()
    }
    this.socket.uncork()
  }

  /** The oldest frames that are joined into one write; none when the oldest is too long for that. */
  private takeJoined(): readonly Frame[] {
    const { waiting } = this
    let bytes = 0
    let count = 0
    for (const { payload } of waiting) {
      bytes += PREFIX_BYTES + payload.length
      if (bytes > JOINED_BYTES_MAX) return waiting.splice(0, count)
      count += 1
    }
    this.waiting = []
    return waiting
  }

  private handJoined(frames: readonly Frame[]): void {
    let bytes = 0
    for (const { payload } of frames) bytes += PREFIX_BYTES + payload.length
    const joined = Buffer.allocUnsafe(bytes)
    let at = 0
    for (const frame of frames) {
      writePrefix(joined, at, frame)
      joined.set(frame.payload, at + PREFIX_BYTES)
      at += PREFIX_BYTES + frame.payload.length
    }
    this.hand(joined, frames)
  }

  private handSlice(): void {
    const [frame] = this.waiting
    if (frame === undefined) return
    if (this.sliced === 0) {
      const prefix = Buffer.allocUnsafe(PREFIX_BYTES)
      writePrefix(prefix, 0, frame)
      this.hand(prefix, [])
    }
    const slice = frame.payload.subarray(this.sliced, this.sliced + HANDED_BYTES_MAX)
    this.sliced += slice.length
    const whole = this.sliced === frame.payload.length
    if (whole) {
      this.waiting.shift()
      this.sliced = 0
    }
    this.hand(slice, whole ? [frame] : [])
  }

  /** `frames` are written with the last of these bytes. */
  private hand(bytes: Buffer, frames: readonly Frame[]): void {
    this.handed += bytes.length
    this.socket.write(bytes, () => {
      this.handed -= bytes.length
      if (this.behind) this.alive = true
      this.flush(HANDED_BYTES_MAX)
      for (const { written } of frames) written?.()
    })
  }

  private receive(kind: number, payload: Buffer): void {
    if (this.over) return
    if (kind === FRAME.message) return this.listener.onMessage(payload)
    if (kind === FRAME.ping) return this.pong()
    if (kind !== FRAME.pong) this.listener.onFrame(kind, payload)
  }

  /** One at a time, and it answers all that came before it has left: who pings and does not read has no more waiting. */
  private pong(): void {
    if (this.ponging) return
    this.ponging = true
    this.write(FRAME.pong, NOTHING, () => {
      this.ponging = false
    })
  }

  /**
   * A link with much to carry may take longer for the answer than that, but not without moving: while more waits than the
   * system takes, each write that it takes is one of which the other end's has made room.
   */
  private ping(timeoutMs: number): void {
    // Who dials says how long that may take; the other end is there only behind it.
    if (this.socket.connecting) return
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
    this.waiting = []
    clearInterval(this.pings)
    if (this.late !== null) clearTimeout(this.late)
  }
}
