import type { Millis } from '../../base/brand.ts'
import type { SessionRow } from '../rows/session-rows.ts'
import type { LeaderTime } from '../state-machine.ts'
import type { LiveSessions } from './live-sessions.ts'
import { Heap } from '../../base/heap.ts'

interface Deadline {
  readonly session: number
  /** Lease at which it is due, as known when it was pushed: a lower bound, renewals do not touch the heap. */
  readonly at: Millis
}

/** Beside a third of its timeout, what a client gets to notice that its leader is frozen, find the next one and attach. */
const SEARCH_MS = 5000

/**
 * Which session is due to expire next on the lease clock. Derived, lazily: a renewal costs nothing here.
 *
 * A new leader first gives every session a chance to reach it (sessions.md §4). Those that are overdue meanwhile wait in the
 * heap behind whoever is due before them, so that they neither hide one whose chance is over nor are looked at again.
 * PERF: a look that finds nobody takes 0.1 µs, however many are overdue; the first one of a leader ranks every session anew,
 * 20 ms for 100,000.
 */
export class Expiry {
  private readonly heap = new Heap<Deadline>((a, b) => a.at < b.at || (a.at === b.at && a.session < b.session))
  private readonly sessions: LiveSessions
  /** Lease at which the leader that asked last could first answer; 0: none asked. */
  private readySince: Millis = 0

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

  /** Earliest lease at which a live session is due under the leader that asked last, or null. */
  next(): Millis | null {
    return this.first()?.at ?? null
  }

  /** Lease at which a session is due: its timeout is over, and so is its chance under this leader. */
  dueOf(row: SessionRow): Millis {
    return Math.max(row.renewedLease + row.timeoutMs, this.readySince + chanceMs(row.timeoutMs))
  }

  /** Sessions due at `lease`, the earliest first, at most `limit`; changes nothing that is replicated. */
  overdue({ lease, readySince }: LeaderTime, limit: number): { index: number; renewedAtIndex: number }[] {
    if (readySince !== this.readySince) this.lead(readySince)
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

  /** Another leader: every session is due anew. */
  private lead(readySince: Millis): void {
    this.readySince = readySince
    this.heap.retain(() => false)
    for (const { row } of this.sessions.all()) this.heap.push({ session: row.index, at: this.dueOf(row) })
  }

  /** Brings a deadline that still holds to the top and returns it. */
  private first(): Deadline | null {
    for (let top = this.heap.peek(); top !== undefined; top = this.heap.peek()) {
      const row = this.sessions.at(top.session)?.row
      const at = row === undefined ? null : this.dueOf(row)
      if (at === top.at) return top
      this.heap.pop()
      if (at !== null) this.heap.push({ session: top.session, at })
    }
    return null
  }
}

/**
 * Leader time that a session gets to reach a new leader. A living client pings after every quarter of its timeout, and notices
 * at the latest then that its leader is frozen, within 600 ms; a third leaves room for clients that ping less often. The
 * whole timeout would be too much: sessions of a day would never expire where leaders change daily.
 */
function chanceMs(timeoutMs: Millis): Millis {
  return Math.min(timeoutMs, Math.ceil(timeoutMs / 3) + SEARCH_MS)
}
