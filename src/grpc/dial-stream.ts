import {
  type ClientHttp2Session,
  type ClientHttp2Stream,
  connect as connectHttp2,
  constants,
  type IncomingHttpHeaders,
} from 'node:http2'
import { connect as connectTcp, type Socket } from 'node:net'
import { parseHostPort } from '../base/host-port.ts'
import { type AddressLookup, systemLookup } from './address-lookup.ts'
import { JoiningWriter } from './joining-writer.ts'
import { KEEP_ALIVE, type KeepAlive } from './keep-alive.ts'
import { MessageReader, prefixed } from './message-reader.ts'
import { endedBy, endOfError, endOfForeignHeaders, endOfTrailers, STATUS, type StreamEnd } from './stream-end.ts'

/** What to dial. */
export interface StreamTarget {
  /** `host:port` or `[v6]:port`. What is neither ends the stream at once, as what cannot be reached does. */
  readonly address: string
  /** `/package.Service/Method`; its messages are bytes. */
  readonly path: string
  /** Largest message to receive, bytes; a larger one ends the stream. */
  readonly messageBytesMax: number
  /** Bytes that the server may have under way, per stream and connection. Default HTTP/2's 64 KiB. */
  readonly windowBytes?: number
  /** Default: the process's own. */
  readonly lookup?: AddressLookup
  /** Default `KEEP_ALIVE`. */
  readonly keepAlive?: KeepAlive
}

export interface StreamListener {
  /** The server's headers are here: a server answers, not only a listening socket. */
  onOpen(headers: IncomingHttpHeaders): void
  onMessage(message: Buffer): void
  /** The stream is over: why, or null for an orderly end by the server. At most once, and not after `end` or `cancel`. */
  onEnd(end: StreamEnd | null): void
}

/** One bidirectional stream on a connection of its own. */
export interface DialledStream {
  /** False once it has ended, from either side: nothing is written or heard any more. */
  readonly open: boolean
  /** Puts one message on the stream; `written` follows when the socket has taken it. */
  write(message: Buffer, written: () => void): void
  /** Says no more behind what was written, and goes on to listen. */
  finish(): void
  /**
   * Ends it behind what was written, and cuts it when that takes longer than half a second. While the socket still connects
   * it is cut at once, and what was written is dropped.
   */
  end(): void
  /** Cuts it at once. */
  cancel(): void
}

/** How long a stream that was ended may take to end. */
const END_GRACE_MS = 500
/** MB that one connection may hold: far beyond what `PeerLink` lets wait, so that Node's own bound of 10 never counts. */
const SESSION_MEMORY_MB = 4096

/**
 * Dials a method of messages that are bytes: the one dial of clients and peers (wire.md §2, step 6). It owns its socket
 * from the first packet on: whenever the stream ends, connecting or open, the socket is destroyed and nothing waits for it
 * (docs/decisions/own-dial.md).
 */
export function dialStream(target: StreamTarget, listener: StreamListener): DialledStream {
  return new Http2Stream(target, listener)
}

class Http2Stream implements DialledStream {
  private readonly listener: StreamListener
  private readonly socket: Socket
  private readonly session: ClientHttp2Session
  private readonly stream: ClientHttp2Stream
  private readonly reader: MessageReader
  private readonly writer: JoiningWriter
  private readonly keepAlive: KeepAlive
  private readonly pings: NodeJS.Timeout
  private lookup: { cancel(): void } | null = null
  private trailers: IncomingHttpHeaders | null = null
  private isOpen = true
  private released = false

  constructor(target: StreamTarget, listener: StreamListener) {
    this.listener = listener
    this.reader = new MessageReader(target.messageBytesMax, (message) => {
      if (this.isOpen) listener.onMessage(message)
    })
    this.socket = this.connect(target)
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

  private connect({ address, lookup = systemLookup }: StreamTarget): Socket {
    const parted = parseHostPort(address)
    const unreachable = new Error(`"${address}" is not an address: it must be host:port or [v6]:port`)
    return connectTcp({
      host: parted?.host ?? 'invalid',
      port: parted?.port ?? 0,
      noDelay: true,
      autoSelectFamily: true,
      // Not called for what is an IP address already.
      lookup: (name, _options, done) => {
        if (parted === null) process.nextTick(done, unreachable, [])
        else this.lookup = lookup.addresses(name, done)
      },
    })
      .on('error', (error) => this.over(endOfError(error)))
      .on('close', () => this.over(endedBy(STATUS.unavailable, 'the connection was closed', true)))
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
    this.lookup?.cancel()
    this.session.destroy()
    this.socket.destroy()
  }
}
