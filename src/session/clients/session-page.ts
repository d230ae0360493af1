import { rowValue } from '../rows/dictionary.ts'
import { FAMILY, type RowKeys } from '../rows/row-keys.ts'
import { type CachedResponse, copyRow, type OutboxRow, type SessionRow, storedRow } from '../rows/session-rows.ts'
import type { DirtyRow } from '../dirty-rows.ts'

/** `generation` of a page that no entry has changed anything in: just made, or restored. */
const UNTOUCHED = -1

/** Shared by all sessions that hold none, and never written to: frozen, so that a slip is seen at once. */
const NO_RESPONSES: CachedResponse[] = []
const NO_REQUESTS: OutboxRow[] = []
Object.freeze(NO_RESPONSES)
Object.freeze(NO_REQUESTS)

/** What a boundary must know beside the lists. Rare, so that most pages hold none. */
interface Traces {
  /** Ids of the responses and server requests that the last boundary holds and that went since. */
  readonly responses: number[]
  readonly requests: number[]
  /** Ids of the server requests that the last boundary holds in an older state of theirs. */
  readonly rewritten: Set<number>
  /** The session ended, and all of its rows went. */
  ended: boolean
}

/**
 * The rows that a client session holds, as of one boundary interval: its own, its cached responses, its outbox. The first
 * entry after a boundary that changes the session goes on with a copy (`next`) and leaves this page to the boundary as it
 * was. So a command writes no row: what a boundary stores is read off the pages that its interval touched, later and in
 * slices. What came and went in the interval is in no list any more and leaves no trace.
 *
 * `swappedAt` is the index of the boundary before: it holds what was created up to there.
 */
export class SessionPage {
  readonly row: SessionRow
  readonly generation: number
  /** By requestId, rising. */
  responses: CachedResponse[] = NO_RESPONSES
  /** By serverRequestId, rising. */
  outbox: OutboxRow[] = NO_REQUESTS
  private traces: Traces | null = null

  constructor(row: SessionRow, generation = UNTOUCHED) {
    this.row = row
    this.generation = generation
  }

  /** The page that takes this one's place in a later interval. PERF: once per session and interval, not per command. */
  next(generation: number): SessionPage {
    const page = new SessionPage(copyRow(this.row), generation)
    if (this.responses.length > 0) page.responses = this.responses.slice()
    if (this.outbox.length > 0) page.outbox = this.outbox.slice()
    return page
  }

  addResponse(response: CachedResponse): void {
    if (this.responses === NO_RESPONSES) this.responses = []
    const { responses } = this
    let at = responses.length
    while (at > 0 && (responses[at - 1] as CachedResponse).requestId > response.requestId) at -= 1
    if (at === responses.length) responses.push(response)
    else responses.splice(at, 0, response)
  }

  /** Drops the first `count` responses and returns their bytes. */
  dropResponses(count: number, swappedAt: number): number {
    const { responses } = this
    if (count === 0) return 0
    let bytes = 0
    for (let at = 0; at < count; at += 1) {
      const response = responses[at] as CachedResponse
      bytes += response.bytes
      if (response.index <= swappedAt) this.trace().responses.push(response.requestId)
    }
    if (count === 1) responses.shift()
    else if (count === responses.length) responses.length = 0
    else responses.splice(0, count)
    return bytes
  }

  addRequest(request: OutboxRow): void {
    if (this.outbox === NO_REQUESTS) this.outbox = []
    this.outbox.push(request)
  }

  /** Puts a newer state of a request into its place. */
  replaceRequest(at: number, request: OutboxRow, swappedAt: number): void {
    this.outbox[at] = request
    if (request.createdIndex <= swappedAt) this.trace().rewritten.add(request.serverRequestId)
  }

  /** Removes `count` requests from position `at` on and returns them. */
  removeRequests(at: number, count: number, swappedAt: number): readonly OutboxRow[] {
    if (count === 0) return NO_REQUESTS
    const removed = this.outbox.splice(at, count)
    for (const { createdIndex, serverRequestId } of removed) {
      if (createdIndex <= swappedAt) this.trace().requests.push(serverRequestId)
    }
    return removed
  }

  /** The session ended; its responses and server requests were removed before. */
  end(): void {
    this.trace().ended = true
  }

  /** What the boundary at the end of this page's interval stores of the session: each key once, in no order. */
  *changes(keys: RowKeys, swappedAt: number): Generator<DirtyRow> {
    const { row, traces } = this
    const response = keys.row(FAMILY.response, row.index)
    const request = keys.row(FAMILY.outbox, row.index)
    for (const id of traces?.responses ?? []) yield { key: keys.under(response, id), value: undefined }
    for (const id of traces?.requests ?? []) yield { key: keys.under(request, id), value: undefined }
    if (traces?.ended === true) {
      if (row.index <= swappedAt) yield { key: keys.row(FAMILY.client, row.index), value: undefined }
      return
    }
    yield { key: keys.row(FAMILY.client, row.index), value: storedRow(row) }
    for (const kept of this.responses) {
      if (kept.index > swappedAt) yield { key: keys.under(response, kept.requestId), value: rowValue(kept) }
    }
    for (const kept of this.outbox) {
      const { serverRequestId, createdIndex } = kept
      if (createdIndex > swappedAt || traces?.rewritten.has(serverRequestId) === true)
        yield { key: keys.under(request, serverRequestId), value: rowValue(kept) }
    }
  }

  private trace(): Traces {
    this.traces ??= { responses: [], requests: [], rewritten: new Set(), ended: false }
    return this.traces
  }
}
