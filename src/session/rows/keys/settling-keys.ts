import { type KeyRange, merged } from '../key-difference.ts'
import { OrderedKeys } from '../ordered-keys.ts'

/** Keys that are put in order together: some 0.5 ms, for whoever adds the last of them or reads. */
const ARRIVED_MAX = 512
/** Keys that wait at most, but for those that are not in order yet. */
const RECENT_MAX = 32_768
/** Keys that are moved together: some 20 µs. */
const PIECE_KEYS = 32

/**
 * A very large set of binary strings in order, in three parts. The newest keys are a list. When it is full, or somebody reads,
 * they find their places among some ten thousands of recent ones, which settle among all the others in order, a piece at a
 * time, round and round.
 *
 * PERF: a key that goes straight to its place among a million finds nothing of it in the processor's caches. The recent ones
 * are fewer, and of those that settle together a dozen go to one chunk. To add one is to append to a list: whoever adds one
 * between other work has lost even the recent ones from the caches, and hundreds in a row need them loaded once. A key that
 * goes is looked for in both sets.
 */
export class SettlingKeys {
  private readonly settled = new OrderedKeys()
  private readonly recent = new OrderedKeys()
  private recentCount = 0
  /** The newest keys, as they came: none of them is in `recent` yet. */
  private readonly arrived: string[] = []
  /** Recent keys below it have had their turn. */
  private turn = ''
  private readonly recentMax: number
  private readonly arrivedMax: number

  constructor(recentMax = RECENT_MAX, arrivedMax = ARRIVED_MAX) {
    this.recentMax = recentMax
    this.arrivedMax = arrivedMax
  }

  /** Adds a key that is not in the set. */
  add(key: string): void {
    this.arrived.push(key)
    if (this.arrived.length >= this.arrivedMax) this.place()
  }

  /** Loads a key that is not in the set: no other one is added before all are loaded. */
  restore(key: string): void {
    this.settled.add(key)
  }

  /** Removes a key; false when it is not there. */
  delete(key: string): boolean {
    this.place()
    if (this.recentCount === 0 || !this.recent.delete(key)) return this.settled.delete(key)
    this.recentCount -= 1
    return true
  }

  /** Keys in [from, to) in byte order, or from the end; at most `limit`. */
  range(bounds: KeyRange): readonly string[] {
    this.place()
    const settled = this.settled.range(bounds)
    if (this.recentCount === 0) return settled
    const recent = this.recent.range(bounds)
    return recent.length === 0 ? settled : merged(settled, recent, bounds)
  }

  /** How many keys lie in [from, to). */
  count(from: string, to: string): number {
    this.place()
    return this.settled.count(from, to) + this.recent.count(from, to)
  }

  /** Puts the newest keys among the recent ones, and as many of those among the settled ones as are too many. */
  private place(): void {
    const { arrived } = this
    const { length } = arrived
    if (length === 0) return
    if (length === 1) this.recent.add(arrived[0] as string)
    else this.recent.addAll(arrived.sort())
    arrived.length = 0
    this.recentCount += length
    while (this.recentCount >= this.recentMax + PIECE_KEYS) this.settle()
  }

  private settle(): void {
    const keys = this.recent.takeFrom(this.turn, PIECE_KEYS)
    this.recentCount -= keys.length
    this.settled.addAll(keys)
    const last = keys.at(-1)
    this.turn = last === undefined ? '' : `${last}\u0000`
  }
}
