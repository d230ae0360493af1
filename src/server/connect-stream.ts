import { Metadata, type ServerDuplexStream } from '@grpc/grpc-js'
import { encodeWalked } from '../codec/value/encode-walked.ts'
import { FrameConnection } from '../gateway/frame-connection.ts'
import type { SessionGateway } from '../gateway/session-gateway.ts'
import { JoiningWriter } from '../grpc/joining-writer.ts'
import { unwrapFrames, wrapFrame } from '../protocol/frame-message.ts'
import { SLOW_READER_BYTES } from '../protocol/limits.ts'
import { statusObject } from './grpc-error.ts'

/** Bytes handed to gRPC at once; what exceeds them waits here, where it can be dropped. */
const IN_FLIGHT_BYTES = 1024 * 1024

const ignore = (): void => {}

/**
 * One `Connect` stream: frames of a client over gRPC, with a bound on what may pile up for a slow reader (wire.md §2,
 * step 3).
 */
export class ConnectStream {
  private readonly call: ServerDuplexStream<Buffer, Buffer>
  private readonly connection: FrameConnection
  private readonly writer: JoiningWriter
  private readonly slowReaderBytes: number
  private waiting: Buffer[] = []
  private waitingBytes = 0
  private inFlightBytes = 0
  private over = false

  constructor(
    call: ServerDuplexStream<Buffer, Buffer>,
    options: { gateway: SessionGateway; slowReaderBytes?: number; ended(code: string): void },
  ) {
    this.call = call
    this.writer = new JoiningWriter((message, written) => call.write(message, written))
    this.slowReaderBytes = options.slowReaderBytes ?? SLOW_READER_BYTES
    this.connection = new FrameConnection(options.gateway, {
      encodeValue: encodeWalked,
      writeFrame: (frame) => this.writeFrame(frame),
      // After the callback that is running: one frame for all that one batch or one frame of the client led to.
      defer: queueMicrotask,
      unsentBytes: () => this.inFlightBytes + this.waitingBytes,
      end: (code) => {
        this.end(code)
        options.ended(code)
      },
    })
    const gone = (): void => {
      if (this.over) return
      this.over = true
      this.waiting = []
      this.connection.disconnected()
      options.ended('')
    }
    call.on('data', (message: Buffer) => this.receiveMessage(message))
    call.on('end', () => {
      gone()
      this.writer.flush()
      call.end()
    })
    call.on('cancelled', gone)
    call.on('error', gone)
    call.sendMetadata(new Metadata())
    this.connection.start()
  }

  /** Ends the stream with a code of scope `connection`. */
  fail(code: string, message: string): void {
    this.connection.failed(code, message)
  }

  private receiveMessage(message: Buffer): void {
    if (this.over) return
    const frames = unwrapFrames(message)
    if (frames === null) this.connection.failed('MALFORMED_FRAME', 'the message is no Frame')
    for (const frame of frames ?? []) this.connection.receiveFrame(frame)
  }

  private writeFrame(frame: Buffer): void {
    if (this.over) return
    const message = wrapFrame(frame)
    // A short frame never overtakes a long one that waits: the stream is in order.
    if (this.waiting.length === 0 && this.hasRoomFor(message)) return this.hand(message)
    this.waiting.push(message)
    this.waitingBytes += message.length
    if (this.waitingBytes <= this.slowReaderBytes) return
    this.waiting = []
    this.waitingBytes = 0
    this.connection.failed('SLOW_READER', `more than ${this.slowReaderBytes} bytes were waiting`)
  }

  /** Gives a message to gRPC. */
  private hand(message: Buffer): void {
    this.inFlightBytes += message.length
    this.writer.write(message, () => {
      this.inFlightBytes -= message.length
      this.drain()
      this.connection.drained()
    })
  }

  private drain(): void {
    let next = this.waiting[0]
    while (!this.over && next !== undefined && this.hasRoomFor(next)) {
      this.waiting.shift()
      this.waitingBytes -= next.length
      this.hand(next)
      next = this.waiting[0]
    }
  }

  private hasRoomFor(message: Buffer): boolean {
    return this.inFlightBytes === 0 || this.inFlightBytes + message.length <= IN_FLIGHT_BYTES
  }

  private end(code: string): void {
    if (this.over) return
    this.over = true
    for (const message of this.waiting) this.writer.write(message, ignore)
    this.waiting = []
    this.writer.flush()
    this.call.emit('error', statusObject('connection', code))
  }
}
