import type { Value } from '../../codec/value/value.ts'
import { decodeValue } from '../../codec/value/decode.ts'
import type { ServerRequestMessage } from '../../protocol/down-message.ts'

/** A request from the server to this session (sessions.md §5). */
export interface ReceivedRequest {
  readonly serverRequestId: number
  readonly type: string
  readonly payload: Value
  /** 1 for the first sending. */
  readonly attempt: number
  /** Log index and log time of the command that emitted it. */
  readonly index: number
  readonly now: number
}

/** Deals with one request; it is acknowledged when the returned promise resolves, and tried again when it rejects. */
export type RequestHandler = (request: ReceivedRequest) => void | Promise<void>

/** The request that is being dealt with. */
interface Current {
  readonly request: ReceivedRequest
  readonly done: (error: unknown) => void
  /** Given to a handler or to the iterator. */
  taken: boolean
}

/**
 * Who handles which server request: handlers by type, `*` for the rest, or one async iterator. A request that nobody
 * handles waits, and those behind it too, because acknowledgements are cumulative.
 */
export class RequestHandlers {
  private readonly handlers = new Map<string, RequestHandler>()
  private current: Current | null = null
  private iterating = false
  private waiting: ((result: IteratorResult<ReceivedRequest, undefined>) => void) | null = null
  private closed = false

  /** Replaces the handler of a type. */
  on(type: string, handler: RequestHandler): void {
    this.handlers.set(type, handler)
    this.dispatch()
  }

  /** The inbox hands one request over at a time. */
  readonly receive = (message: ServerRequestMessage, done: (error: unknown) => void): void => {
    const { serverRequestId, type, attempt, index, now } = message
    this.current = {
      request: { serverRequestId, type, payload: decodeValue(message.payload), attempt, index, now },
      done,
      taken: false,
    }
    this.dispatch()
  }

  /** Ends the iterator; nothing is dispatched any more. */
  stop(): void {
    this.closed = true
    this.current = null
    this.waiting?.({ done: true, value: undefined })
    this.waiting = null
  }

  /** Every request without a handler of its own; each is acknowledged when the next one is asked for. */
  async *iterate(): AsyncGenerator<ReceivedRequest, undefined, undefined> {
    this.iterating = true
    try {
      for (;;) {
        const next = await this.next()
        if (next.done === true) return undefined
        const { current } = this
        yield next.value
        if (current === this.current) this.finish(null)
      }
    } finally {
      this.iterating = false
      // The loop was left in the middle: what it was dealing with is offered again.
      if (this.current !== null) this.current.taken = false
    }
  }

  private next(): Promise<IteratorResult<ReceivedRequest, undefined>> {
    return new Promise((resolve) => {
      if (this.closed) return resolve({ done: true, value: undefined })
      this.waiting = resolve
      this.dispatch()
    })
  }

  private dispatch(): void {
    const { current } = this
    if (current === null || current.taken) return
    const handler = this.handlers.get(current.request.type) ?? (this.iterating ? undefined : this.handlers.get('*'))
    if (handler !== undefined) return this.run(handler, current)
    if (this.waiting === null) return
    current.taken = true
    const { waiting } = this
    this.waiting = null
    waiting({ done: false, value: current.request })
  }

  private run(handler: RequestHandler, current: Current): void {
    current.taken = true
    let result: void | Promise<void>
    try {
      result = handler(current.request)
    } catch (error) {
      return this.finish(error ?? new Error('the handler failed'))
    }
    if (result === undefined) return this.finish(null)
    result.then(
      () => {
        if (this.current === current) this.finish(null)
      },
      (error: unknown) => {
        if (this.current === current) this.finish(error ?? new Error('the handler failed'))
      },
    )
  }

  private finish(error: unknown): void {
    const { current } = this
    this.current = null
    current?.done(error)
  }
}
