/** A binary min-heap; `before` must be a total order, so that pops do not depend on the order of pushes. */
export class Heap<Item> {
  private items: Item[] = []
  private readonly before: (left: Item, right: Item) => boolean

  constructor(before: (left: Item, right: Item) => boolean) {
    this.before = before
  }

  get size(): number {
    return this.items.length
  }

  /** The least item, or undefined when empty. */
  peek(): Item | undefined {
    return this.items[0]
  }

  push(item: Item): void {
    const { items, before } = this
    let at = items.length
    items.push(item)
    while (at > 0) {
      const parent = (at - 1) >>> 1
      const above = items[parent] as Item
      if (!before(item, above)) break
      items[at] = above
      at = parent
    }
    items[at] = item
  }

  pop(): Item | undefined {
    const { items } = this
    const least = items[0]
    const last = items.pop()
    if (items.length > 0 && last !== undefined) this.sink(last)
    return least
  }

  /** Drops every item that `keep` refuses; O(n). */
  retain(keep: (item: Item) => boolean): void {
    const kept = this.items.filter(keep)
    this.items = []
    for (const item of kept) this.push(item)
  }

  private sink(item: Item): void {
    const { items, before } = this
    const size = items.length
    let at = 0
    for (;;) {
      let child = 2 * at + 1
      if (child >= size) break
      const right = child + 1
      if (right < size && before(items[right] as Item, items[child] as Item)) child = right
      if (!before(items[child] as Item, item)) break
      items[at] = items[child] as Item
      at = child
    }
    items[at] = item
  }
}
