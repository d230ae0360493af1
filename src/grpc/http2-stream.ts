import {
  type ClientHttp2Session,
  type ClientHttp2Stream,
  connect as connectHttp2,
  constants,
  type IncomingHttpHeaders,
} from 'node:http2'
import type { Socket } from 'node:net'
import { type DialledSocket, dialSocket } from './dial-socket.ts'
import type { DialledStream, StreamListener, StreamTarget } from './dialled-stream.ts'
import { JoiningWriter } from './joining-writer.ts'
import { KEEP_ALIVE, type KeepAlive } from './keep-alive.ts'
import { MessageReader, prefixed } from './message-reader.ts'
import { endedBy, endOfError, endOfForeignHeaders, endOfTrailers, STATUS, type StreamEnd } from './stream-end.ts'

/** How long a stream that was ended may take to end. */
const END_GRACE_MS = 500
/** MB that one connection may hold: far beyond what `PeerLink` lets wait, so that Node's own bound of 10 never counts. */
const SESSION_MEMORY_MB = 4096

/** A stream on HTTP/2, on a session and a socket of its own. */
export class Http2Stream implements DialledStream {
  private readonly listener: StreamListener
  private readonly dialled: DialledSocket
  private readonly socket: Socket
  private readonly session: ClientHttp2Session
  private readonly stream: ClientHttp2Stream
  private readonly reader: MessageReader
  private readonly writer: JoiningWriter
  private readonly keepAlive: KeepAlive
  private readonly pings: NodeJS.Timeout
  private trailers: IncomingHttpHeaders | null = null
  private isOpen = true
  private released = false

  constructor(target: StreamTarget, listener: StreamListener) {
    this.listener = listener
    this.reader = new MessageReader({ messageBytesMax: target.messageBytesMax }, (message) => {
      if (this.isOpen) listener.onMessage(message)
    })
    this.dialled = dialSocket(target)
    this.socket = this.dialled.socket
      .on('error', (error) => this.over(endOfError(error)))
      .on('close', () => this.over(endedBy(STATUS.unavailable, 'the connection was closed', true)))
    this.session = this.openSession(target)
    this.stream = this.request(target)
    this.writer = new JoiningWriter((message, written) => {
      if (!this.released && !this.stream.writableEnded) this.stream.write(prefixed(message), () => written())
    })
    this.keepAlive = target.keepAlive ?? KEEP_ALIVE
    this.pings = setInterval(() => this.ping(), this.keepAlive.everyMs).unref()
  }

  get open(): boolean {
    return this.isOpen
  }

  write(message: Buffer, written: () => void): void {
    if (this.isOpen) this.writer.write(message, written)
  }

  finish(): void {
    if (!this.isOpen) return
    this.writer.flush()
    this.stream.end()
  }

  end(): void {
    if (!this.isOpen) return
    this.finish()
    this.isOpen = false
    if (this.socket.connecting) return this.release()
    // The last message is on its way; cutting the connection now would overtake it.
    this.stream.once('close', () => this.release())
    setTimeout(() => this.release(), END_GRACE_MS).unref()
  }

  cancel(): void {
    this.isOpen = false
    this.release()
  }

  private openSession({ windowBytes }: StreamTarget): ClientHttp2Session {
    const session = connectHttp2('http://holdfast', {
      createConnection: () => this.socket,
      maxSessionMemory: SESSION_MEMORY_MB,
      settings: { enablePush: false, ...(windowBytes === undefined ? {} : { initialWindowSize: windowBytes }) },
    })
    session.on('error', (error) => this.over(endOfError(error)))
    if (windowBytes !== undefined) session.once('connect', () => session.setLocalWindowSize(windowBytes))
    return session
  }

  private request({ address, path }: StreamTarget): ClientHttp2Stream {
    const stream = this.session.request({
      ':method': 'POST',
      ':path': path,
      ':authority': address,
      'content-type': 'application/grpc',
      'user-agent': 'holdfast',
      te: 'trailers',
    })
    stream.on('response', (headers, flags) => this.receiveHeaders(headers, flags))
    stream.on('data', (chunk: Buffer) => {
      const refused = this.reader.read(chunk)
      if (refused !== null) this.over(refused)
    })
    stream.on('trailers', (trailers) => {
      this.trailers = trailers
    })
    // The trailers are told in the same turn as the end, before or after it.
    stream.on('end', () => setImmediate(() => this.over(endedBy(STATUS.internal, 'the stream ended without a status'))))
    stream.on('error', (error) => this.over(endOfError(error)))
    stream.on('close', () => this.over(endedBy(STATUS.unavailable, `the stream was reset (${stream.rstCode})`, true)))
    return stream
  }

  private receiveHeaders(headers: IncomingHttpHeaders, flags: number): void {
    const foreign = endOfForeignHeaders(headers)
    if (foreign !== null) return this.over(foreign)
    if ((flags & constants.NGHTTP2_FLAG_END_STREAM) !== 0) {
      // A server that ends at once sends its trailers as the only headers.
      this.trailers = headers
      return
    }
    if (this.isOpen) this.listener.onOpen(headers)
  }

  private ping(): void {
    if (this.session.connecting || this.session.destroyed) return
    const { timeoutMs } = this.keepAlive
    const late = setTimeout(
      () => this.over(endedBy(STATUS.unavailable, `no answer to a ping within ${timeoutMs} ms`)),
      timeoutMs,
    ).unref()
    this.session.ping(() => clearTimeout(late))
  }

  /** The first end counts, except that what the server said comes before what became of the connection. */
  private over(end: StreamEnd): void {
    if (this.released) return
    const told = this.isOpen
    this.isOpen = false
    this.release()
    if (told) this.listener.onEnd(this.trailers === null ? end : endOfTrailers(this.trailers))
  }

  private release(): void {
    if (this.released) return
    this.released = true
    clearInterval(this.pings)
    this.session.destroy()
    this.dialled.release()
  }
}
