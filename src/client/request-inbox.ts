import type { ServerRequestMessage } from '../protocol/down-message.ts'
import type { ClientClock } from './ports.ts'

/** Handles one server request and calls `done` when it is dealt with, or with the error that kept it from being. */
export type InboxHandler = (request: ServerRequestMessage, done: (error: unknown) => void) => void

export interface RequestInboxOptions {
  readonly clock: ClientClock
  /** Sends a cumulative ack, when the session can. */
  sendAck(upTo: number): void
  readonly handler: InboxHandler
  /** A handler failed; the request comes again. */
  onError(error: unknown, request: ServerRequestMessage): void
}

/** Acks that no command carries leave after this long, or at once when this many are handled. */
const ACK_DELAY_MS = 20
const ACK_COUNT_MAX = 256

/**
 * The receiving side of a session's server requests (sessions.md §5): in order, each id once, one at a time, acknowledged
 * after its handler has finished.
 */
export class RequestInbox {
  private readonly options: RequestInboxOptions
  private queue: ServerRequestMessage[] = []
  private received = 0
  private handled = 0
  private acknowledged = 0
  private busy = false
  private timer: { cancel(): void } | null = null
  private closed = false

  constructor(options: RequestInboxOptions) {
    this.options = options
  }

  /** Highest id handled: what an ack would say. */
  get handledId(): number {
    return this.handled
  }

  receive(request: ServerRequestMessage): void {
    if (this.closed) return
    const { serverRequestId, previousId } = request
    if (serverRequestId <= this.received) {
      // Seen (P-16, P-29). When it is handled already, the ack was lost: say it again.
      if (serverRequestId <= this.handled) this.ackSoon(true)
      return
    }
    // A gap: what is missing comes again before this one does.
    if (previousId > this.received) return
    this.received = serverRequestId
    this.queue.push(request)
    this.next()
  }

  /** The log knows this ack: nothing at or below it comes again. */
  startFrom(acknowledged: number): void {
    this.acknowledged = acknowledged
    if (acknowledged > this.handled) this.handled = acknowledged
    if (acknowledged > this.received) this.received = acknowledged
    if (this.handled > acknowledged) this.ackSoon(true)
  }

  /** The ack for a command to carry; 0: nothing new. */
  takeAck(): number {
    if (this.handled <= this.acknowledged) return 0
    this.acknowledged = this.handled
    this.timer?.cancel()
    this.timer = null
    return this.handled
  }

  close(): void {
    this.closed = true
    this.timer?.cancel()
    this.queue = []
  }

  private next(): void {
    while (!this.busy && !this.closed) {
      const request = this.queue.shift()
      if (request === undefined) return
      this.busy = true
      let returned = false
      let again = false
      this.options.handler(request, (error) => {
        if (!this.busy) return
        this.busy = false
        if (error === null) this.done(request.serverRequestId)
        else this.failed(error, request)
        if (returned) this.next()
        else again = true
      })
      returned = true
      if (!again) return
    }
  }

  private done(serverRequestId: number): void {
    this.handled = serverRequestId
    this.ackSoon(this.handled - this.acknowledged >= ACK_COUNT_MAX)
  }

  /** Nothing behind a failed one may be acknowledged, so all of it is taken as not received. */
  private failed(error: unknown, request: ServerRequestMessage): void {
    this.queue = []
    this.received = this.handled
    this.options.onError(error, request)
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
    this.options.sendAck(this.handled)
  }
}
