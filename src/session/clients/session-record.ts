import { lowerBoundBy } from '../../base/binary-search.ts'
import type { Millis } from '../../base/brand.ts'
import { SessionPage } from './session-page.ts'
import type { CachedResponse, OutboxRow, SessionRow } from '../rows/session-rows.ts'

/** A live client session: the page that holds its rows, and what is derived from them and not stored. */
export class SessionRecord {
  /** Its rows as of now; another page from the first change after a boundary on. */
  page: SessionPage
  /** False once it ended; and before onSessionCreated accepted it, it is not registered at all. */
  live = true
  /** Entry that last put it on the delivery list. */
  deliveredAt = 0
  /** Tasks leased to it now; `Workers` counts them. */
  leases = 0

  /** Earliest deadline of what waits, null when there is none; undefined: to be looked up again. */
  private deadline: Millis | null | undefined = null

  constructor(row: SessionRow) {
    this.page = new SessionPage(row)
  }

  get row(): SessionRow {
    return this.page.row
  }

  /** By requestId, rising. */
  get responses(): readonly CachedResponse[] {
    return this.page.responses
  }

  /** By serverRequestId, rising. */
  get outbox(): readonly OutboxRow[] {
    return this.page.outbox
  }

  /** First position whose requestId is ≥ `requestId`. O(log window). */
  responsePosition(requestId: number): number {
    return lowerBoundBy(this.page.responses, requestId, requestIdOf)
  }

  addRequest(request: OutboxRow): void {
    this.page.addRequest(request)
    const { deadlineAt } = request
    if (deadlineAt === null || this.deadline === undefined) return
    this.deadline = this.deadline === null ? deadlineAt : Math.min(this.deadline, deadlineAt)
  }

  /** Removes `count` requests from position `at` on and returns them. `swappedAt` as in SessionPage. */
  removeRequests(at: number, count: number, swappedAt: number): readonly OutboxRow[] {
    const removed = this.page.removeRequests(at, count, swappedAt)
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
    return lowerBoundBy(this.page.outbox, id + 1, serverRequestIdOf)
  }
}

const requestIdOf = (response: CachedResponse): number => response.requestId
const serverRequestIdOf = (request: OutboxRow): number => request.serverRequestId
