import type { LogIndex, Millis } from '../../base/brand.ts'
import type { LimboRows } from '../state-machine.ts'

/** The user rows that entries of limbo may write, whichever prefix of them was committed. */
export class WrittenRows implements LimboRows {
  readonly first: LogIndex
  readonly last: LogIndex
  readonly now: Millis
  private readonly keys: ReadonlySet<string>
  private readonly sorted: readonly string[]

  constructor(range: { readonly first: LogIndex; readonly last: LogIndex }, now: Millis, keys: ReadonlySet<string>) {
    this.first = range.first
    this.last = range.last
    this.now = now
    this.keys = keys
    // By code unit, which is byte order for binary strings.
    this.sorted = [...keys].sort()
  }

  get size(): number {
    return this.sorted.length
  }

  has(key: string): boolean {
    return this.keys.has(key)
  }

  /** Whether a key in [from, to) is among them. */
  meets(from: string, to: string): boolean {
    const next = this.sorted[this.lowerBound(from)]
    return next !== undefined && next < to
  }

  [Symbol.iterator](): Iterator<string> {
    return this.sorted.values()
  }

  /** First position whose key is ≥ `key`. */
  private lowerBound(key: string): number {
    let low = 0
    let high = this.sorted.length
    while (low < high) {
      const middle = (low + high) >>> 1
      if ((this.sorted[middle] as string) < key) low = middle + 1
      else high = middle
    }
    return low
  }
}
