import { SECOND_MS } from '../base/time.ts'

/** What a server lets its callers take of it; each bound is of one process. Tests use shorter times. */
export interface HttpBounds {
  /** Bytes of a body. A provider's callback has below 2 KiB. */
  readonly bodyBytesMax: number
  /**
   * A body that is too long is read up to here and forgotten, so that its sender reads the answer: closed with unread bytes,
   * TCP throws the answer away. Beyond it the connection is cut.
   */
  readonly drainBytesMax: number
  readonly headerBytesMax: number
  readonly connectionsMax: number
  /** Requests that wait for their answer, over all connections: times `bodyBytesMax`, 16 MiB. Those beyond are refused. */
  readonly requestsMax: number
  /** From the connection, or the request before, to the end of the headers. */
  readonly headersMs: number
  /** The same to the end of the body. */
  readonly requestMs: number
  /** How often connections are looked at for both. */
  readonly checkedEveryMs: number
  /** A connection without a request is kept open for this long. */
  readonly keepAliveMs: number
  /** A connection on which nothing moves ends after this; longer than any answer takes (`ANSWER_MS_MAX`). */
  readonly idleMs: number
  /** How long `close` lets requests go on. Then what waits for the cluster is answered 503. */
  readonly graceMs: number
}

export const HTTP_BOUNDS: HttpBounds = {
  bodyBytesMax: 64 * 1024,
  drainBytesMax: 1024 * 1024,
  headerBytesMax: 16 * 1024,
  connectionsMax: 256,
  requestsMax: 256,
  headersMs: 10 * SECOND_MS,
  requestMs: 20 * SECOND_MS,
  checkedEveryMs: SECOND_MS,
  keepAliveMs: 15 * SECOND_MS,
  idleMs: 60 * SECOND_MS,
  graceMs: SECOND_MS,
}

/** A command that has no outcome by then is answered 503: longer than a change of leader, shorter than a provider waits. */
export const ANSWER_MS_MAX = 8 * SECOND_MS
/** A body that cannot be read is answered 400 by then, whoever keeps it. */
export const KEEP_MS_MAX = 3 * SECOND_MS
/** What a caller that is answered 503 waits before it sends again, seconds. */
export const RETRY_AFTER_S = 5
/** Callbacks in one body. A provider sends one; what collects them for it sends a few. */
export const CALLBACKS_MAX = 100
