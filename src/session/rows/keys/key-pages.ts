import type { KeyRange } from '../key-difference.ts'
import type { KeyHeads } from './key-heads.ts'
import type { KeyList } from './key-list.ts'
import type { KeyTexts } from './key-texts.ts'

/** Keys of one page at most: 6 KiB that are moved as one block. */
const PAGE_KEYS = 512
/** Versions that a page catches up with by arithmetic: behind more, its keys are read. */
const RENEWALS_MAX = 32
/** A page that takes so many at most is joined with its neighbour. */
const PAGE_JOIN = PAGE_KEYS / 4

/** Neighbouring keys in order. */
interface Page {
  readonly heads: Float64Array
  readonly places: Int32Array
  count: number
  /** Of `KeyHeads`, when the heads were taken. */
  version: number
}

/**
 * A large set of keys in order, which takes others in order into their places.
 *
 * PERF: a page is read and written from one end to the other, 2 ns a key, as numbers: to load the texts of keys costs fifty
 * times that. Where n keys are there and k come that lie anywhere among them, one that comes costs about n / k steps, as long
 * as k is at least n / PAGE_KEYS.
 */
export class KeyPages {
  /** Number of keys. */
  count = 0
  private readonly pages: Page[] = []
  /** What keys of a page are not below; those of the page before it are below. Of the first page nothing. */
  private readonly bounds: string[] = ['']
  private readonly texts: KeyTexts
  private readonly heads: KeyHeads

  constructor(texts: KeyTexts, heads: KeyHeads) {
    this.texts = texts
    this.heads = heads
    this.pages.push(this.emptyPage())
  }

  /** Takes keys in, in order, from a position of their list on; none of them is there. */
  addAll(list: KeyList): void {
    const { bounds, texts } = this
    let page = -1
    for (let from = 0; from < list.count; ) {
      const key = texts.at(list.places[from] as number)
      // As a rule the next page is meant.
      if (page < 0 || (page + 1 < bounds.length && (bounds[page + 1] as string) <= key))
        page = this.pageNear(page + 1, key)
      from = this.addSome(page, list, from)
    }
    this.count += list.count
  }

  /** Makes a list of the first keys from `from` on, some of them, and takes them out; an empty one when there are none. */
  takeFrom(from: string, list: KeyList): void {
    const first = this.pageOf(from)
    list.count = 0
    for (let at = first; at < this.pages.length; ) {
      const page = this.current(at)
      const start = at === first ? this.lowerBound(page, from) : 0
      const end = Math.min(page.count, start + list.max)
      for (let next = start; next < end; next += 1) list.push(page.heads[next] as number, page.places[next] as number)
      if (list.count > 0) {
        this.cut(page, start, end)
        return
      }
      // Its place stays for keys like those that were all taken, and goes when none have come until the next time round.
      if (at > first && page.count === 0) this.drop(at)
      else at += 1
    }
  }

  /** Removes a key and forgets its text; false when it is not there. `head` is its head. */
  delete(key: string, head: number): boolean {
    const at = this.pageOf(key)
    const page = this.current(at)
    const position = this.find(page, key, head)
    const place = position < page.count ? (page.places[position] as number) : -1
    if (place < 0 || this.texts.at(place) !== key) return false
    this.texts.forget(place)
    this.cut(page, position, position + 1)
    if (page.count === 0) this.drop(at)
    else if (page.count <= PAGE_JOIN) this.join(at, page)
    return true
  }

  /** Keys in [from, to) in byte order, or from the end; at most `limit`. */
  range(bounds: KeyRange): string[] {
    return bounds.reverse ? this.descending(bounds) : this.ascending(bounds)
  }

  /** How many keys lie in [from, to); O(number of pages between). */
  countIn(from: string, to: string): number {
    if (to <= from) return 0
    const start = this.pageOf(from)
    const end = this.pageOf(to)
    let total = this.lowerBound(this.pages[end] as Page, to) - this.lowerBound(this.pages[start] as Page, from)
    for (let at = start; at < end; at += 1) total += (this.pages[at] as Page).count
    return total
  }

