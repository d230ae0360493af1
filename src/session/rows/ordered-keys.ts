/** Keys in one chunk at most. Whoever reads puts so many in order at most, some 0.1 ms, before it finds the first one. */
const CHUNK_MAX = 256
/** Two neighbours that together hold no more are joined, so that deletes do not leave a trail of tiny chunks. */
const CHUNK_JOIN = 64
/** A part of a chunk that is smaller than its split can leave is put together from a sorted chunk instead. */
const PART_MIN = 32
/** So many keys that came one above the other are taken for a row that goes on: the chunk is cut at the last one. */
const RISE_MIN = CHUNK_MAX / 2

/** Keys behind the sorted ones up to which each is moved to its place; more of them are sorted together. */
const MOVED_MAX = 8
/** Keys behind the sorted ones up to which one is looked for among them as they are. */
const SEARCHED_MAX = 16

/** Tables whose last chunk is remembered; two that share one lose speed alone. */
const PLACES = 64

/** Units of a key that its head holds: as many bytes as a number counts exactly. */
const HEAD_UNITS = 6
/** Heads are taken anew when the keys of a chunk have so many more units in common: fewer are left that tell them apart. */
const HEAD_SHIFT = 4

/** Neighbouring keys: the first `sorted` of them in order, those that came since as they came. */
interface Chunk {
  keys: string[]
  sorted: number
  /** The heads of those that came since. PERF: a chunk is cut by them, without a load of its keys from anywhere in memory. */
  heads: number[]
  /** Units that all keys between the chunk's bounds begin with; a head is what follows them. */
  skip: number
}

/**
 * A set of binary strings in order, as a list of chunks that are in order among each other; within a chunk they are put in
 * order when somebody reads there. Order is by code unit, which is byte order for binary strings.
 *
 * PERF: keys of an index come anywhere among a million, with all of their neighbours out of the processor's caches. To add one
 * costs the way through the list of bounds, 11 comparisons that stay in the caches, and one load of its chunk; a chunk that is
 * full is cut by one comparison of numbers per key. So a chunk that nobody reads is never sorted, and one read sorts two of
 * them, however many keys were added before: nothing waits that somebody has to carry out at once. Keys that rise leave full
 * chunks.
 */
export class OrderedKeys {
  private readonly chunks: Chunk[] = [{ keys: [], sorted: 0, heads: [], skip: 0 }]
  /** What keys of a chunk are not below; those of the chunk before it are below. Of the first chunk nothing. */
  private readonly bounds: string[] = ['']
  /**
   * Where the last key of a table was added, a guess, for chunks shift as others are added; behind those, whether (1) it went
   * to the same chunk as the one before it, so that the guess is worth its cost. Null: no key was added yet.
   */
  private places: Int32Array | null = null

  /** Adds a key that is not in the set. */
  add(key: string): void {
    const at = this.chunkNear(key)
    this.push(at, this.chunks[at] as Chunk, key)
  }

  /** Removes a key; false when it is not there. */
  delete(key: string): boolean {
    const at = this.chunkOf(key)
    const chunk = this.chunks[at] as Chunk
    const position = this.positionOf(at, chunk, key)
    if (position < 0) return false
    chunk.keys.splice(position, 1)
    if (position < chunk.sorted) chunk.sorted -= 1
    else chunk.heads.splice(position - chunk.sorted, 1)
    const { keys } = chunk
    if (keys.length === 0) this.drop(at)
    else this.join(at, chunk)
    return true
  }

  /** Whether a key is in the set. */
  has(key: string): boolean {
    const at = this.chunkOf(key)
    return this.positionOf(at, this.chunks[at] as Chunk, key) >= 0
  }

  /** Keys in [from, to) in byte order, or from the end; at most `limit`. */
  range(bounds: { from: string; to: string; limit: number; reverse: boolean }): string[] {
    return bounds.reverse ? this.descending(bounds) : this.ascending(bounds)
  }

  /** How many keys lie in [from, to); O(number of chunks between). */
  count(from: string, to: string): number {
    if (to <= from) return 0
    const start = this.chunkOf(from)
    const end = this.chunkOf(to)
    let total = lowerBound(this.inOrder(end).keys, to) - lowerBound(this.inOrder(start).keys, from)
    for (let at = start; at < end; at += 1) total += (this.chunks[at] as Chunk).keys.length
    return total
  }

  private ascending({ from, to, limit }: { from: string; to: string; limit: number }): string[] {
    const found: string[] = []
    for (let at = this.chunkOf(from); at < this.chunks.length; at += 1) {
      if (found.length >= limit || (this.bounds[at] as string) >= to) return found
      const { keys } = this.inOrder(at)
      for (let position = lowerBound(keys, from); position < keys.length; position += 1) {
        const key = keys[position] as string
        if (key >= to || found.length >= limit) return found
        found.push(key)
      }
    }
    return found
  }

