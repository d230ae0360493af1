import type { Millis } from '../../base/brand.ts'
import { Heap } from '../../base/heap.ts'

/** Items below which clearing is not worth it. */
const STALE_MIN = 64

interface Kept {
  readonly key: string
  readonly until: Millis
}

/** Rows removed by one entry at most, per family (sessions.md §4): a long silence must not make one entry slow. */
export const SWEEP_MAX = 64

/**
 * Rows of one family that go when `now` has passed their time: tombstones, results of `once`, closed tasks, dead letters, kept
 * signals.
 * Derived from the rows. An item is a lower bound: that a row stays longer than it did, or is gone, is found out when the
 * item's time has come. Such items are not counted, so that a restored replica (which has none) removes the same rows in
 * the same entry.
 */
export class Retention {
  private readonly heap = new Heap<Kept>((a, b) => a.until < b.until || (a.until === b.until && a.key < b.key))
  /** Size at which stale items are thrown out: twice what the last clearing left, so that it costs O(log n) an item. */
  private clearAt = STALE_MIN
  private readonly untilOf: (key: string) => Millis | null
  private readonly drop: (key: string) => void

  /** `untilOf` tells until when the row with that key is kept now, null when there is none; `drop` removes it. */
  constructor(untilOf: (key: string) => Millis | null, drop: (key: string) => void) {
    this.untilOf = untilOf
    this.drop = drop
  }

  /** A row is kept until then from now on. Not needed for a row that was added, and now is to stay longer. */
  add(key: string, until: Millis): void {
    this.heap.push({ key, until })
    if (this.heap.size > this.clearAt) this.clear()
  }

  /** Items held, stale ones included: bounded by twice the rows, and a few. */
  get size(): number {
    return this.heap.size
  }

  /** Drops at most SWEEP_MAX rows whose time is before `now`. */
  sweep(now: Millis): void {
    // PERF: every entry asks six families; as a rule one comparison is the answer.
    const top = this.heap.peek()
    if (top === undefined || top.until >= now) return
    for (let dropped = 0; dropped < SWEEP_MAX; dropped += 1) {
      const oldest = this.oldest()
      if (oldest === null || oldest.until >= now) return
      this.heap.pop()
      this.drop(oldest.key)
    }
  }

  /** The row that goes first, or null. */
  oldest(): Kept | null {
    for (let top = this.heap.peek(); top !== undefined; top = this.heap.peek()) {
      const until = this.untilOf(top.key)
      if (until === top.until) return top
      this.heap.pop()
      if (until !== null && until > top.until) this.heap.push({ key: top.key, until })
    }
    return null
  }

  /** A row that is written often must not pile up items until their time comes: the earliest one of a row will do. */
  private clear(): void {
    const first = new Map<string, Millis>()
    this.heap.retain(({ key, until }) => {
      const kept = this.untilOf(key)
      if (kept === null || until > kept) return false
      first.set(key, Math.min(until, first.get(key) ?? until))
      return true
    })
    this.heap.retain(({ key, until }) => {
      if (first.get(key) !== until) return false
      first.delete(key)
      return true
    })
    this.clearAt = 2 * this.heap.size + STALE_MIN
  }
}
