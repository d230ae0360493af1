import type { Value } from '../../codec/value/value.ts'
import { INPUT_BYTES_MAX } from '../../protocol/limits.ts'
import type { QueryResultMessage } from '../../protocol/down-message.ts'
import { isRetryable } from '../../protocol/errors.ts'
import type { AnyQueryMessage, Consistency } from '../../protocol/up-frame.ts'
import type { ClientClock } from '../connection/ports.ts'

/** What a query gave, still encoded. */
export type RawQueryOutcome =
  | { readonly kind: 'ok'; readonly value: Uint8Array; readonly index: number; readonly incarnation: number }
  | { readonly kind: 'rejected'; readonly code: string; readonly details: Uint8Array }
  /** It did not run, or nobody answered in time. */
  | { readonly kind: 'failed'; readonly code: string; readonly details?: Value }

/** One query, with its input encoded. */
export interface QueryRequest {
  /** The session that asks, by its channel: the machine sees its principal. Absent or 0: nobody in particular. */
  readonly channel?: number
  /** It ends with that session. Default false. */
  readonly sessionBound?: boolean
  readonly consistency: Consistency
  /** Token of an earlier answer, for `sequential`; zeros: none. */
  readonly incarnation: number
  readonly minIndex: number
  readonly machine: string
  readonly query: string
  readonly input: Uint8Array
}

interface Waiting {
  readonly message: AnyQueryMessage
  readonly done: (outcome: RawQueryOutcome) => void
  readonly timer: { cancel(): void }
  resend: boolean
}

/** A query that was refused for now is sent again after this long. */
const RETRY_MS = 50
/** Queries that may wait in this process. */
const WAITING_MAX = 65_536

/**
 * Queries without an answer: each has a correlation id of the library's, is sent again with it,
 * matched whatever the order of the answers and completed at most once (Q-009; wire.md §8.6).
 */
export class QueryBoard {
  private readonly clock: ClientClock
  private readonly canSend: () => boolean
  private readonly sendMessage: (message: AnyQueryMessage) => void
  private readonly waiting = new Map<number, Waiting>()
  private nextId = 1
  private retryTimer: { cancel(): void } | null = null

  constructor(options: { clock: ClientClock; canSend(): boolean; sendMessage(message: AnyQueryMessage): void }) {
    this.clock = options.clock
    this.canSend = options.canSend
    this.sendMessage = options.sendMessage
  }

  /** Queries without an answer. */
  get size(): number {
    return this.waiting.size
  }

  /** Asks; `deadlineMs` from now, over all copies. `done` hears the outcome once, perhaps before this returns. */
  query(request: QueryRequest, deadlineMs: number, done: (outcome: RawQueryOutcome) => void): void {
    if (this.waiting.size >= WAITING_MAX) return done({ kind: 'failed', code: 'BACKLOG_FULL' })
    // No frame can carry it: the server would end the connection, and again after every resend.
    if (request.input.length > INPUT_BYTES_MAX) {
      const problem = `must be at most ${INPUT_BYTES_MAX} bytes when encoded, not ${request.input.length}`
      return done({ kind: 'failed', code: 'VALIDATION_ERROR', details: { field: 'input', problem } })
    }
    const correlationId = this.nextId
    this.nextId += 1
    const kind = request.sessionBound === true ? 'boundQuery' : 'query'
    const message: AnyQueryMessage = { kind, channel: 0, correlationId, ...request }
    const timer = this.clock.setTimer(deadlineMs, () =>
      this.finish(correlationId, { kind: 'failed', code: 'DEADLINE_EXCEEDED' }),
    )
    this.waiting.set(correlationId, { message, done, timer, resend: false })
    if (this.canSend()) this.sendMessage(message)
  }

  /** Takes the answer to one copy: completes the query, or sends it again later. */
  settle(result: QueryResultMessage): void {
    const waiting = this.waiting.get(result.correlationId)
    if (waiting === undefined) return
    const { answer, correlationId, index, incarnation } = result
    if (answer.kind === 'ok')
      return this.finish(correlationId, { kind: 'ok', value: Uint8Array.from(answer.value), index, incarnation })
    if (answer.kind === 'rejected') {
      return this.finish(correlationId, {
        kind: 'rejected',
        code: answer.code,
        details: Uint8Array.from(answer.details),
      })
    }
    // A session that attaches again after a failure is there in a moment.
    const again = isRetryable('query', answer.code) || answer.code === 'NOT_ATTACHED'
    if (!again) return this.finish(correlationId, { kind: 'failed', code: answer.code })
    waiting.resend = true
    this.retryTimer ??= this.clock.setTimer(RETRY_MS, () => this.retry())
  }

  /** A new connection: everything without an answer, again. */
  connected(): void {
    for (const { message } of this.waiting.values()) this.sendMessage(message)
  }

  /** A session is over: what is bound to it fails with the code. */
  released(channel: number, code: string): void {
    for (const [correlationId, { message }] of [...this.waiting]) {
      const bound = message.kind === 'boundQuery' && message.channel === channel
      if (bound) this.finish(correlationId, { kind: 'failed', code })
    }
  }

  /** Every query that waits fails with the code. */
  stop(code: string): void {
    this.retryTimer?.cancel()
    for (const correlationId of [...this.waiting.keys()]) this.finish(correlationId, { kind: 'failed', code })
  }

  private retry(): void {
    this.retryTimer = null
    if (!this.canSend()) return
    for (const waiting of this.waiting.values()) {
      if (!waiting.resend) continue
      waiting.resend = false
      this.sendMessage(waiting.message)
    }
  }

  private finish(correlationId: number, outcome: RawQueryOutcome): void {
    const waiting = this.waiting.get(correlationId)
    if (waiting === undefined) return
    this.waiting.delete(correlationId)
    waiting.timer.cancel()
    waiting.done(outcome)
  }
}
