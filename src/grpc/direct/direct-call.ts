import { EventEmitter } from 'node:events'
import type { Socket } from 'node:net'
import type { Metadata } from '@grpc/grpc-js'
import { type CallStatus, OK, trailersOf } from '../byte-call.ts'
import type { KeepAlive } from '../keep-alive.ts'
import { STATUS } from '../stream-end.ts'
import { decodeFields, encodeFields } from './fields.ts'
import { FRAME, FrameSocket } from './frame-socket.ts'

/** How a server takes a call that comes directly. */
export interface DirectCallOptions {
  readonly messageBytesMax: number
  readonly keepAlive: KeepAlive
  /** How long a client may take to say what it calls, ms. */
  readonly openMs: number
  /** The client has said which method it calls, once, before any message; false: there is none. */
  onCall(path: string): boolean
}

/**
 * The server's end of a stream of messages that are bytes, straight on its connection: what `ByteCall` is on HTTP/2, with the
 * same events (`data`, `end`, `cancelled`, and `error` to end it with a status) and the same words for the client.
 */
export class DirectCall extends EventEmitter {
  private readonly options: DirectCallOptions
  private readonly frames: FrameSocket
  private readonly opening: NodeJS.Timeout
  private called = false
  private headersSent = false
  /** Its end has been said, or its connection is no more. */
  private over = false
  private gone = false

  /** The preface has been read from `socket`, which flows from here on. */
  constructor(socket: Socket, options: DirectCallOptions) {
    super()
    this.options = options
    const { keepAlive, openMs } = options
    this.frames = new FrameSocket(
      socket,
      { messageBytesMax: null, keepAlive },
      {
        onMessage: (message) => this.emit('data', message),
        onFrame: (kind, payload) => this.receive(kind, payload),
        onBroken: ({ code, message }) => {
          if (code === STATUS.unavailable) this.cut()
          else this.finish({ code, details: message })
        },
        onClosed: () => this.closed(),
      },
    )
    this.opening = setTimeout(() => this.cut(), openMs).unref()
    this.on('error', (status: CallStatus) => this.finish(status))
    socket.once('close', () => this.closed())
    socket.on('data', (chunk: Buffer) => this.frames.read(chunk)).resume()
  }

  /** The client has said which method it calls. */
  get opened(): boolean {
    return this.called
  }

  /** The headers, which are sent once; they say that a server is there. */
  sendMetadata(metadata: Metadata): void {
    this.respond(metadata)
  }

  /** Puts one message on the stream; `written` follows when the socket has taken it. */
  write(message: Buffer, written?: () => void): void {
    if (this.over) return
    this.respond(null)
    this.frames.write(FRAME.message, message, written)
  }

  /** Ends it in order, behind what was written. */
  end(): void {
    this.finish(OK)
  }

  /** Cuts the connection at once. */
  cut(): void {
    this.frames.destroy()
    this.closed()
  }

  private receive(kind: number, payload: Buffer): void {
    if (kind === FRAME.finish && this.called) return void this.emit('end')
    const path = kind === FRAME.open && !this.called ? decodeFields(payload)?.[':path'] : undefined
    if (path === undefined) return this.malformed(`a frame of kind ${kind} is out of place`)
    clearTimeout(this.opening)
    this.called = true
    this.frames.takeMessages(this.options.messageBytesMax)
    if (!this.options.onCall(path)) this.finish({ code: STATUS.unimplemented, details: `there is no ${path}` })
  }

  private respond(metadata: Metadata | null): void {
    if (this.headersSent || this.over) return
    this.headersSent = true
    this.frames.write(FRAME.open, encodeFields(metadata?.toHttp2Headers() ?? {}))
  }

  private malformed(details: string): void {
    this.finish({ code: STATUS.internal, details })
  }

  /** The first status counts. */
  private finish(status: CallStatus): void {
    if (this.over) return
    this.over = true
    clearTimeout(this.opening)
    this.frames.write(FRAME.end, encodeFields(trailersOf(status)))
    this.frames.end()
  }

  private closed(): void {
    this.over = true
    clearTimeout(this.opening)
    if (this.gone) return
    this.gone = true
    this.emit('cancelled')
  }
}
