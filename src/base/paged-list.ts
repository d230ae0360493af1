/** Items of a page: a power of two, so that a position is split by shifts. 32 KiB, which is copied in some 10 µs. */
const PAGE_BITS = 12
const PAGE_ITEMS = 1 << PAGE_BITS
const WITHIN = PAGE_ITEMS - 1

/**
 * A list that may become very long, in pages that never move.
 *
 * PERF: an array that has no room left is copied into one half as long again, at once: 5 ms of the thread at 76,400 items, 6 to
 * 30 at 114,500, 11 to 20 at 171,800 (new memory, page by page from the system), within whatever adds the next item. Here a
 * page is added. What it costs is one more load for each item that is read.
 */
export class PagedList<Item> {
  private pages: Item[][] = []
  private count = 0

  get length(): number {
    return this.count
  }

  /** The item at a position below `length`. */
  at(position: number): Item {
    return (this.pages[position >>> PAGE_BITS] as Item[])[position & WITHIN] as Item
  }

  /** Replaces the item at a position below `length`. */
  set(position: number, item: Item): void {
    const page = this.pages[position >>> PAGE_BITS] as Item[]
    page[position & WITHIN] = item
  }

  push(item: Item): void {
    const page = this.pages[this.count >>> PAGE_BITS]
    if (page === undefined) this.pages.push([item])
    else page.push(item)
    this.count += 1
  }

  /** Takes the last item out; undefined: there is none. */
  pop(): Item | undefined {
    if (this.count === 0) return undefined
    this.count -= 1
    return this.pages[this.count >>> PAGE_BITS]?.pop()
  }

  /** Takes all items out, and gives the memory up. PERF: O(pages). */
  clear(): void {
    this.pages = []
    this.count = 0
  }

  *[Symbol.iterator](): Generator<Item, void> {
    for (const page of this.pages) yield* page
  }
}
