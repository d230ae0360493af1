import { decodeValue } from '../../codec/value/decode.ts'
import { callback, text } from '../check/fields.ts'
import { orThrow, sentenceOf } from '../check/invalid-argument.ts'
import type { ClientClock } from '../connection/ports.ts'
import type { Callbacks } from './callbacks.ts'
import type { ReceivedRequest } from './received-request.ts'
import type { InboxHandler } from './request-inbox.ts'
import { RequestIterator } from './request-iterator.ts'

/**
 * Deals with one request. It is acknowledged when the handler has returned, or when the promise that it returned resolves;
 * what else it returns does not matter. It is tried again when the handler throws or its promise rejects.
 */
export type RequestHandler<Request = ReceivedRequest> = (request: Request) => unknown

/** What callbacks are told of a request. */
type RequestName = Pick<ReceivedRequest, 'serverRequestId' | 'type'>

/** Who hears what of requests; without a callback there is a warning, once per type. */
export interface RequestHandlersOptions {
  readonly clock: ClientClock
  readonly callbacks: Callbacks
  readonly onHandlerError?: (error: unknown, request: RequestName) => void
  readonly onUnhandledRequest?: (request: RequestName) => void
}

/** The request that is being dealt with. */
interface Current {
  readonly request: ReceivedRequest
  readonly done: (error: unknown) => void
  /** Given to a handler or to an iterator. */
  taken: boolean
}

/** A request without a handler is told after this long: who connects gives the handlers a moment later. */
const UNHANDLED_MS = 250
/** Types that are remembered as told. */
const TOLD_MAX = 1024
const TYPE_CHARS_MAX = 1024

/**
 * Who handles which server request: handlers by type, `*` for the rest, or iterators. A request that nobody handles waits,
 * and those behind it too, because acknowledgements are cumulative; the session is told of it.
 */
export class RequestHandlers {
  private readonly options: RequestHandlersOptions
  private readonly handlers = new Map<string, RequestHandler>()
  /** Those that were asked at least once and did not end. */
  private readonly iterators = new Set<RequestIterator>()
  private readonly told = new Set<string>()
  private current: Current | null = null
  private unhandledTimer: { cancel(): void } | null = null
  private closed = false
  /** Heard when nothing is dispatched any more. */
  private readonly stopped: (() => void)[] = []

  constructor(options: RequestHandlersOptions) {
    this.options = options
  }

  /** Replaces the handler of a type. Throws InvalidArgument for what is no type or no handler. */
  on(type: string, handler: RequestHandler): void {
    orThrow('type', () => text(type, 'type', [1, TYPE_CHARS_MAX]))
    orThrow('handler', () => callback(handler, 'handler'))
    this.handlers.set(type, handler)
    this.dispatch()
  }

  /** The inbox hands one request over at a time. */
  readonly receive: InboxHandler = (message, done, leftOut): void => {
    const { serverRequestId, type, attempt, index, now } = message
    const payload = decodeValue(message.payload)
    this.current = { request: { serverRequestId, type, payload, attempt, index, now, leftOut }, done, taken: false }
    this.dispatch()
  }

  /** A handler failed; the request is tried again. */
  readonly failed = (error: unknown, { serverRequestId, type }: RequestName): void => {
    const { callbacks, onHandlerError } = this.options
    if (onHandlerError !== undefined) {
      return callbacks.call('onHandlerError', () => onHandlerError(error, { serverRequestId, type }))
    }
    const message = `the handler of server requests of type ${type} failed, and is called again: ${sentenceOf(error)}`
    callbacks.warnOnce('HANDLER_FAILED', type, message, error)
  }

  /** Ends the iterators; nothing is dispatched any more. */
  stop(): void {
    this.closed = true
    for (const tell of this.stopped.splice(0)) tell()
    this.current = null
    this.unhandledTimer?.cancel()
    for (const iterator of [...this.iterators]) iterator.stop()
  }

  /** Calls once the session is over, or at once if it is. */
  whenStopped(tell: () => void): void {
    if (this.closed) tell()
    else this.stopped.push(tell)
  }

  /** Every request without a handler of its own; each is acknowledged when the next one is asked for. */
  iterate(): RequestIterator {
    const iterator = new RequestIterator({
      changed: () => {
        // Made before the end, and asked for the first time after it.
        if (this.closed) return iterator.stop()
        if (iterator.asks) this.iterators.add(iterator)
        this.dispatch()
      },
      finished: () => this.finish(null),
      returned: () => {
        if (this.current !== null) this.current.taken = false
        this.dispatch()
      },
      ended: () => this.iterators.delete(iterator),
    })
    if (this.closed) iterator.stop()
    return iterator
  }

  private dispatch(): void {
    const { current } = this
    if (this.closed || current === null || current.taken) return
    const { type } = current.request
    const handler = this.handlers.get(type) ?? (this.iterators.size > 0 ? undefined : this.handlers.get('*'))
    if (handler !== undefined) return this.run(handler, current)
    for (const iterator of this.iterators) {
      if (!iterator.asks) continue
      current.taken = true
      return iterator.give(current.request)
    }
    // An iterator that is busy will ask again.
    if (this.iterators.size === 0) this.tellSoon(current)
  }

  private run(handler: RequestHandler, current: Current): void {
    current.taken = true
    const settle = (error: unknown): void => {
      if (this.current === current) this.finish(error)
    }
    const reject = (error: unknown): void => settle(error ?? new Error('the handler failed'))
    try {
      const returned = handler(current.request)
      if (typeof returned !== 'object' || returned === null) return settle(null)
      // Whatever it is: only a promise is waited for, and one that cannot be asked counts as failed.
      if (!('then' in returned) || typeof returned.then !== 'function') return settle(null)
      returned.then(() => settle(null), reject)
    } catch (error) {
      reject(error)
    }
  }

  private finish(error: unknown): void {
    const { current } = this
    this.current = null
    current?.done(error)
  }

  private tellSoon(current: Current): void {
    const { type } = current.request
    if (this.told.has(type) || this.told.size >= TOLD_MAX) return
    this.unhandledTimer?.cancel()
    this.unhandledTimer = this.options.clock.setTimer(UNHANDLED_MS, () => {
      if (this.closed || this.current !== current || current.taken || this.iterators.size > 0) return
      this.told.add(type)
      this.tellUnhandled(current.request)
    })
  }

  private tellUnhandled({ serverRequestId, type }: RequestName): void {
    const { callbacks, onUnhandledRequest } = this.options
    if (onUnhandledRequest !== undefined) {
      return callbacks.call('onUnhandledRequest', () => onUnhandledRequest({ serverRequestId, type }))
    }
    const cure = `give it one with session.on('${type}', …) or session.on('*', …)`
    const message = `server requests of type ${type} have no handler: they wait, and those behind them too; ${cure}`
    callbacks.warnOnce('UNHANDLED_REQUEST', type, message)
  }
}
