/** Tables that the values are spread over. */
export const SHARES = 256
/** Places of a table at first: a power of two, as always. */
const PLACES_FIRST = 8
/** Places that are looked at for one key. Whoever chooses keys could choose some that all begin at one. */
const PROBES_MAX = 64

/** What of a value is its key, and how keys are spread. */
export interface Keying<Key extends string | number, Value> {
  keyOf(value: Value): Key
  /** A 32-bit integer; the bits of different keys differ, high ones and low ones. */
  hash(key: Key): number
}

/** One table: its places, the hashes of what stands there, and how many are taken. */
interface Share<Key, Value> {
  places: (Value | undefined)[]
  hashes: Int32Array
  taken: number
  /** What has found no place; null: nothing ever has. */
  crowded: Map<Key, Value> | null
}

/**
 * Values found by a key that they hold themselves: a hash table that stores nothing else but the keys' hashes. It may become
 * very large; it has no order.
 *
 * PERF: 16 to 32 bytes for each value, where a Map takes 30 to 60. With the hashes at hand no value is looked at, far away in
 * memory, to be told that it is another one. Like SpreadMap it is 256 small tables which grow each in its own time: no value
 * that is added waits for a million to be moved. Of keys that were chosen to meet, those beyond `PROBES_MAX` are in a Map of
 * V8's, whose hashes nobody can know.
 */
export class KeyedTable<Key extends string | number, Value extends object> {
  private readonly shares: (Share<Key, Value> | undefined)[] = new Array<undefined>(SHARES).fill(undefined)
  private readonly keying: Keying<Key, Value>
  private count = 0

  constructor(keying: Keying<Key, Value>) {
    this.keying = keying
  }

  get size(): number {
    return this.count
  }

  get(key: Key): Value | undefined {
    const { keying } = this
    const hash = keying.hash(key)
    const share = this.shares[hash >>> 24]
    if (share === undefined) return undefined
    const at = placeOf(share, keying, key, hash)
    return at < 0 ? share.crowded?.get(key) : share.places[at]
  }

  has(key: Key): boolean {
    return this.get(key) !== undefined
  }

  /** Puts a value in, in the place of the one with the same key. */
  set(value: Value): void {
    const { keying } = this
    const key = keying.keyOf(value)
    const hash = keying.hash(key)
    const share = this.shareAt(hash >>> 24)
    const at = placeOf(share, keying, key, hash)
    if (at >= 0) share.places[at] = value
    else if (share.crowded?.has(key) === true) share.crowded.set(key, value)
    else {
      this.count += 1
      put(share, keying, value, hash)
      if (share.taken * 4 > share.places.length * 3) grow(share, keying)
    }
  }

  /** Takes out the value with that key; false: there is none. */
  delete(key: Key): boolean {
    const { keying } = this
    const hash = keying.hash(key)
    const share = this.shares[hash >>> 24]
    if (share === undefined) return false
    const at = placeOf(share, keying, key, hash)
    if (at >= 0) close(share, at)
    else if (share.crowded?.delete(key) !== true) return false
    this.count -= 1
    return true
  }

  /** All values, in no order that anything may depend on. */
  *values(): Generator<Value, void> {
    for (let at = 0; at < SHARES; at += 1) yield* this.valuesOf(at)
  }

  /**
   * Those of one of the `SHARES` tables, `at` from 0 on: for whoever looks at all a piece at a time. A value stays in its table
   * while others come and go, so that one which is there all the while is met once.
   */
  *valuesOf(at: number): Generator<Value, void> {
    const share = this.shares[at]
    if (share === undefined) return
    for (const value of share.places) if (value !== undefined) yield value
    if (share.crowded !== null) yield* share.crowded.values()
  }

  /** All keys, likewise. */
  *keys(): Generator<Key, void> {
    for (const value of this.values()) yield this.keying.keyOf(value)
  }

  private shareAt(at: number): Share<Key, Value> {
    let share = this.shares[at]
    if (share === undefined) {
      share = { ...emptyPlaces<Value>(PLACES_FIRST), crowded: null }
      this.shares[at] = share
    }
    return share
  }
}

function emptyPlaces<Value>(count: number): Pick<Share<never, Value>, 'places' | 'hashes' | 'taken'> {
  return { places: new Array<undefined>(count).fill(undefined), hashes: new Int32Array(count), taken: 0 }
}

/** Where the value with that key is; -1: nowhere, or among the crowded. */
function placeOf<Key extends string | number, Value>(
  { places, hashes }: Share<Key, Value>,
  keying: Keying<Key, Value>,
  key: Key,
  hash: number,
): number {
  const mask = places.length - 1
  let at = hash & mask
  for (let probes = 0; probes < PROBES_MAX; probes += 1) {
    const value = places[at]
    if (value === undefined) return -1
    if (hashes[at] === hash && keying.keyOf(value) === key) return at
    at = (at + 1) & mask
  }
  return -1
}

/** Puts a value in whose key is not there. A quarter of the places is always free. */
function put<Key extends string | number, Value>(
  share: Share<Key, Value>,
  keying: Keying<Key, Value>,
  value: Value,
  hash: number,
): void {
  const { places, hashes } = share
  const mask = places.length - 1
  let at = hash & mask
  for (let probes = 0; probes < PROBES_MAX; probes += 1) {
    if (places[at] === undefined) {
      places[at] = value
      hashes[at] = hash
      share.taken += 1
      return
    }
    at = (at + 1) & mask
  }
  share.crowded ??= new Map()
  share.crowded.set(keying.keyOf(value), value)
}

function grow<Key extends string | number, Value>(share: Share<Key, Value>, keying: Keying<Key, Value>): void {
  const { places, hashes } = share
  Object.assign(share, emptyPlaces<Value>(places.length * 2))
  for (let from = 0; from < places.length; from += 1) {
    const value = places[from]
    if (value !== undefined) put(share, keying, value, hashes[from] as number)
  }
}

/** Empties a place: those behind it that were put off because of it move up (Knuth, volume 3, 6.4, algorithm R). */
function close<Key, Value>(share: Share<Key, Value>, emptied: number): void {
  const { places, hashes } = share
  const mask = places.length - 1
  let hole = emptied
  for (let at = (hole + 1) & mask; places[at] !== undefined; at = (at + 1) & mask) {
    const home = (hashes[at] as number) & mask
    if (((at - home) & mask) < ((at - hole) & mask)) continue
    places[hole] = places[at]
    hashes[hole] = hashes[at] as number
    hole = at
  }
  places[hole] = undefined
  share.taken -= 1
}

/** Spreads a number's bits over 32 (the finalizer of MurmurHash3): whole numbers up to 2^53. */
export function hashOfNumber(key: number): number {
  let hash = (key | 0) ^ Math.imul((key / 0x1_0000_0000) | 0, 0x9e37_79b1)
  hash = Math.imul(hash ^ (hash >>> 16), 0x85eb_ca6b)
  hash = Math.imul(hash ^ (hash >>> 13), 0xc2b2_ae35)
  return hash ^ (hash >>> 16)
}

/** The same of a text, all of it. */
export function hashOfText(key: string): number {
  let hash = key.length
  for (let at = 0; at < key.length; at += 1) hash = (Math.imul(hash, 31) + key.charCodeAt(at)) | 0
  return hashOfNumber(hash)
}
