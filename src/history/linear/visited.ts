/** Odd, so that no two operations mix alike. */
const MIX = 0x9e3779b1

/**
 * Which operations stand in a linearization, as bits. Those that may never have happened are told apart: the hash is of the
 * others alone.
 */
export class OperationSet {
  readonly bits: Int32Array
  /** Bits of those that may never have happened. */
  readonly optional: Int32Array
  hash = 0

  /** @param optional whether the operation at each place may never have happened. */
  constructor(optional: readonly boolean[]) {
    this.bits = new Int32Array((optional.length + 31) >> 5)
    this.optional = new Int32Array(this.bits.length)
    optional.forEach((isOptional, at) => {
      if (isOptional) this.optional[at >> 5] = (this.optional[at >> 5] ?? 0) | (1 << (at & 31))
    })
  }

  has(operation: number): boolean {
    return ((this.bits[operation >> 5] ?? 0) & (1 << (operation & 31))) !== 0
  }

  /** Adds it, or takes it out again. */
  toggle(operation: number): void {
    const [word, bit] = [operation >> 5, 1 << (operation & 31)]
    this.bits[word] = (this.bits[word] ?? 0) ^ bit
    if (((this.optional[word] ?? 0) & bit) !== 0) return
    let mixed = Math.imul(operation + 1, MIX)
    mixed = Math.imul(mixed ^ (mixed >>> 15), 0x85ebca6b)
    this.hash ^= mixed ^ (mixed >>> 13)
  }
}

/**
 * Sets of operations with the state that they led to. What comes there again is not tried again; nor is what comes there with
 * more of the operations that may never have happened, because fewer of them are left for the rest.
 */
export class Visited<State> {
  private readonly states = new Map<State, number>()
  private readonly buckets = new Map<number, { readonly bits: Int32Array; readonly state: number }[]>()

  /** True where nothing there makes it needless. */
  add(set: OperationSet, state: State): boolean {
    let number = this.states.get(state)
    if (number === undefined) {
      number = this.states.size
      this.states.set(state, number)
    }
    const mixed = set.hash ^ Math.imul(number + 1, MIX)
    const bucket = this.buckets.get(mixed)
    if (bucket === undefined) this.buckets.set(mixed, [{ bits: set.bits.slice(), state: number }])
    else {
      if (bucket.some((known) => known.state === number && isWithin(known.bits, set))) return false
      bucket.push({ bits: set.bits.slice(), state: number })
    }
    return true
  }
}

/** Whether the set has the same operations besides the optional ones, and all the optional ones of `known`. */
function isWithin(known: Int32Array, { bits, optional }: OperationSet): boolean {
  for (let word = 0; word < known.length; word += 1) {
    const [before, now, mask] = [known[word] ?? 0, bits[word] ?? 0, optional[word] ?? 0]
    if (((before ^ now) & ~mask) !== 0) return false
    if ((before & mask & ~now) !== 0) return false
  }
  return true
}
