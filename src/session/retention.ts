import type { Millis } from '../base/brand.ts'
import { Heap } from './heap.ts'

/** Items below which clearing is not worth it. */
const STALE_MIN = 64

interface Kept {
  readonly key: string
  readonly until: Millis
}

/** Rows removed by one entry at most, per family (sessions.md §4): a long silence must not make one entry slow. */
export const SWEEP_MAX = 64

/**
 * Rows of one family that go when `now` has passed their time: tombstones, results of `once`, closed tasks, dead letters.
 * Derived from the rows. A row that was rewritten or removed meanwhile leaves a stale item that is skipped without being
 * counted, so that a restored replica (which has no stale items) removes the same rows in the same entry.
 */
export class Retention {
  private readonly heap = new Heap<Kept>((a, b) => a.until < b.until || (a.until === b.until && a.key < b.key))
  /** Size at which stale items are thrown out: twice what the last clearing left, so that it costs O(log n) an item. */
  private clearAt = STALE_MIN
  private readonly untilOf: (key: string) => Millis | null

  /** `untilOf` tells until when the row with that key is kept now; null when there is none. */
  constructor(untilOf: (key: string) => Millis | null) {
    this.untilOf = untilOf
  }

  add(key: string, until: Millis): void {
    this.heap.push({ key, until })
    if (this.heap.size > this.clearAt) this.clear()
  }

  /** Items held, stale ones included: bounded by twice the rows, and a few. */
  get size(): number {
    return this.heap.size
  }

  /** Calls `drop` for at most SWEEP_MAX rows whose time is before `now`. */
  sweep(now: Millis, drop: (key: string) => void): void {
    for (let dropped = 0; dropped < SWEEP_MAX; dropped += 1) {
      const oldest = this.oldest()
      if (oldest === null || oldest.until >= now) return
      this.heap.pop()
      drop(oldest.key)
    }
  }

  /** The row that goes first, or null. */
  oldest(): Kept | null {
    for (let top = this.heap.peek(); top !== undefined; top = this.heap.peek()) {
      if (this.untilOf(top.key) === top.until) return top
      this.heap.pop()
    }
    return null
  }

  /** A row that is written often (a principal at every notification) must not pile up items until their time comes. */
  private clear(): void {
    const seen = new Set<string>()
    this.heap.retain(({ key, until }) => {
      if (this.untilOf(key) !== until || seen.has(key)) return false
      seen.add(key)
      return true
    })
    this.clearAt = 2 * this.heap.size + STALE_MIN
  }
}
