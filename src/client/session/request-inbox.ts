import type { ServerRequestMessage } from '../../protocol/down-message.ts'
import type { ClientClock } from '../connection/ports.ts'
import type { LeftOut } from './received-request.ts'

/**
 * Handles one server request and calls `done` when it is dealt with, or with the error that kept it from being. `leftOut`: what
 * was left out before it, told again when it is tried again; null: nothing.
 */
export type InboxHandler = (
  request: ServerRequestMessage,
  done: (error: unknown) => void,
  leftOut: LeftOut | null,
) => void

/** What the inbox needs of its session. */
export interface RequestInboxOptions {
  readonly clock: ClientClock
  /** Sends a cumulative ack, when the session can. */
  sendAck(upTo: number): void
  readonly handler: InboxHandler
  /** A handler failed; the request is tried again. */
  onError(error: unknown, request: ServerRequestMessage): void
}

/**
 * Acks that no command carries leave after this long, or at once when this much is handled. Each of those is a log entry
 * of its own, on every replica, and until then only the outbox holds what was handled: a session that works sends its
 * next command sooner than this.
 */
export const ACK_DELAY_MS = 500
const ACK_COUNT_MAX = 256
/** The outbox is bounded by bytes as well (16 MiB by default). */
const ACK_BYTES_MAX = 1024 * 1024
/** A request whose handler failed is tried again after this long, doubling. */
const RETRY_FIRST_MS = 100
const RETRY_MAX_MS = 10_000

/**
 * The receiving side of a session's server requests (sessions.md §5): in order, each id once, one at a time, acknowledged
 * after its handler has finished (wire.md §5.4, §5.5). One that fails is tried again here while those behind it wait: the
 * server need not send it again. At most the server's credit window waits, because nothing behind it is acknowledged.
 */
export class RequestInbox {
  private readonly options: RequestInboxOptions
  /** Received and not yet given to the handler, in id order. */
  private queue: ServerRequestMessage[] = []
  /** What was left out before a request that waits or is being handled, by its id. */
  private readonly leftOut = new Map<number, LeftOut>()
  /** Highest id received without a gap. */
  private received = 0
  /** Highest id whose handler has finished. */
  private handled = 0
  /** Highest id that an ack was sent for. */
  private acknowledged = 0
  /** Highest id of which the server has said that the log knows it. */
  private confirmed = 0
  /** Payload bytes handled since the last ack. */
  private handledBytes = 0
  private ackCountMax = ACK_COUNT_MAX
  private busy = false
  private timer: { cancel(): void } | null = null
  /** Failures in a row of the first one in the queue. */
  private failures = 0
  private retryTimer: { cancel(): void } | null = null
  private closed = false

  constructor(options: RequestInboxOptions) {
    this.options = options
  }

  /** The server sends so many beyond the last ack: a quarter of them handled is acknowledged without waiting. */
  set credit(credit: number) {
    this.ackCountMax = Math.max(1, Math.min(ACK_COUNT_MAX, Math.floor(credit / 4)))
  }

  /** Takes a request: handles it, keeps it for later, or drops it as known or as the far side of a gap. */
  receive(request: ServerRequestMessage): void {
    if (this.closed) return
    const { serverRequestId, previousId } = request
    if (serverRequestId <= this.received) {
      // Seen (P-16, P-29). When it is handled already, the ack was lost: say it again.
      if (serverRequestId <= this.handled) this.ackSoon(true)
      return
    }
    // A gap: what is missing comes again before this one does. What never comes again (dropped, coalesced, dead) is in no
    // `previousId`: the server chains the next one to an id that is at or below the last received.
    if (previousId > this.received) return
    // So the ids between are of nothing that waits: they are the marker of what was left out, and need no message.
    if (serverRequestId > this.received + 1)
      this.leftOut.set(serverRequestId, { from: this.received + 1, to: serverRequestId - 1 })
    this.received = serverRequestId
    const waits = this.busy || this.retryTimer !== null || this.queue.length > 0
    if (waits) this.queue.push(request)
    else if (this.handle(request)) this.next()
  }

