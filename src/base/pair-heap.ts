/** Pairs of a page: a power of two, so that a position is split by shifts. 64 KiB. */
const PAGE_BITS = 12
const WITHIN = (1 << PAGE_BITS) - 1

/** What lies in the heap: what it is ordered by, and whose it is. */
export interface Pair {
  readonly at: number
  readonly item: number
}

/**
 * A binary min-heap of pairs of numbers, ordered by `at`, then by `item`, so that what comes out does not depend on the order
 * in which pairs came in.
 *
 * PERF: 16 bytes a pair; a pair as an object, with a number that is no small integer, takes 64. Its pages never move (PagedList
 * says why).
 */
export class PairHeap {
  private pages: Float64Array[] = []
  private count = 0

  get size(): number {
    return this.count
  }

  /** The least pair, or null when there is none. */
  peek(): Pair | null {
    return this.count === 0 ? null : { at: this.atOf(0), item: this.itemOf(0) }
  }

  push(at: number, item: number): void {
    if (this.count >>> PAGE_BITS === this.pages.length) this.pages.push(new Float64Array(2 << PAGE_BITS))
    let place = this.count
    this.count += 1
    while (place > 0) {
      const parent = (place - 1) >>> 1
      if (!this.isBefore(at, item, parent)) break
      this.put(place, this.atOf(parent), this.itemOf(parent))
      place = parent
    }
    this.put(place, at, item)
  }

  /** Takes the least pair out; nothing when there is none. */
  pop(): void {
    if (this.count === 0) return
    this.count -= 1
    const at = this.atOf(this.count)
    const item = this.itemOf(this.count)
    if (this.count > 0) this.sink(at, item)
    // One page stays in reserve: a size that goes to and fro at its edge makes none anew.
    if (this.pages.length > (this.count >>> PAGE_BITS) + 2) this.pages.pop()
  }

  /** Drops every pair that `keep` refuses; O(n). */
  retain(keep: (item: number) => boolean): void {
    const { pages, count } = this
    this.clear()
    for (let place = 0; place < count; place += 1) {
      const page = pages[place >>> PAGE_BITS] as Float64Array
      const item = page[2 * (place & WITHIN) + 1] as number
      if (keep(item)) this.push(page[2 * (place & WITHIN)] as number, item)
    }
  }

  /** Takes all pairs out, and gives the memory up. */
  clear(): void {
    this.pages = []
    this.count = 0
  }

  /** Puts a pair in the place of the least one, which was taken out. */
  private sink(at: number, item: number): void {
    let place = 0
    for (;;) {
      let child = 2 * place + 1
      if (child >= this.count) break
      const right = child + 1
      if (right < this.count && this.isBefore(this.atOf(right), this.itemOf(right), child)) child = right
      if (this.isBefore(at, item, child)) break
      this.put(place, this.atOf(child), this.itemOf(child))
      place = child
    }
    this.put(place, at, item)
  }

  private isBefore(at: number, item: number, place: number): boolean {
    const other = this.atOf(place)
    return at < other || (at === other && item < this.itemOf(place))
  }

  private atOf(place: number): number {
    return (this.pages[place >>> PAGE_BITS] as Float64Array)[2 * (place & WITHIN)] as number
  }

  private itemOf(place: number): number {
    return (this.pages[place >>> PAGE_BITS] as Float64Array)[2 * (place & WITHIN) + 1] as number
  }

  private put(place: number, at: number, item: number): void {
    const page = this.pages[place >>> PAGE_BITS] as Float64Array
    page[2 * (place & WITHIN)] = at
    page[2 * (place & WITHIN) + 1] = item
  }
}
