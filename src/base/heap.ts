import { PagedList } from './paged-list.ts'

/** A binary min-heap; `before` must be a total order, so that pops do not depend on the order of pushes. */
export class Heap<Item> {
  private items = new PagedList<Item>()
  private readonly before: (left: Item, right: Item) => boolean

  constructor(before: (left: Item, right: Item) => boolean) {
    this.before = before
  }

  get size(): number {
    return this.items.length
  }

  /** The least item, or undefined when empty. */
  peek(): Item | undefined {
    return this.items.length === 0 ? undefined : this.items.at(0)
  }

  push(item: Item): void {
    const { items, before } = this
    let at = items.length
    items.push(item)
    while (at > 0) {
      const parent = (at - 1) >>> 1
      const above = items.at(parent)
      if (!before(item, above)) break
      items.set(at, above)
      at = parent
    }
    items.set(at, item)
  }

  pop(): Item | undefined {
    const { items } = this
    const least = this.peek()
    const last = items.pop()
    if (items.length > 0 && last !== undefined) this.sink(last)
    return least
  }

  /** Drops every item that `keep` refuses; O(n). */
  retain(keep: (item: Item) => boolean): void {
    const items = this.items
    this.items = new PagedList()
    for (const item of items) if (keep(item)) this.push(item)
  }

  private sink(item: Item): void {
    const { items, before } = this
    const size = items.length
    let at = 0
    for (;;) {
      let child = 2 * at + 1
      if (child >= size) break
      const right = child + 1
      if (right < size && before(items.at(right), items.at(child))) child = right
      if (!before(items.at(child), item)) break
      items.set(at, items.at(child))
      at = child
    }
    items.set(at, item)
  }
}
