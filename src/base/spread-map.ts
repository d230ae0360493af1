/** Hash tables that the keys are spread over. */
const SHARES = 256
/** Code units at the end of a key that say where it goes: there keys of one table differ, as a rule. */
const TAIL = 16

/**
 * A map from strings that may become very large, without an order.
 *
 * PERF: a Map that has no room left is made anew at once: 33 ms of the thread at 65,536 entries, 46 ms at 131,072, 400 ms at
 * 1,048,576 (with cold caches), within whatever adds the next one. Here 256 small ones grow, each in its own time. What it
 * costs is 16 characters of arithmetic for each lookup, some 15 ns.
 */
export class SpreadMap<Value> {
  private readonly shares = new Array<Map<string, Value> | undefined>(SHARES).fill(undefined)
  private count = 0

  get size(): number {
    return this.count
  }

  get(key: string): Value | undefined {
    return this.shares[shareOf(key)]?.get(key)
  }

  has(key: string): boolean {
    return this.shares[shareOf(key)]?.has(key) === true
  }

  set(key: string, value: Value): void {
    const at = shareOf(key)
    let share = this.shares[at]
    if (share === undefined) {
      share = new Map()
      this.shares[at] = share
    }
    const before = share.size
    share.set(key, value)
    this.count += share.size - before
  }

  /** Whether there was such a key. */
  delete(key: string): boolean {
    const gone = this.shares[shareOf(key)]?.delete(key) === true
    if (gone) this.count -= 1
    return gone
  }

  /** All values, in no order that anything may depend on. */
  *values(): Generator<Value, void> {
    for (const share of this.shares) if (share !== undefined) yield* share.values()
  }

  /** All keys, likewise. */
  *keys(): Generator<string, void> {
    for (const share of this.shares) if (share !== undefined) yield* share.keys()
  }

  /** All keys with their values, likewise. */
  *entries(): Generator<readonly [string, Value], void> {
    for (const share of this.shares) if (share !== undefined) yield* share
  }
}

function shareOf(key: string): number {
  const { length } = key
  let hash = length
  for (let at = length > TAIL ? length - TAIL : 0; at < length; at += 1) {
    hash = (Math.imul(hash, 31) + key.charCodeAt(at)) | 0
  }
  return (hash ^ (hash >>> 15)) & (SHARES - 1)
}
