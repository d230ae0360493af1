import type { Millis } from '../../base/brand.ts'
import type { SessionRow } from '../rows/session-rows.ts'
import type { LeaderTime } from '../state-machine.ts'
import type { LiveSessions } from './live-sessions.ts'
import { SHARES } from '../../base/keyed-table.ts'
import { type Pair, PairHeap } from '../../base/pair-heap.ts'

/** Beside a third of its timeout, what a client gets to notice that its leader is frozen, find the next one and attach. */
const SEARCH_MS = 5000

/** Sessions that one look of a new leader ranks, and those of a share more: some 5 ms of its loop. */
const RANKED_PER_LOOK = 8192

/**
 * Which session is due to expire next on the lease clock. Derived, lazily: a renewal costs nothing here.
 *
 * A new leader first gives every session a chance to reach it (sessions.md §4). Those that are overdue meanwhile wait in the
 * heap behind whoever is due before them, so that they neither hide one whose chance is over nor are looked at again.
 * PERF: a look while nobody can be due is two comparisons. The first ones of a leader rank every session anew, each some of
 * them: a million are done after six seconds, until which none is named, be its chance over or not.
 */
export class Expiry {
  /** Leases at which sessions are due, as known when they were pushed: lower bounds, renewals do not touch the heap. */
  private readonly heap = new PairHeap()
  private readonly sessions: LiveSessions
  /** Lease at which the leader that asked last could first answer; 0: none asked. */
  private readySince: Millis = 0
  /** The next share to be ranked under that leader; null: all are. */
  private share: number | null = null
  /** The highest index of a session that there ever was, and when ranking began: later ones are in the heap as they come. */
  private newest = 0
  private rankedUpTo = 0

  constructor(sessions: LiveSessions) {
    this.sessions = sessions
  }

  add(session: number, at: Millis): void {
    this.heap.push(at, session)
    this.newest = Math.max(this.newest, session)
    // Only a leader asks what is overdue; on a follower nobody else would take out the sessions that ended.
    if (this.heap.size > 2 * this.sessions.size + 64) this.heap.retain((session) => this.sessions.at(session) !== null)
  }

  /** Items held, those of ended sessions included: at most 2 · live + 64. */
  get size(): number {
    return this.heap.size
  }

  /** Earliest lease at which a live session is due under the leader that asked last, or null. */
  next(): Millis | null {
    while (this.share !== null) this.rankMore(this.share)
    return this.first(Number.POSITIVE_INFINITY)?.at ?? null
  }

  /** Lease at which a session is due: its timeout is over, and so is its chance under this leader. */
  dueOf({ renewedLease, terms: { timeoutMs } }: SessionRow): Millis {
    return Math.max(renewedLease + timeoutMs, this.readySince + chanceMs(timeoutMs))
  }

  /**
   * Sessions due at `lease`, the earliest first, at most `limit`; changes nothing that is replicated. No session is due before
   * its `at` in the heap: renewals and later leaders only defer it.
   */
  overdue({ lease, readySince }: LeaderTime, limit: number): { index: number; renewedAtIndex: number }[] {
    if (readySince !== this.readySince) this.lead(readySince)
    if (this.share !== null) this.rankMore(this.share)
    // PERF: a leader asks 20 times a second, and to know who is due next it would have to rank all that were renewed since.
    const least = this.heap.peek()
    if (least === null || least.at > lease || this.share !== null) return []
    const found: Pair[] = []
    for (let top = this.first(lease); top !== null && found.length < limit; top = this.first(lease)) {
      found.push(top)
      this.heap.pop()
    }
    for (const { at, item } of found) this.heap.push(at, item)
    return found.map(({ item: index }) => ({
      index,
      renewedAtIndex: this.sessions.at(index)?.row.renewedAtIndex ?? 0,
    }))
  }

  /** Another leader: every session is due anew. */
  private lead(readySince: Millis): void {
    this.readySince = readySince
    this.heap.clear()
    this.rankedUpTo = this.newest
    this.share = 0
  }

  private rankMore(from: number): void {
    let ranked = 0
    let share = from
    for (; share < SHARES && ranked < RANKED_PER_LOOK; share += 1) {
      for (const { row } of this.sessions.inShare(share)) {
        if (row.index > this.rankedUpTo) continue
        this.heap.push(this.dueOf(row), row.index)
        ranked += 1
      }
    }
    this.share = share < SHARES ? share : null
  }

  /**
   * Brings a deadline that still holds to the top and returns it, when and of which session; null: none is due at `lease`.
   * Deadlines that lie behind it are let be: to rank all that were renewed would be 0.7 s for 200,000.
   */
  private first(lease: Millis): Pair | null {
    for (let top = this.heap.peek(); top !== null && top.at <= lease; top = this.heap.peek()) {
      const row = this.sessions.at(top.item)?.row
      const at = row === undefined ? null : this.dueOf(row)
      if (at === top.at) return top
      this.heap.pop()
      if (at !== null) this.heap.push(at, top.item)
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