  /** The log knows this ack: nothing at or below it comes again. */
  startFrom(acknowledged: number): void {
    this.acknowledged = acknowledged
    this.confirmed = acknowledged
    if (acknowledged > this.handled) this.handled = acknowledged
    if (acknowledged > this.received) this.received = acknowledged
    this.skipAcknowledged()
    if (this.handled > acknowledged) this.ackSoon(true)
  }

  /** The ack for a command to carry; 0: nothing new. */
  takeAck(): number {
    if (this.handled <= this.acknowledged) return 0
    this.acknowledged = this.handled
    this.handledBytes = 0
    this.timer?.cancel()
    this.timer = null
    return this.handled
  }

  /**
   * An ack may not have reached the log: it was refused, or the command that carried it. It is said again; one that the
   * server knows costs no log entry.
   */
  acknowledgeAgain(): void {
    if (this.handled <= this.confirmed) return
    this.acknowledged = this.confirmed
    this.ackSoon(false)
  }

  /** Sends the ack that waits for a command: there will be none. */
  flush(): void {
    if (this.handled > this.acknowledged) this.ackSoon(true)
  }

  /** The session is over: nothing is handled, tried again or acknowledged any more. */
  stop(): void {
    this.closed = true
    this.timer?.cancel()
    this.retryTimer?.cancel()
    this.queue = []
  }

  /** Somebody acknowledged what waits here (the session's last holder, say): it is not tried any more. */
  private skipAcknowledged(): void {
    const before = this.queue.length
    this.queue = this.queue.filter(({ serverRequestId }) => serverRequestId > this.handled)
    for (const id of this.leftOut.keys()) if (id <= this.handled) this.leftOut.delete(id)
    if (this.queue.length === before || this.retryTimer === null) return
    this.retryTimer.cancel()
    this.retryTimer = null
    this.failures = 0
    this.next()
  }

  private next(): void {
    while (!this.busy && !this.closed && this.retryTimer === null) {
      const request = this.queue.shift()
      if (request === undefined || !this.handle(request)) return
    }
  }

  /** Gives the request to its handler; true when that has finished already. */
  private handle(request: ServerRequestMessage): boolean {
    this.busy = true
    let returned = false
    let ended = false
    const ends = (error: unknown): void => {
      if (ended) return
      ended = true
      this.busy = false
      if (error === null) this.done(request)
      else this.failed(error, request)
      if (returned) this.next()
    }
    const leftOut = this.leftOut.size === 0 ? null : (this.leftOut.get(request.serverRequestId) ?? null)
    this.options.handler(request, ends, leftOut)
    returned = true
    return ended
  }

  private done({ serverRequestId, payload }: ServerRequestMessage): void {
    this.failures = 0
    if (this.leftOut.size > 0) this.leftOut.delete(serverRequestId)
    this.handled = Math.max(this.handled, serverRequestId)
    this.handledBytes += payload.length
    this.ackSoon(this.handled - this.acknowledged >= this.ackCountMax || this.handledBytes >= ACK_BYTES_MAX)
  }

  /** Nothing behind a failed one may be acknowledged, so it stays first. */
  private failed(error: unknown, request: ServerRequestMessage): void {
    this.options.onError(error, request)
    if (this.closed || request.serverRequestId <= this.handled) return
    this.queue.unshift(request)
    const waitMs = Math.min(RETRY_FIRST_MS * 2 ** this.failures, RETRY_MAX_MS)
    this.failures += 1
    const retry = (): void => {
      this.retryTimer = null
      this.next()
    }
    this.retryTimer = this.options.clock.setTimer(waitMs, retry, 'upkeep')
  }

  private ackSoon(now: boolean): void {
    if (this.closed) return
    if (now) {
      this.timer?.cancel()
      this.timer = null
      return this.ack()
    }
    if (this.timer !== null) return
    this.timer = this.options.clock.setTimer(ACK_DELAY_MS, () => {
      this.timer = null
      if (this.handled > this.acknowledged) this.ack()
    })
  }

  private ack(): void {
    this.acknowledged = Math.max(this.acknowledged, this.handled)
    this.handledBytes = 0
    this.options.sendAck(this.handled)
  }
}
