/**
 * First position of a sorted list whose item's key is at least `key`; the list's length when there is none. Keys never
 * fall along the list; `keyOf` gives an item's key. O(log items). PERF: give `keyOf` as a function of the module, not as
 * one made for the call: then a search allocates nothing.
 */
export function lowerBoundBy<Item>(items: readonly Item[], key: number, keyOf: (item: Item) => number): number {
  let low = 0
  let high = items.length
  while (low < high) {
    const middle = (low + high) >>> 1
    if (keyOf(items[middle] as Item) < key) low = middle + 1
    else high = middle
  }
  return low
}

/**
 * The smallest integer in `[from, to − 1]` at which `reached` is true, given that it is true from there on; `to` when
 * there is none. For what is no list. `from` when the interval is empty. O(log (to − from)) calls; both below 2^53.
 */
export function partitionPoint(from: number, to: number, reached: (at: number) => boolean): number {
  let low = from
  let high = to
  while (low < high) {
    const middle = low + Math.floor((high - low) / 2)
    if (reached(middle)) high = middle
    else low = middle + 1
  }
  return low
}
