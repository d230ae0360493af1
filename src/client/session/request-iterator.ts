import type { ReceivedRequest } from './received-request.ts'

type Result = IteratorResult<ReceivedRequest, undefined>

/** What an iterator needs of the handlers. */
export interface RequestIteratorOptions {
  /** More is asked for, or what was held is free again. */
  changed(): void
  /** The request that was given out is dealt with. */
  finished(): void
  /** It was not, and is offered again. */
  returned(): void
  /** It ends. */
  ended(iterator: RequestIterator): void
}

const END: Result = { done: true, value: undefined }

/**
 * Server requests one by one; each is acknowledged when the next one is asked for. An object and not a generator function,
 * because that one puts `return` behind a `next` that waits, which would then never settle. Any number of `next` may wait.
 */
export class RequestIterator implements AsyncGenerator<ReceivedRequest, undefined, undefined> {
  private readonly options: RequestIteratorOptions
  private readonly waiting: ((result: Result) => void)[] = []
  private holds = false
  private over = false

  constructor(options: RequestIteratorOptions) {
    this.options = options
  }

  /** True while a request can be given to it. */
  get asks(): boolean {
    return this.waiting.length > 0
  }

  next(): Promise<Result> {
    return new Promise((resolve) => {
      if (this.over) return resolve(END)
      this.waiting.push(resolve)
      this.settleHeld()
      this.options.changed()
    })
  }

  /** Ends it: what it holds is offered again, and whoever waits hears the end. */
  return(): Promise<Result> {
    this.leave()
    return Promise.resolve(END)
  }

  throw(error: unknown): Promise<Result> {
    this.leave()
    return Promise.reject(error)
  }

  [Symbol.asyncIterator](): this {
    return this
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.leave()
  }

  /** Gives it a request; it asked for one. Where another `next` waits already, this one is dealt with. */
  give(request: ReceivedRequest): void {
    this.holds = true
    this.waiting.shift()?.({ done: false, value: request })
    this.settleHeld()
  }

  /** Nothing comes any more. */
  stop(): void {
    this.over = true
    this.holds = false
    for (const resolve of this.waiting.splice(0)) resolve(END)
  }

  private settleHeld(): void {
    if (!this.holds || this.waiting.length === 0) return
    this.holds = false
    this.options.finished()
  }

  private leave(): void {
    if (this.over) return
    const { holds } = this
    this.stop()
    this.options.ended(this)
    if (holds) this.options.returned()
    else this.options.changed()
  }
}
