/** Units behind what all keys begin with that are looked at. */
const SPAN = 96
/** Bits of a head: with those of one more unit, as many as a number counts exactly. */
const HEAD_BITS = 45

/** What stands for a key whose head cannot be told before the heads are widened. */
export const MISFIT = -1

/** What becomes of heads when keys differ in more bits of a unit than before. */
interface Widening {
  /** Heads count in it what the units before that one hold, and below it the rest. */
  readonly above: number
  /** What is added to the rest: the bits that were alike in all keys. */
  readonly added: number
  /** What the rest is divided by then. */
  readonly divisor: number
}

/**
 * Numbers in the order of their keys, one for each: of two keys the lesser one's is not greater, and of most pairs it is less.
 * A head is made of the units at which the keys that were seen differ, of each by the bits in which it does: digits take four,
 * the end of a text that is as long in all keys takes none. So 45 bits hold what tells most keys apart.
 *
 * PERF: keys of an index are texts anywhere in memory; to put them in order by numbers loads none of them. A head costs 1.5 ns
 * a unit, and one from before a widening becomes one of now by arithmetic alone.
 */
export class KeyHeads {
  private readonly start: number
  private seen = false
  /** By places behind `start`: a unit of some key; the bits in which others differ from it; what its lowest bit counts. */
  private readonly units = new Uint8Array(SPAN)
  private readonly bits = new Uint8Array(SPAN)
  private readonly weights = new Float64Array(SPAN)
  /** Places that a head holds, with those between them at which all keys are alike. */
  private end = SPAN
  /** At most one for each bit of a place. */
  private readonly widenings: Widening[] = []

  /** `start`: units that all keys begin with. */
  constructor(start: number) {
    this.start = start
  }

  /** Rises when keys have been seen that differ in more bits: heads from before it are `renewed` before they are compared. */
  get version(): number {
    return this.widenings.length
  }

  /** The head of a key of binary units; MISFIT: the key differs from those seen before in other bits than they do. */
  of(key: string): number {
    const { start, end, units, bits, weights } = this
    if (!this.seen) return MISFIT
    const within = Math.min(end, key.length - start)
    let head = 0
    let at = 0
    for (; at < within; at += 1) {
      const unit = key.charCodeAt(start + at)
      const width = bits[at] as number
      if ((unit ^ (units[at] as number)) >>> width !== 0) return MISFIT
      head += (unit & ((1 << width) - 1)) * (weights[at] as number)
    }
    // Behind its end a key counts as zeros, which one that goes on may have as well.
    for (; at < end; at += 1) if ((units[at] as number) >>> (bits[at] as number) !== 0) return MISFIT
    return Math.floor(head)
  }

  /** The head of a key after whatever it takes to have one. */
  widened(key: string): number {
    const head = this.of(key)
    if (head !== MISFIT) return head
    this.widen(key)
    return this.of(key)
  }

  /** Makes the first `count` heads, of a version before, those of now. */
  renew(heads: Float64Array, count: number, version: number): void {
    for (let next = version; next < this.widenings.length; next += 1) {
      const { above, added, divisor } = this.widenings[next] as Widening
      for (let at = 0; at < count; at += 1) {
        const head = heads[at] as number
        const kept = Math.floor(head / above) * above
        heads[at] = kept + Math.floor((head - kept + added) / divisor)
      }
    }
  }

  private widen(key: string): void {
    const { start, units, bits } = this
    let left = HEAD_BITS
    for (let at = 0; at < SPAN && left > 0; at += 1) {
      const unit = start + at < key.length ? key.charCodeAt(start + at) : 0
      if (!this.seen) units[at] = unit
      const before = bits[at] as number
      const width = Math.max(before, 32 - Math.clz32(unit ^ (units[at] as number)))
      if (width > before) {
        // What stands in the bits above the ones before.
        const alike = ((units[at] as number) & ((1 << width) - 1)) >>> before
        this.widenings.push({ above: 2 ** left, added: alike * 2 ** left, divisor: 2 ** (width - before) })
        bits[at] = width
      }
      left -= width
    }
    this.seen = true
    this.weigh()
  }

  private weigh(): void {
    const { bits, weights } = this
    let left = HEAD_BITS
    this.end = 0
    while (this.end < SPAN && left > 0) {
      left -= bits[this.end] as number
      weights[this.end] = 2 ** left
      this.end += 1
    }
  }
}