  private ascending({ from, to, limit }: KeyRange): string[] {
    const found: string[] = []
    const first = this.pageOf(from)
    for (let at = first; at < this.pages.length; at += 1) {
      const page = this.pages[at] as Page
      for (let position = at === first ? this.lowerBound(page, from) : 0; position < page.count; position += 1) {
        const key = this.texts.at(page.places[position] as number)
        if (key >= to || found.length >= limit) return found
        found.push(key)
      }
    }
    return found
  }

  private descending({ from, to, limit }: KeyRange): string[] {
    const found: string[] = []
    const last = this.pageOf(to)
    for (let at = last; at >= 0; at -= 1) {
      const page = this.pages[at] as Page
      for (let position = (at === last ? this.lowerBound(page, to) : page.count) - 1; position >= 0; position -= 1) {
        const key = this.texts.at(page.places[position] as number)
        if (key < from || found.length >= limit) return found
        found.push(key)
      }
    }
    return found
  }

  /** Takes those keys of a list from `from` on that belong to a page and have room; where the next one is. */
  private addSome(at: number, list: KeyList, from: number): number {
    const page = this.current(at)
    const end = this.endIn(at, list, from)
    const room = PAGE_KEYS - page.count
    if (end - from <= room) {
      this.merge(page, list, from, end)
      return end
    }
    // Keys that rise leave full pages behind them.
    const rises = page.count === 0 || this.isAbove(list, from, page)
    if (!rises && page.count >= PAGE_KEYS / 2) {
      this.split(at, page)
      return from
    }
    if (room > 0) this.merge(page, list, from, from + room)
    else this.insert(at + 1, this.texts.at(list.places[from] as number), this.emptyPage())
    return from + room
  }

  /** Where in a list the keys end that belong to a page, of which the one at `from` is one. */
  private endIn(at: number, list: KeyList, from: number): number {
    const bound = this.bounds[at + 1]
    if (bound === undefined) return list.count
    // A bound was a key once.
    const head = this.heads.of(bound)
    let end = from + 1
    while (end < list.count && (list.heads[end] as number) < head) end += 1
    while (end < list.count && this.texts.at(list.places[end] as number) < bound) end += 1
    return end
  }

  private isAbove(list: KeyList, from: number, page: Page): boolean {
    const last = page.count - 1
    const [head, other] = [list.heads[from] as number, page.heads[last] as number]
    if (head !== other) return head > other
    return this.texts.at(list.places[from] as number) > this.texts.at(page.places[last] as number)
  }

  /** Merges keys of a list into a page that has room for them, from the end on. */
  private merge(page: Page, list: KeyList, from: number, to: number): void {
    const { heads, places } = page
    let left = page.count - 1
    let right = to - 1
    page.count += to - from
    let end = page.count - 1
    while (right >= from) {
      const head = list.heads[right] as number
      while (left >= 0 && (heads[left] as number) > head) {
        heads[end] = heads[left] as number
        places[end] = places[left] as number
        left -= 1
        end -= 1
      }
      if (left >= 0 && heads[left] === head) {
        const cut = this.above(page, left, this.texts.at(list.places[right] as number))
        for (; left >= cut; left -= 1, end -= 1) {
          heads[end] = head
          places[end] = places[left] as number
        }
      }
      heads[end] = head
      places[end] = list.places[right] as number
      end -= 1
      right -= 1
    }
  }

  /** The first position above a key, among those up to `last` whose head is that of the last one. */
  private above(page: Page, last: number, key: string): number {
    const head = page.heads[last]
    let low = last
    while (low > 0 && page.heads[low - 1] === head) low -= 1
    let high = last + 1
    while (low < high) {
      const middle = (low + high) >>> 1
      if (this.texts.at(page.places[middle] as number) < key) low = middle + 1
      else high = middle
    }
    return low
  }

