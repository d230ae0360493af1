/** When a connection is asked for a sign of life. */
export interface KeepAlive {
  /** Between two pings, ms. */
  readonly everyMs: number
  /** An answer later than this ends the connection, ms. */
  readonly timeoutMs: number
}

/** HTTP/2 pings of every connection, client's, peer's and server's (wire.md §2, step 6). */
export const KEEP_ALIVE: KeepAlive = { everyMs: 10_000, timeoutMs: 5_000 }
