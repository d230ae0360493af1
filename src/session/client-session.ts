import type { Millis } from '../base/brand.ts'
import type { Outcome, ServerRequest, SessionInfo } from './types.ts'

/**
 * The row of a client session (sessions.md §2). Immutable once the entry that wrote it is over: an entry works on a copy
 * (`ReplicatedState.draft`).
 */
export type SessionRow = {
  readonly info: SessionInfo
  readonly group: number
  readonly incarnation: number
  /** Log index of its OpenSession entry. */
  readonly index: number
  /** SHA-256 of the client's secret as a binary string: a small typed array would cost 200 bytes of heap. */
  readonly secret: string
  readonly ordered: boolean
  /** The timeout the client asked for, for the comparison of a repeated OpenSession. */
  readonly askedTimeoutMs: Millis
  readonly timeoutMs: Millis
  renewedLease: Millis
  renewedAtIndex: number
  /** Index of the last AttachSession; 0 before the first. Rises only. */
  epoch: number
  /** Nonce of that attach, a binary string. */
  nonce: string
  /** `lowestPendingRequestId` seen. Starts at 1, never falls; every cached response is at or above it. */
  floor: number
  /** Highest requestId executed; 0: none. */
  highest: number
  cachedBytes: number
  /** Last serverRequestId given out; never falls, also across an empty outbox. */
  lastId: number
  /** Highest acknowledged one, ≤ lastId. */
  acknowledged: number
  /** What the next server request names as the one before it. */
  tailId: number
  outboxBytes: number
  /** `now` of the last attach, when everything waiting was sent again. */
  resentAt: Millis
}

/** A copy to work on. PERF: 0.07 µs; a spread of these twenty fields takes 0.6 µs. */
export function copyRow(row: SessionRow): SessionRow {
  return {
    info: row.info,
    group: row.group,
    incarnation: row.incarnation,
    index: row.index,
    secret: row.secret,
    ordered: row.ordered,
    askedTimeoutMs: row.askedTimeoutMs,
    timeoutMs: row.timeoutMs,
    renewedLease: row.renewedLease,
    renewedAtIndex: row.renewedAtIndex,
    epoch: row.epoch,
    nonce: row.nonce,
    floor: row.floor,
    highest: row.highest,
    cachedBytes: row.cachedBytes,
    lastId: row.lastId,
    acknowledged: row.acknowledged,
    tailId: row.tailId,
    outboxBytes: row.outboxBytes,
    resentAt: row.resentAt,
  }
}

/** One cached response (FR-008). */
export type CachedResponse = {
  readonly requestId: number
  readonly hashHigh: number
  readonly hashLow: number
  /** Entry that executed the command. */
  readonly index: number
  readonly outcome: Outcome
  readonly bytes: number
}

/** A waiting server request, with what only the outbox needs to know. */
export type OutboxRow = ServerRequest & {
  /** A full outbox may drop it for a newer one (notifications). */
  readonly droppable: boolean
}

const NO_RESPONSES: CachedResponse[] = []
const NO_REQUESTS: OutboxRow[] = []
const NO_KEYS: string[] = []

/** A live client session: its row, and its responses and server requests in id order. Derived from rows, not stored. */
export class ClientSession {
  row: SessionRow
  readonly key: string
  /** By requestId, rising. Never pushed to while it is the shared empty list. */
  responses: CachedResponse[] = NO_RESPONSES
  /**
   * Row key of each response. PERF: the very string that the dictionary holds is found by pointer; encoding it again, hashing
   * and comparing it cost 1 µs per eviction.
   */
  responseKeys: string[] = NO_KEYS
  /** By serverRequestId, rising. */
  outbox: OutboxRow[] = NO_REQUESTS
  /** False once it ended; and before onSessionCreated accepted it, it is not registered at all. */
  live = true
  /** Entry that last copied the row. */
  draftedAt = 0
  /** Entry that last put it on the delivery list. */
  deliveredAt = 0
  /** Tasks leased to it now. */
  leases = 0
  /** Key prefixes, made when first needed. */
  responsePrefix: string | null = null
  outboxPrefix: string | null = null

  /** Earliest deadline of what waits, null when there is none; undefined: to be looked up again. */
  private deadline: Millis | null | undefined = null

  constructor(key: string, row: SessionRow) {
    this.key = key
    this.row = row
  }

  addResponse(response: CachedResponse, key: string): void {
    if (this.responses === NO_RESPONSES) {
      this.responses = []
      this.responseKeys = []
    }
    const { responses, responseKeys } = this
    const last = responses[responses.length - 1]
    if (last === undefined || last.requestId < response.requestId) {
      responses.push(response)
      responseKeys.push(key)
      return
    }
    const position = this.responsePosition(response.requestId)
    responses.splice(position, 0, response)
    responseKeys.splice(position, 0, key)
  }

  /** First position whose requestId is ≥ `requestId`. O(log window). */
  responsePosition(requestId: number): number {
    const { responses } = this
    let low = 0
    let high = responses.length
    while (low < high) {
      const middle = (low + high) >>> 1
      if ((responses[middle] as CachedResponse).requestId < requestId) low = middle + 1
      else high = middle
    }
    return low
  }

  addRequest(request: OutboxRow): void {
    if (this.outbox === NO_REQUESTS) this.outbox = []
    this.outbox.push(request)
    const { deadlineAt } = request
    if (deadlineAt === null || this.deadline === undefined) return
    this.deadline = this.deadline === null ? deadlineAt : Math.min(this.deadline, deadlineAt)
  }

  /** Removes `count` requests from position `at` on and returns them. */
  removeRequests(at: number, count: number): OutboxRow[] {
    const removed = this.outbox.splice(at, count)
    if (this.deadline !== null && removed.some(({ deadlineAt }) => deadlineAt === this.deadline))
      this.deadline = undefined
    return removed
  }

  /** Earliest deadline of what waits, or null. Looks through the outbox only after the request that had it left. */
  nextDeadline(): Millis | null {
    if (this.deadline !== undefined) return this.deadline
    let earliest: Millis | null = null
    for (const { deadlineAt } of this.outbox) {
      if (deadlineAt !== null && (earliest === null || deadlineAt < earliest)) earliest = deadlineAt
    }
    this.deadline = earliest
    return earliest
  }

  /** First position whose serverRequestId is > `id`. */
  positionAfter(id: number): number {
    const { outbox } = this
    let low = 0
    let high = outbox.length
    while (low < high) {
      const middle = (low + high) >>> 1
      if ((outbox[middle] as OutboxRow).serverRequestId <= id) low = middle + 1
      else high = middle
    }
    return low
  }
}