  private split(at: number, page: Page): void {
    const half = page.count >>> 1
    const rest = this.emptyPage()
    rest.count = page.count - half
    for (let position = 0; position < rest.count; position += 1) {
      rest.heads[position] = page.heads[half + position] as number
      rest.places[position] = page.places[half + position] as number
    }
    page.count = half
    this.insert(at + 1, this.texts.at(rest.places[0] as number), rest)
  }

  private insert(at: number, bound: string, page: Page): void {
    this.pages.splice(at, 0, page)
    this.bounds.splice(at, 0, bound)
  }

  /** Takes an empty page out; its place falls to a neighbour. */
  private drop(at: number): void {
    if (this.pages.length === 1) return
    this.pages.splice(at, 1)
    // Below the first page there is nothing, whichever it is.
    this.bounds.splice(Math.max(at, 1), 1)
  }

  private join(at: number, page: Page): void {
    const next = this.pages[at + 1]
    if (next === undefined || page.count + next.count > 2 * PAGE_JOIN) return
    this.current(at + 1)
    page.heads.set(next.heads.subarray(0, next.count), page.count)
    page.places.set(next.places.subarray(0, next.count), page.count)
    page.count += next.count
    this.pages.splice(at + 1, 1)
    this.bounds.splice(at + 1, 1)
  }

  /** Takes the keys in [from, to) out of a page. */
  private cut(page: Page, from: number, to: number): void {
    page.heads.copyWithin(from, to, page.count)
    page.places.copyWithin(from, to, page.count)
    page.count -= to - from
    this.count -= to - from
  }

  /**
   * The page at a position, with heads that can be compared with others. PERF: 1 µs where they could not; one that has missed
   * many versions takes its heads from its keys, some 40 µs, so that no choice of keys makes one write wait for long.
   */
  private current(at: number): Page {
    const page = this.pages[at] as Page
    if (page.version === this.heads.version) return page
    if (this.heads.version - page.version > RENEWALS_MAX) this.takeHeads(page)
    else this.heads.renew(page.heads, page.count, page.version)
    page.version = this.heads.version
    return page
  }

  private takeHeads({ heads, places, count }: Page): void {
    for (let at = 0; at < count; at += 1) heads[at] = this.heads.of(this.texts.at(places[at] as number))
  }

  private emptyPage(): Page {
    return {
      heads: new Float64Array(PAGE_KEYS),
      places: new Int32Array(PAGE_KEYS),
      count: 0,
      version: this.heads.version,
    }
  }

  /** First position of a page whose key is ≥ `key`, which has that head. */
  private find(page: Page, key: string, head: number): number {
    const { heads } = page
    let low = 0
    let high = page.count
    while (low < high) {
      const middle = (low + high) >>> 1
      if ((heads[middle] as number) < head) low = middle + 1
      else high = middle
    }
    if (heads[low] !== head || low >= page.count) return low
    let end = low + 1
    while (end < page.count && heads[end] === head) end += 1
    return this.lowerBound(page, key, low, end)
  }

  /** First position of a page, or of a part of it, whose key is ≥ `key`; the end when there is none. */
  private lowerBound(page: Page, key: string, from = 0, to = page.count): number {
    let low = from
    let high = to
    while (low < high) {
      const middle = (low + high) >>> 1
      if (this.texts.at(page.places[middle] as number) < key) low = middle + 1
      else high = middle
    }
    return low
  }

  /** The page that a key belongs to; a guess is looked at first. */
  private pageNear(guess: number, key: string): number {
    const { bounds } = this
    if (guess > 0 && guess < bounds.length && (bounds[guess] as string) <= key) {
      const next = bounds[guess + 1]
      if (next === undefined || key < next) return guess
    }
    return this.pageOf(key)
  }

  /** The last page whose bound is ≤ key. */
  private pageOf(key: string): number {
    const { bounds } = this
    let low = 1
    let high = bounds.length
    while (low < high) {
      const middle = (low + high) >>> 1
      if ((bounds[middle] as string) <= key) low = middle + 1
      else high = middle
    }
    return low - 1
  }
}
