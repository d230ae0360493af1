import type { Value } from '../../codec/value/value.ts'
import { decodeValue } from '../../codec/value/decode.ts'
import { type ErrorScope, explainError } from '../../protocol/errors.ts'
import type { RawChange, RawSubscriptionEnd, SubscriptionListener } from './subscription-board.ts'

/** How a query is subscribed to. */
export interface SubscribeOptions {
  /**
   * Bytes of changes that wait for whoever iterates, from 0 to 2^31 − 1: beyond them all but the newest are left out, which is
   * then `compacted`. Default 1 MiB.
   */
  readonly bufferBytes?: number
}

/** One answer of a subscribed query. */
export interface Change<Output = Value> {
  /**
   * `value`: the first answer, or the very next one after the one before. `compacted`: answers between them may have been left
   * out, because the reader was slow or the connection was lost; this one is whole all the same.
   */
  readonly kind: 'value' | 'compacted'
  readonly value: Output
  /** Log index of the entry after which it was the answer: it rises from one change to the next. */
  readonly index: number
}

/** Why a subscription is over: by the machine's code, by that of a query that did not run, or by that of the session. */
export class SubscriptionError extends Error {
  override readonly name = 'SubscriptionError'
  readonly code: string
  /** Of a rejection or refusal; else null. */
  readonly details: Value
  /** The machine itself rejected the query. */
  readonly rejected: boolean
  constructor(code: string, details: Value, rejected: boolean) {
    const entry = SCOPES.map((scope) => explainError(scope, code)).find((found) => found !== null)
    super([code, entry?.cause, entry?.cure].filter((part) => part !== undefined).join(' '))
    this.code = code
    this.details = details
    this.rejected = rejected
  }
}

const SCOPES: readonly ErrorScope[] = ['query', 'client', 'session']

type Result<Output> = IteratorResult<Change<Output>, undefined>
interface Waiter<Output> {
  readonly resolve: (result: Result<Output>) => void
  readonly reject: (error: SubscriptionError) => void
}

/** Bytes that a change takes beside its value, about. */
const CHANGE_OVERHEAD_BYTES = 64

/**
 * A query's answer, and every other one after it, in the order of the log, each once: `for await (const change of live)`. When
 * the subscription ends by itself, what came before is given first, then `next` rejects with SubscriptionError, once. Leaving
 * the loop ends it without an error.
 */
export interface LiveQuery<Output = Value> extends AsyncGenerator<Change<Output>, undefined, undefined> {
  /** Ends it, at the server too; whoever waits hears the end of the iteration. Nothing happens the second time. */
  close(): void
}

/** Holds what was not asked for yet. Any number of `next` may wait. */
export class ChangeIterator<Output = Value> implements LiveQuery<Output> {
  private readonly bufferBytes: number
  private readonly unsubscribe: () => void
  private queue: RawChange[] = []
  private bytes = 0
  private waiting: Waiter<Output>[] = []
  private ending: RawSubscriptionEnd | null = null
  private over = false

  /** Made by `session.subscribe`: `open` subscribes for a listener, and returns what ends that. */
  constructor(bufferBytes: number, open: (listener: SubscriptionListener) => () => void) {
    this.bufferBytes = bufferBytes
    this.unsubscribe = open({ onChange: (change) => this.changed(change), onEnd: (end) => this.ended(end) })
  }

  close(): void {
    this.finish()
    this.unsubscribe()
  }

  next(): Promise<Result<Output>> {
    return new Promise((resolve, reject) => {
      this.waiting.push({ resolve, reject })
      this.serve()
    })
  }

  return(): Promise<Result<Output>> {
    this.close()
    return Promise.resolve({ done: true, value: undefined })
  }

  throw(error: unknown): Promise<Result<Output>> {
    this.close()
    return Promise.reject(error)
  }

  [Symbol.asyncIterator](): this {
    return this
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.close()
  }

  private changed(change: RawChange): void {
    if (this.over) return
    const size = change.value.length + CHANGE_OVERHEAD_BYTES
    if (this.queue.length > 0 && this.bytes + size > this.bufferBytes) {
      this.queue = [{ ...change, kind: 'compacted' }]
      this.bytes = size
    } else {
      this.queue.push(change)
      this.bytes += size
    }
    this.serve()
  }

  private ended(end: RawSubscriptionEnd): void {
    this.ending = end
    this.serve()
  }

  private serve(): void {
    while (this.waiting.length > 0) {
      const change = this.queue.shift()
      if (change === undefined && this.ending === null && !this.over) return
      const waiter = this.waiting.shift()
      if (change !== undefined) this.give(change, waiter)
      else if (this.ending !== null) this.fail(this.ending, waiter)
      else waiter?.resolve({ done: true, value: undefined })
    }
  }

  private give(change: RawChange, waiter: Waiter<Output> | undefined): void {
    this.bytes -= change.value.length + CHANGE_OVERHEAD_BYTES
    const value = decoded(change.value)
    if (value === null) {
      this.unsubscribe()
      this.queue = []
      return this.fail({ kind: 'failed', code: 'MALFORMED_FRAME', details: null }, waiter)
    }
    // The machine's schema says what its query gives; without one, Output is Value.
    waiter?.resolve({ done: false, value: { kind: change.kind, value: value.value as Output, index: change.index } })
  }

  private fail({ kind, code, details }: RawSubscriptionEnd, waiter: Waiter<Output> | undefined): void {
    this.ending = null
    this.over = true
    waiter?.reject(
      new SubscriptionError(code, details === null ? null : (decoded(details)?.value ?? null), kind === 'rejected'),
    )
  }

  private finish(): void {
    this.over = true
    this.ending = null
    this.queue = []
    this.serve()
  }
}

/** Null where the server's bytes are no value, which no node of this version sends: the caller must hear all the same. */
function decoded(bytes: Uint8Array): { readonly value: Value } | null {
  try {
    return { value: decodeValue(bytes) }
  } catch {
    return null
  }
}
