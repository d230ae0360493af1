import { type DialledSocket, dialSocket } from '../dial-socket.ts'
import type { DialledStream, StreamListener, StreamTarget } from '../dialled-stream.ts'
import { KEEP_ALIVE } from '../keep-alive.ts'
import { endedBy, endOfTrailers, STATUS, type StreamEnd } from '../stream-end.ts'
import { decodeFields, encodeFields } from './fields.ts'
import { FRAME, FrameSocket } from './frame-socket.ts'
import { beginsDirectly, PREFACE } from './preface.ts'

/** How long a stream that was ended may take to end. */
const END_GRACE_MS = 500

/** Who hears of a stream that is tried directly. */
export interface DirectListener extends StreamListener {
  /**
   * The other end does not know direct connections: it has begun with something else, or ended the connection without a word.
   * The last that is heard, and only before `onOpen`.
   */
  onUnknown(): void
  /** The other end knows them. Before `onOpen`, which may wait for what is said to it. */
  onKnown(): void
}

/**
 * A stream on a connection that carries nothing but its frames. What `endOf…` makes of its end is what it makes of one on
 * HTTP/2.
 */
export class DirectStream implements DialledStream {
  private readonly listener: DirectListener
  private readonly dialled: DialledSocket
  private readonly frames: FrameSocket
  /** What has come of the other end's preface; null once that is read. */
  private first: Buffer | null = Buffer.alloc(0)
  private connected = false
  private isOpen = true
  private released = false

  constructor(target: StreamTarget, listener: DirectListener) {
    this.listener = listener
    this.dialled = dialSocket(target)
    const { socket } = this.dialled
    socket.once('connect', () => {
      this.connected = true
    })
    this.frames = new FrameSocket(
      socket,
      { messageBytesMax: target.messageBytesMax, keepAlive: target.keepAlive ?? KEEP_ALIVE },
      {
        onMessage: (message) => {
          if (this.isOpen) listener.onMessage(message)
        },
        onFrame: (kind, payload) => this.receive(kind, payload),
        onBroken: (end) => this.over(end),
        onClosed: (end) => this.closed(end),
      },
    )
    socket.on('data', (chunk: Buffer) => {
      if (this.first === null) this.frames.read(chunk)
      else this.readFirst(Buffer.concat([this.first, chunk]))
    })
    this.frames.write(FRAME.open, encodeFields({ ':path': target.path }))
  }

  get open(): boolean {
    return this.isOpen
  }

  write(message: Buffer, written: () => void): void {
    if (this.isOpen) this.frames.write(FRAME.message, message, written)
  }

  finish(): void {
    if (this.isOpen) this.frames.write(FRAME.finish)
  }

  end(): void {
    if (!this.isOpen) return
    this.finish()
    this.isOpen = false
    if (!this.connected) return this.release()
    // The last message is on its way; cutting the connection now would overtake it.
    setTimeout(() => this.release(), END_GRACE_MS).unref()
  }

  cancel(): void {
    this.isOpen = false
    this.release()
  }

  private readFirst(bytes: Buffer): void {
    const direct = beginsDirectly(bytes)
    if (direct === false) return this.unknown()
    this.first = direct === null ? bytes : null
    if (direct === null) return
    if (this.isOpen) this.listener.onKnown()
    this.frames.read(bytes.subarray(PREFACE.length))
  }

  private receive(kind: number, payload: Buffer): void {
    const fields = decodeFields(payload)
    if (fields === null || (kind !== FRAME.open && kind !== FRAME.end))
      return this.over(endedBy(STATUS.internal, `the server sent what is no frame of its own (kind ${kind})`))
    if (kind === FRAME.end) this.over(endOfTrailers(fields))
    else if (this.isOpen) this.listener.onOpen(fields)
  }

  private closed(end: StreamEnd): void {
    if (this.connected && this.first !== null) this.unknown()
    else this.over(end)
  }

  private unknown(): void {
    const asked = this.isOpen
    this.cancel()
    if (asked) this.listener.onUnknown()
  }

  private over(end: StreamEnd | null): void {
    const told = this.isOpen
    this.cancel()
    if (told) this.listener.onEnd(end)
  }

  private release(): void {
    if (this.released) return
    this.released = true
    this.frames.destroy()
    this.dialled.release()
  }
}
