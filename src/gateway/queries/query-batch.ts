import type { ReadInLimbo, ReadRefusal, ReadSink } from '../../node/api.ts'
import type { AnyQueryMessage } from '../../protocol/up-frame.ts'
import type { LimboRows } from '../../session/state-machine.ts'

/** Who runs, and answers, the queries of a batch. */
export interface QueryBatchOwner {
  /** The batch is full, under way or over: the next query begins another one. */
  begun(batch: QueryBatch): void
  run(request: AnyQueryMessage, session: number | null): void
  /** False: it did not run, and is to wait until limbo is over. */
  runInLimbo(request: AnyQueryMessage, session: number | null, limbo: LimboRows): boolean
  refuseRead(request: AnyQueryMessage, code: ReadRefusal): void
}

/** Queries of one batch: as many as one read may stand for without holding the loop for long. */
const QUERIES_MAX = 256

/**
 * The linearizable queries of one connection that wait for the same read. PERF: two pushes a query, no promise and no closure;
 * one sink a batch.
 */
export class QueryBatch implements ReadSink {
  private readonly owner: QueryBatchOwner
  private requests: AnyQueryMessage[] = []
  private sessions: (number | null)[] = []

  constructor(owner: QueryBatchOwner) {
    this.owner = owner
  }

  add(request: AnyQueryMessage, session: number | null): void {
    this.requests.push(request)
    this.sessions.push(session)
    if (this.requests.length >= QUERIES_MAX) this.owner.begun(this)
  }

  begun(): void {
    this.owner.begun(this)
  }

  ready(): void {
    const { owner, requests, sessions } = this
    for (let at = 0; at < requests.length; at += 1) {
      const request = requests[at]
      if (request !== undefined) owner.run(request, sessions[at] ?? null)
    }
  }

  /** Only those that limbo touches are run again. */
  readyInLimbo(limbo: LimboRows | null): ReadInLimbo {
    const { owner, requests, sessions } = this
    if (limbo === null) return { answered: 0, waiting: requests.length }
    this.requests = []
    this.sessions = []
    for (const [at, request] of requests.entries()) {
      const session = sessions[at] ?? null
      if (owner.runInLimbo(request, session, limbo)) continue
      this.requests.push(request)
      this.sessions.push(session)
    }
    return { answered: requests.length - this.requests.length, waiting: this.requests.length }
  }

  failed(code: ReadRefusal): void {
    // Where nobody leads it ends before it has begun.
    this.owner.begun(this)
    for (const request of this.requests) this.owner.refuseRead(request, code)
  }
}
