/** When a connection is asked for a sign of life. */
export interface KeepAlive {
  /** Between two pings, ms. */
  readonly everyMs: number
  /** An answer later than this ends the connection, ms. */
  readonly timeoutMs: number
}

/** Pings of every connection, client's, peer's and server's, on HTTP/2 and direct (docs/format.md, "Direct connections"). */
export const KEEP_ALIVE: KeepAlive = { everyMs: 10_000, timeoutMs: 5_000 }
