import type { Millis } from '../../base/brand.ts'
import type { Outcome, ServerRequest, SessionInfo } from '../user-machine.ts'

/**
 * The row of a client session (sessions.md §2). Immutable from the next boundary on: the first entry after it that
 * changes the session works on a copy (`ReplicatedState.draft`).
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
  /** Of one that was redriven: the entry that has emitted it. Absent: `createdIndex`. */
  readonly emittedIndex?: number
}
