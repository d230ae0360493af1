import { PagedList } from '../../base/paged-list.ts'

/** Places that stay for the next transaction; a larger one's are given back. */
const KEPT_MAX = 64

/** Items of a transaction that are carried out or taken back in one piece of its end: some 50 µs. */
export const PIECE_ITEMS = 32

/**
 * What a transaction stages, one after the other, in places that the next one uses again.
 *
 * PERF: a list whose length is set to 0 gives its memory up, and takes 150 bytes anew with the next one's first item.
 */
export class StagedList<Item> {
  size = 0
  private readonly items = new PagedList<Item | undefined>()

  add(item: Item): void {
    if (this.size < this.items.length) this.items.set(this.size, item)
    else this.items.push(item)
    this.size += 1
  }

  /** The item at a position below `size`. */
  at(position: number): Item {
    return this.items.at(position) as Item
  }

  replace(position: number, item: Item): void {
    this.items.set(position, item)
  }

  /** Empties the list; nothing that was in it is held any longer. */
  clear(): void {
    const { items, size } = this
    this.size = 0
    if (items.length > KEPT_MAX) items.clear()
    else for (let at = 0; at < size; at += 1) items.set(at, undefined)
  }
}
