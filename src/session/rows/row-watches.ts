/** Reads that one watch notes one by one; a query that reads more is touched by every row that is written. */
export const READS_MAX = 1024

/**
 * What one query has read, and whether an entry has written any of it since. `touched` may be true although the answer is the
 * same; it is never false although the answer is another.
 */
export class RowWatch {
  /** Something that it reads was written since `begin`. */
  touched = true
  /** The query has asked who asks since `begin`: of another session its answer may be another one. */
  session = false
  private readonly watches: RowWatches
  private readonly tell: () => void
  private readonly keys = new Set<string>()
  private ranges: (readonly [from: string, to: string])[] = []
  /** It has read more than is noted, or what every entry changes. */
  private wide = false
  private clocked = false

  constructor(watches: RowWatches, tell: () => void) {
    this.watches = watches
    this.tell = tell
  }

  /** The query runs: what it read before counts no more. */
  begin(): void {
    this.release()
    this.touched = false
    this.session = false
  }

  /** It reads the row of that key. */
  read(key: string): void {
    if (this.wide || this.keys.has(key) || this.widens()) return
    this.keys.add(key)
    this.watches.add(key, this)
  }

  /** It reads the rows in [from, to). */
  readRange(from: string, to: string): void {
    if (this.wide || this.widens()) return
    if (this.ranges.length === 0) this.watches.ranged.add(this)
    this.ranges.push([from, to])
  }

  /** It reads the time or the index, which every entry changes. */
  readClock(): void {
    this.clocked = true
    this.watches.clocked.add(this)
  }

  /** It reads who asks. */
  readSession(): void {
    this.session = true
  }

  /** Whether one of its ranges holds the key. */
  holds(key: string): boolean {
    return this.wide || this.ranges.some(([from, to]) => key >= from && key < to)
  }

  /** Something that it reads was written; whoever watches is told the first time. */
  touch(): void {
    if (this.touched) return
    this.touched = true
    this.tell()
  }

  /** Nobody watches any longer. */
  end(): void {
    this.release()
    this.touched = true
    this.watches.remove(this)
  }

  private widens(): boolean {
    if (this.keys.size + this.ranges.length < READS_MAX) return false
    this.wide = true
    this.watches.ranged.add(this)
    return true
  }

  private release(): void {
    const { watches } = this
    for (const key of this.keys) watches.drop(key, this)
    this.keys.clear()
    if (this.ranges.length > 0 || this.wide) watches.ranged.delete(this)
    if (this.clocked) watches.clocked.delete(this)
    this.ranges = []
    this.wide = false
    this.clocked = false
  }
}

/**
 * The watches of one state, by what they read. It is no part of what is replicated: nothing that apply does depends on it.
 *
 * PERF: a written row costs one look-up, and one look at each watch that has read ranges.
 */
export class RowWatches {
  /** Those that have read ranges, or too much to note. */
  readonly ranged = new Set<RowWatch>()
  /** Those that have read the time or the index. */
  readonly clocked = new Set<RowWatch>()
  private readonly byKey = new Map<string, Set<RowWatch>>()
  private readonly all = new Set<RowWatch>()

  /** `tell` is called while an entry is applied: it may note that, and do nothing else. */
  watch(tell: () => void): RowWatch {
    const watch = new RowWatch(this, tell)
    this.all.add(watch)
    return watch
  }

  get size(): number {
    return this.all.size
  }

  add(key: string, watch: RowWatch): void {
    const known = this.byKey.get(key)
    if (known === undefined) this.byKey.set(key, new Set([watch]))
    else known.add(watch)
  }

  drop(key: string, watch: RowWatch): void {
    const known = this.byKey.get(key)
    if (known?.delete(watch) === true && known.size === 0) this.byKey.delete(key)
  }

  remove(watch: RowWatch): void {
    this.all.delete(watch)
  }

  /** The row of that key is written or removed. */
  written(key: string): void {
    for (const watch of this.byKey.get(key) ?? NONE) watch.touch()
    for (const watch of this.ranged) if (watch.holds(key)) watch.touch()
  }

  /** An entry is applied; `all`: it may have changed more than rows. */
  applied(all: boolean): void {
    for (const watch of all ? this.all : this.clocked) watch.touch()
  }
}

const NONE: readonly RowWatch[] = []
