/** Keys in one chunk at most; a split halves it. Splicing 512 pointers costs about 0.1 µs. */
const CHUNK_MAX = 512
/** Two neighbours that together hold no more are joined, so that deletes do not leave a trail of tiny chunks. */
const CHUNK_JOIN = 192

/**
 * A sorted set of binary strings as a list of sorted chunks: O(log n) to find, O(√n) in the worst case to insert, and no
 * pointer per key. Order is by code unit, which is byte order for binary strings.
 */
export class OrderedKeys {
  private readonly chunks: string[][] = []

  /** Adds a key that is not in the set. */
  add(key: string): void {
    const at = this.chunkOf(key)
    if (at < 0) {
      const first = this.chunks[0]
      if (first === undefined) this.chunks.push([key])
      else this.insert(0, first, 0, key)
      return
    }
    const chunk = this.chunks[at] as string[]
    this.insert(at, chunk, lowerBound(chunk, key), key)
  }

  /** Removes a key; a key that is not there is left alone. */
  delete(key: string): void {
    const at = this.chunkOf(key)
    if (at < 0) return
    const chunk = this.chunks[at] as string[]
    const position = lowerBound(chunk, key)
    if (chunk[position] !== key) return
    chunk.splice(position, 1)
    if (chunk.length === 0) this.chunks.splice(at, 1)
    else this.join(at)
  }

  /** Keys in [from, to) in byte order, or from the end; at most `limit`. */
  range(bounds: { from: string; to: string; limit: number; reverse: boolean }): string[] {
    return bounds.reverse ? this.descending(bounds) : this.ascending(bounds)
  }

  /** How many keys lie in [from, to); O(number of chunks between). */
  count(from: string, to: string): number {
    if (to <= from) return 0
    let total = 0
    for (let at = Math.max(this.chunkOf(from), 0); at < this.chunks.length; at += 1) {
      const chunk = this.chunks[at] as string[]
      if ((chunk[0] as string) >= to) break
      total += lowerBound(chunk, to) - lowerBound(chunk, from)
    }
    return total
  }

  private ascending({ from, to, limit }: { from: string; to: string; limit: number }): string[] {
    const found: string[] = []
    for (let at = Math.max(this.chunkOf(from), 0); at < this.chunks.length; at += 1) {
      const chunk = this.chunks[at] as string[]
      for (let position = lowerBound(chunk, from); position < chunk.length; position += 1) {
        const key = chunk[position] as string
        if (key >= to || found.length >= limit) return found
        found.push(key)
      }
    }
    return found
  }

  private descending({ from, to, limit }: { from: string; to: string; limit: number }): string[] {
    const found: string[] = []
    for (let at = this.chunkOf(to); at >= 0; at -= 1) {
      const chunk = this.chunks[at] as string[]
      for (let position = lowerBound(chunk, to) - 1; position >= 0; position -= 1) {
        const key = chunk[position] as string
        if (key < from || found.length >= limit) return found
        found.push(key)
      }
    }
    return found
  }

  private insert(at: number, chunk: string[], position: number, key: string): void {
    if (position === chunk.length) chunk.push(key)
    else chunk.splice(position, 0, key)
    if (chunk.length <= CHUNK_MAX) return
    // A set that grows at its end (restore, counters) keeps full chunks behind it.
    const atEnd = at === this.chunks.length - 1 && position === chunk.length - 1
    this.chunks.splice(at + 1, 0, chunk.splice(atEnd ? CHUNK_MAX : CHUNK_MAX / 2))
  }

  private join(at: number): void {
    const chunk = this.chunks[at] as string[]
    const next = this.chunks[at + 1]
    if (next === undefined || chunk.length + next.length > CHUNK_JOIN) return
    for (const key of next) chunk.push(key)
    this.chunks.splice(at + 1, 1)
  }

  /** The last chunk whose first key is ≤ key, or −1. */
  private chunkOf(key: string): number {
    let low = 0
    let high = this.chunks.length
    while (low < high) {
      const middle = (low + high) >>> 1
      if (((this.chunks[middle] as string[])[0] as string) <= key) low = middle + 1
      else high = middle
    }
    return low - 1
  }
}

/** First position in a sorted list whose key is ≥ `key`. */
export function lowerBound(keys: readonly string[], key: string): number {
  let low = 0
  let high = keys.length
  while (low < high) {
    const middle = (low + high) >>> 1
    if ((keys[middle] as string) < key) low = middle + 1
    else high = middle
  }
  return low
}