  private descending({ from, to, limit }: { from: string; to: string; limit: number }): string[] {
    const found: string[] = []
    for (let at = this.chunkOf(to); at >= 0; at -= 1) {
      if (found.length >= limit) return found
      const { keys } = this.inOrder(at)
      for (let position = lowerBound(keys, to) - 1; position >= 0; position -= 1) {
        const key = keys[position] as string
        if (key < from || found.length >= limit) return found
        found.push(key)
      }
      if ((this.bounds[at] as string) <= from) return found
    }
    return found
  }

  /** The chunk that a key belongs to; the one that its table's last key went to is looked at first, where that helps. */
  private chunkNear(key: string): number {
    const { bounds } = this
    const places = this.places ?? new Int32Array(2 * PLACES)
    this.places = places
    const place = placeOf(key)
    const last = places[place] as number
    if (places[PLACES + place] === 1) {
      const bound = bounds[last]
      const next = bounds[last + 1]
      if (bound !== undefined && bound <= key && (next === undefined || key < next)) return last
    }
    const at = this.chunkOf(key)
    places[PLACES + place] = at === last ? 1 : 0
    places[place] = at
    return at
  }

  /** Where in its chunk a key is, or −1. PERF: a few keys that came since the chunk was read are left as they are. */
  private positionOf(at: number, chunk: Chunk, key: string): number {
    const { keys } = chunk
    if (keys.length - chunk.sorted > SEARCHED_MAX) this.inOrder(at)
    const position = lowerBound(keys, key, 0, chunk.sorted)
    return position < chunk.sorted && keys[position] === key ? position : keys.indexOf(key, chunk.sorted)
  }

  /** The chunk at a position, in order. */
  private inOrder(at: number): Chunk {
    const chunk = this.chunks[at] as Chunk
    const { keys, sorted } = chunk
    if (sorted === keys.length) return chunk
    // PERF: the engine's sort finds the part that is in order, but begins with a copy of all.
    if (keys.length - sorted > MOVED_MAX) keys.sort()
    else for (let from = sorted; from < keys.length; from += 1) moveDown(keys, from)
    chunk.sorted = keys.length
    chunk.heads = []
    return chunk
  }

  /** Adds a key to its chunk; true when that has become two. */
  private push(at: number, chunk: Chunk, key: string): boolean {
    const { keys, sorted } = chunk
    const { length } = keys
    if (sorted === length && (length === 0 || (keys[length - 1] as string) < key)) chunk.sorted += 1
    else chunk.heads.push(headOf(key, chunk.skip))
    keys.push(key)
    if (length < CHUNK_MAX) return false
    this.split(at, chunk)
    return true
  }

  /** Cuts a chunk with too many keys in two. */
  private split(at: number, chunk: Chunk): void {
    const { keys, sorted } = chunk
    // Keys that rise (restore, counters) leave full chunks behind them, also before the first key of another table.
    const inOrder = sorted === keys.length
    if (!inOrder) {
      const rises = riseOf(keys) >= RISE_MIN
      if (this.cut(at, rises ? (keys.at(-1) as string) : middleOf(keys), rises ? 1 : PART_MIN)) {
        if (rises) this.partAfterFirst(at + 1)
        return
      }
    }
    this.partAt(at, this.inOrder(at), inOrder ? CHUNK_MAX : CHUNK_MAX / 2)
  }

  /**
   * Parts a chunk behind its first key, with which a row of rising ones goes on: among others, as those of the next table, each
   * chunk of the row would be cut key by key; alone they are always in order.
   */
  private partAfterFirst(at: number): void {
    const chunk = this.inOrder(at)
    if (chunk.keys.length > 1) this.partAt(at, chunk, 1)
  }

  /** Cuts a chunk that is in order at a position. */
  private partAt(at: number, chunk: Chunk, position: number): void {
    const rest = chunk.keys.splice(position)
    chunk.sorted = chunk.keys.length
    this.chunks.splice(at + 1, 0, { keys: rest, sorted: rest.length, heads: [], skip: 0 })
    this.bounds.splice(at + 1, 0, rest[0] as string)
    this.narrow(at)
    this.narrow(at + 1)
  }

  /** Cuts a chunk at a key, without a look at the order within; false when a part would have less than `least` keys. */
  private cut(at: number, bound: string, least: number): boolean {
    const { keys, sorted, heads, skip } = this.chunks[at] as Chunk
    const middle = lowerBound(keys, bound, 0, sorted)
    const low: Chunk = { keys: keys.slice(0, middle), sorted: middle, heads: [], skip }
    const high: Chunk = { keys: keys.slice(middle, sorted), sorted: sorted - middle, heads: [], skip }
    const boundHead = headOf(bound, skip)
    for (let place = 0; place < heads.length; place += 1) {
      const key = keys[sorted + place] as string
      const head = heads[place] as number
      const part = head < boundHead || (head === boundHead && key < bound) ? low : high
      part.keys.push(key)
      part.heads.push(head)
    }
    if (low.keys.length < least || high.keys.length < least) return false
    begin(low)
    begin(high)
    this.chunks.splice(at, 1, low, high)
    this.bounds.splice(at + 1, 0, bound)
    this.narrow(at)
    this.narrow(at + 1)
    return true
  }

