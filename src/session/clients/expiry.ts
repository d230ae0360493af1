import type { Millis } from '../../base/brand.ts'
import type { LiveSessions } from './live-sessions.ts'
import { Heap } from '../../base/heap.ts'

interface Deadline {
  readonly session: number
  /** Lease at which it may expire, as known when it was pushed: a lower bound, renewals do not touch the heap. */
  readonly at: Millis
}

/** Which session may expire next on the lease clock. Derived, lazily: a renewal costs nothing here. */
export class Expiry {
  private readonly heap = new Heap<Deadline>((a, b) => a.at < b.at || (a.at === b.at && a.session < b.session))
  private readonly sessions: LiveSessions

  constructor(sessions: LiveSessions) {
    this.sessions = sessions
  }

  add(session: number, at: Millis): void {
    this.heap.push({ session, at })
    // Only a leader asks what is overdue; on a follower nobody else would take out the sessions that ended.
    if (this.heap.size > 2 * this.sessions.size + 64)
      this.heap.retain((deadline) => this.sessions.at(deadline.session) !== null)
  }

  /** Items held, those of ended sessions included: at most 2 · live + 64. */
  get size(): number {
    return this.heap.size
  }

  /** Earliest lease at which a live session may expire, or null. */
  next(): Millis | null {
    return this.first()?.at ?? null
  }

  /** Sessions overdue at `lease`, oldest deadline first, at most `limit`; changes nothing that is replicated. */
  overdue(lease: Millis, limit: number): { index: number; renewedAtIndex: number }[] {
    const found: Deadline[] = []
    for (let top = this.first(); top !== null && found.length < limit && top.at <= lease; top = this.first()) {
      found.push(top)
      this.heap.pop()
    }
    for (const deadline of found) this.heap.push(deadline)
    return found.map(({ session }) => ({
      index: session,
      renewedAtIndex: this.sessions.at(session)?.row.renewedAtIndex ?? 0,
    }))
  }

  /** Brings a deadline that still holds to the top and returns it. */
  private first(): Deadline | null {
    for (let top = this.heap.peek(); top !== undefined; top = this.heap.peek()) {
      const row = this.sessions.at(top.session)?.row
      const at = row === undefined ? null : row.renewedLease + row.timeoutMs
      if (at === top.at) return top
      this.heap.pop()
      if (at !== null) this.heap.push({ session: top.session, at })
    }
    return null
  }
}
