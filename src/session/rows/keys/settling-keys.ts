import { type KeyRange, merged } from '../key-difference.ts'
import { OrderedKeys } from '../ordered-keys.ts'

/** Keys that wait at most, but for one piece. */
const RECENT_MAX = 32_768
/** Keys that are moved together: some 20 µs. */
const PIECE_KEYS = 32

/**
 * A very large set of binary strings in order, of which the newest wait beside the others: they settle among those in order,
 * a piece at a time, round and round.
 *
 * PERF: a key that goes straight to its place among a million finds nothing of it in the processor's caches. The newest keys
 * are few enough to stay there, and of those that settle together a dozen go to one chunk: by themselves 1 µs in place of 3,
 * within a command 2 to 3 µs less. A key that goes is looked for in both sets.
 */
export class SettlingKeys {
  private readonly settled = new OrderedKeys()
  private readonly recent = new OrderedKeys()
  private recentCount = 0
  /** Recent keys below it have had their turn. */
  private turn = ''
  private readonly recentMax: number

  constructor(recentMax = RECENT_MAX) {
    this.recentMax = recentMax
  }

  /** Adds a key that is not in the set. */
  add(key: string): void {
    this.recent.add(key)
    this.recentCount += 1
    if (this.recentCount >= this.recentMax + PIECE_KEYS) this.settle()
  }

  /** Loads a key that is not in the set: no other one is added before all are loaded. */
  restore(key: string): void {
    this.settled.add(key)
  }

  /** Removes a key; false when it is not there. */
  delete(key: string): boolean {
    if (this.recentCount === 0 || !this.recent.delete(key)) return this.settled.delete(key)
    this.recentCount -= 1
    return true
  }

  /** Keys in [from, to) in byte order, or from the end; at most `limit`. */
  range(bounds: KeyRange): readonly string[] {
    const settled = this.settled.range(bounds)
    if (this.recentCount === 0) return settled
    const recent = this.recent.range(bounds)
    return recent.length === 0 ? settled : merged(settled, recent, bounds)
  }

  /** How many keys lie in [from, to). */
  count(from: string, to: string): number {
    return this.settled.count(from, to) + this.recent.count(from, to)
  }

  private settle(): void {
    const keys = this.recent.takeFrom(this.turn, PIECE_KEYS)
    this.recentCount -= keys.length
    this.settled.addAll(keys)
    const last = keys.at(-1)
    this.turn = last === undefined ? '' : `${last}\u0000`
  }
}
