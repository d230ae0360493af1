import { EventEmitter } from 'node:events'
import { constants, type OutgoingHttpHeaders, type ServerHttp2Stream } from 'node:http2'
import type { Metadata, StatusObject } from '@grpc/grpc-js'
import { MessageReader, prefixed } from './message-reader.ts'
import { STATUS } from './stream-end.ts'

const { HTTP2_HEADER_STATUS, HTTP2_HEADER_CONTENT_TYPE } = constants
const HEADERS = { [HTTP2_HEADER_STATUS]: 200, [HTTP2_HEADER_CONTENT_TYPE]: 'application/grpc+proto' }

/** How a call of bytes ends. */
export type CallStatus = Pick<StatusObject, 'code' | 'details'> & { readonly metadata?: Metadata | null }

/** An orderly end. */
export const OK: CallStatus = { code: STATUS.ok, details: 'OK' }

/**
 * The server's end of a bidirectional stream of messages that are bytes, straight on its HTTP/2 stream: what a handler uses of
 * a `ServerDuplexStream` of grpc-js, with the same events and the same answers on the wire (docs/decisions/own-accept.md).
 * Emits `data` (a message, whole, the listener's to keep), `end` (the client says no more), `cancelled` (the stream is closed,
 * in order or not; once). To emit `error` with a status ends it with that.
 *
 * PERF: grpc-js pauses and resumes the stream, queues, and awaits a promise for each message.
 */
export class ByteCall extends EventEmitter {
  private readonly stream: ServerHttp2Stream
  /** Said at the end; null while it is open. */
  private trailers: OutgoingHttpHeaders | null = null

  /** A message above `messageBytesMax`, or a compressed one, ends the call with the status that says so. */
  constructor(stream: ServerHttp2Stream, messageBytesMax: number) {
    super()
    this.stream = stream
    const reader = new MessageReader({ messageBytesMax }, (message) => {
      if (this.trailers === null) this.emit('data', message)
    })
    stream.on('data', (chunk: Buffer) => {
      if (this.trailers !== null) return
      const refused = reader.read(chunk)
      if (refused !== null) this.finish({ code: refused.code, details: refused.message })
    })
    stream.on('end', () => this.emit('end'))
    // What breaks a stream closes it too.
    stream.on('error', () => undefined)
    stream.once('close', () => this.emit('cancelled'))
    stream.once('wantTrailers', () => stream.sendTrailers(this.trailers ?? trailersOf(OK)))
    this.on('error', (status: CallStatus) => this.finish(status))
  }

  /** The headers, which are sent once; they say that a server is there. */
  sendMetadata(metadata: Metadata): void {
    this.respond(metadata)
  }

  /** Puts one message on the stream; `written` follows when the socket has taken it, or the stream is closed. */
  write(message: Buffer, written?: () => void): void {
    if (!this.writable) return
    this.respond(null)
    this.stream.write(prefixed(message), () => written?.())
  }

  /** Ends it in order, behind what was written. */
  end(): void {
    this.finish(OK)
  }

  private get writable(): boolean {
    return this.trailers === null && !this.stream.destroyed && !this.stream.closed
  }

  private respond(metadata: Metadata | null): void {
    if (!this.writable || this.stream.headersSent) return
    this.stream.respond({ ...HEADERS, ...metadata?.toHttp2Headers() }, { waitForTrailers: true })
  }

  /** The first status counts. One that comes before any headers goes with them. */
  private finish(status: CallStatus): void {
    if (!this.writable) return
    this.trailers = trailersOf(status)
    if (this.stream.headersSent) this.stream.end()
    else this.stream.respond({ ...HEADERS, ...this.trailers }, { endStream: true })
  }
}

/** The trailers of a call that ends so. */
export function trailersOf({ code, details, metadata }: CallStatus): OutgoingHttpHeaders {
  return { 'grpc-status': code, 'grpc-message': encodeURI(details), ...metadata?.toHttp2Headers() }
}
