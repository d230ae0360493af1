import { OrderedKeys } from './ordered-keys.ts'

/** Stored keys that are read beyond a range's limit when some of them may be gone. */
const CHUNK_KEYS = 32

/** A range of keys in byte order, or from the end. */
export interface KeyRange {
  readonly from: string
  readonly to: string
  readonly limit: number
  readonly reverse: boolean
}

/** Keys in order, which others differ from. */
interface StoredKeys {
  range(bounds: KeyRange): readonly string[]
  count(from: string, to: string): number
}

/** How a set of keys differs from one that is stored: by keys that it has beside those, and by some that it has not. */
export class KeyDifference {
  private readonly added = new OrderedKeys()
  private readonly gone = new OrderedKeys()
  private goneCount = 0

  /** The set has the key from now on; it had not. */
  add(key: string): void {
    if (this.goneCount > 0 && this.gone.delete(key)) this.goneCount -= 1
    else this.added.add(key)
  }

  /** The set has the key no more; it had. */
  delete(key: string): void {
    if (this.added.delete(key)) return
    this.gone.add(key)
    this.goneCount += 1
  }

  /** Keys of the set in a range, at most `limit`. */
  range(stored: StoredKeys, bounds: KeyRange): readonly string[] {
    const own = this.added.range(bounds)
    const rest =
      this.goneCount === 0
        ? stored.range(bounds)
        : remaining(stored, bounds, (key) => this.gone.has(key), this.goneCount)
    return own.length === 0 ? rest : merged(rest, own, bounds)
  }

  /** Number of keys of the set in [from, to). */
  count(stored: StoredKeys, from: string, to: string): number {
    return stored.count(from, to) + this.added.count(from, to) - this.gone.count(from, to)
  }
}

/** Stored keys of a range but for those that are gone, of which there are at most so many. */
export function remaining(
  stored: Pick<StoredKeys, 'range'>,
  { from, to, limit, reverse }: KeyRange,
  isGone: (key: string) => boolean,
  goneMax: number,
): string[] {
  const rest = { from, to }
  const found: string[] = []
  for (;;) {
    const wanted = limit - found.length + Math.min(goneMax, CHUNK_KEYS)
    const keys = stored.range({ ...rest, limit: wanted, reverse })
    for (const key of keys) {
      if (found.length >= limit) break
      if (!isGone(key)) found.push(key)
    }
    const last = keys.at(-1)
    if (last === undefined || keys.length < wanted || found.length >= limit) return found
    // The first key behind the last one, in either direction.
    if (reverse) rest.to = last
    else rest.from = `${last}\u0000`
  }
}

/** The first `limit` keys of two lists that have none in common, both in the wanted direction. */
export function merged(left: readonly string[], right: readonly string[], { limit, reverse }: KeyRange): string[] {
  const keys: string[] = []
  let [l, r] = [0, 0]
  while (keys.length < limit) {
    const [first, second] = [left[l], right[r]]
    if (first === undefined && second === undefined) break
    if (second === undefined || (first !== undefined && first < second !== reverse)) {
      keys.push(first as string)
      l += 1
    } else {
      keys.push(second)
      r += 1
    }
  }
  return keys
}