  /** A chunk has less room between its bounds than before, so that its keys may have more in common. */
  private narrow(at: number): void {
    const chunk = this.chunks[at] as Chunk
    const skip = this.commonOf(at)
    if (skip < chunk.skip + HEAD_SHIFT) return
    chunk.skip = skip
    for (let place = 0; place < chunk.heads.length; place += 1)
      chunk.heads[place] = headOf(chunk.keys[chunk.sorted + place] as string, skip)
  }

  /** A chunk has more room between its bounds than before: its keys have less in common. */
  private widen(at: number): void {
    // No head is left, so that none is wrong.
    this.inOrder(at).skip = this.commonOf(at)
  }

  /** Units that a chunk's bounds have in common, and so all keys between them; none of the first and of the last chunk. */
  private commonOf(at: number): number {
    const bound = this.bounds[at] as string
    const next = this.bounds[at + 1] ?? ''
    let common = 0
    while (common < bound.length && bound.charCodeAt(common) === next.charCodeAt(common)) common += 1
    return common
  }

  /** Takes an empty chunk out; its place falls to a neighbour. */
  private drop(at: number): void {
    if (this.chunks.length === 1) return
    this.chunks.splice(at, 1)
    // Below the first chunk there is nothing, whichever it is.
    this.bounds.splice(Math.max(at, 1), 1)
    this.widen(Math.max(at - 1, 0))
  }

  private join(at: number, chunk: Chunk): void {
    const next = this.chunks[at + 1]
    if (next === undefined || chunk.keys.length + next.keys.length > CHUNK_JOIN) return
    // One after the other, both in order.
    this.inOrder(at)
    for (const key of this.inOrder(at + 1).keys) chunk.keys.push(key)
    chunk.sorted = chunk.keys.length
    this.chunks.splice(at + 1, 1)
    this.bounds.splice(at + 1, 1)
    this.widen(at)
  }

  /** The last chunk whose bound is ≤ key. */
  private chunkOf(key: string): number {
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

/** One key is in order: those that rise from it on are too, so that a full chunk of them is left behind without a cut. */
function begin(chunk: Chunk): void {
  if (chunk.sorted > 0) return
  chunk.sorted = 1
  chunk.heads.shift()
}

/** What follows the first `skip` units of a key, as a number: of two keys that begin alike, the lesser one's is not greater. */
function headOf(key: string, skip: number): number {
  let head = 0
  for (let at = skip; at < skip + HEAD_UNITS; at += 1) head = head * 256 + (at < key.length ? key.charCodeAt(at) : 0)
  return head
}

/** How many keys at the end came one above the other. PERF: of keys that come anywhere the last few tell. */
function riseOf(keys: readonly string[]): number {
  let at = keys.length - 1
  while (at > 0 && (keys[at - 1] as string) < (keys[at] as string)) at -= 1
  return keys.length - at
}

/** A key with about as many below it as above: the middle one of fifteen. */
function middleOf(keys: readonly string[]): string {
  const step = keys.length / 15
  const some = Array.from({ length: 15 }, (_, at) => keys[Math.floor(at * step)] as string)
  return some.sort()[7] as string
}

/** Moves a key down to its place among those before it, in order. PERF: `copyWithin` takes 50 times as long. */
function moveDown(keys: string[], from: number): void {
  const key = keys[from] as string
  const position = lowerBound(keys, key, 0, from)
  for (let at = from; at > position; at -= 1) keys[at] = keys[at - 1] as string
  keys[position] = key
}

/** Where the last chunk of a key's table is kept: a hash of what stands before its first part (a part begins with 1 or 2). */
function placeOf(key: string): number {
  let hash = 0
  for (let at = 0; at < key.length; at += 1) {
    const unit = key.charCodeAt(at)
    if (unit <= 2) break
    hash = (Math.imul(hash, 31) + unit) | 0
  }
  return (hash ^ (hash >>> 6)) & (PLACES - 1)
}

/**
 * First position in a sorted list, or in [from, to) of it, whose key is ≥ `key`; `to` when there is none. PERF: a loop of its
 * own, not `lowerBoundBy`, whose comparison would have to serve numbers and strings alike.
 */
function lowerBound(keys: readonly string[], key: string, from = 0, to = keys.length): number {
  let low = from
  let high = to
  while (low < high) {
    const middle = (low + high) >>> 1
    if ((keys[middle] as string) < key) low = middle + 1
    else high = middle
  }
  return low
}
