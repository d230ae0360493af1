import type { AddressLookup } from './address-lookup.ts'
import type { KeepAlive } from './keep-alive.ts'
import type { StreamEnd } from './stream-end.ts'

/** What to dial. */
export interface StreamTarget {
  /** `host:port` or `[v6]:port`. What is neither ends the stream at once, as what cannot be reached does. */
  readonly address: string
  /** `/package.Service/Method`; its messages are bytes. */
  readonly path: string
  /** Largest message to receive, bytes; a larger one ends the stream. */
  readonly messageBytesMax: number
  /**
   * Says the frames straight on the connection, without HTTP/2, where the other end knows that: for methods that a node serves
   * so (docs/decisions/direct-connections.md). Default false.
   */
  readonly direct?: boolean
  /** Bytes that the server may have under way on HTTP/2, per stream and connection. Default HTTP/2's 64 KiB. */
  readonly windowBytes?: number
  /** Default: the process's own. */
  readonly lookup?: AddressLookup
  /** Default `KEEP_ALIVE`. */
  readonly keepAlive?: KeepAlive
}

/** Headers by their names: texts, and of HTTP/2 lists and numbers too. */
export type StreamHeaders = { readonly [name: string]: unknown }

export interface StreamListener {
  /** The server's headers are here: a server answers, not only a listening socket. */
  onOpen(headers: StreamHeaders): void
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
