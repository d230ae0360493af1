import type { Value } from '../codec/types.ts'
import { OrderedKeys } from './ordered-keys.ts'

/**
 * The one dictionary (FR-012): session and user rows under `session/…` and `user/…`, keys are binary strings. Values are
 * immutable: a write replaces, so the dirty map may keep references while a snapshot is being written.
 *
 * PERF: `set` of a known key is two hash-table writes; a new ordered key adds O(log n). Rows of the hot families (a
 * client session, its responses, its outbox) are *unordered* here: their order lives in the session itself, so that a
 * command costs no ordered insert and delete (about 3 µs at a million rows).
 */
export class Dictionary {
  private readonly rows = new Map<string, Value>()
  private readonly ordered = new OrderedKeys()
  private dirty = new Map<string, Value | undefined>()
  private swappedAt = 0

  get size(): number {
    return this.rows.size
  }

  get(key: string): Value | undefined {
    return this.rows.get(key)
  }

  has(key: string): boolean {
    return this.rows.has(key)
  }

  /** Writes a row that `range` and `count` see. */
  set(key: string, value: Value): void {
    const before = this.rows.size
    this.rows.set(key, value)
    if (this.rows.size !== before) this.ordered.add(key)
    this.dirty.set(key, value)
  }

  /** Removes a row written by `set`; false when there was none. */
  delete(key: string): boolean {
    if (!this.rows.delete(key)) return false
    this.ordered.delete(key)
    this.dirty.set(key, undefined)
    return true
  }

  /** Writes a row of a hot family. */
  setUnordered(key: string, value: Value): void {
    this.rows.set(key, value)
    this.dirty.set(key, value)
  }

  /**
   * Removes a row of a hot family whose key is used once only and that was created by entry `createdAt`. A row that no
   * swap has seen leaves no trace in the dirty map, so cached responses that came and went cost the snapshot nothing.
   */
  deleteUnordered(key: string, createdAt: number): void {
    this.rows.delete(key)
    if (createdAt > this.swappedAt) this.dirty.delete(key)
    else this.dirty.set(key, undefined)
  }

  /** Keys of ordered rows in [from, to) in byte order, at most `limit`; from the end when `reverse`. */
  range(bounds: { from: string; to: string; limit: number; reverse: boolean }): string[] {
    return this.ordered.range(bounds)
  }

  /** Number of ordered rows in [from, to). */
  count(from: string, to: string): number {
    return this.ordered.count(from, to)
  }

  /** Loads a row of a snapshot: not dirty. */
  restore(key: string, value: Value, ordered: boolean): void {
    const before = this.rows.size
    this.rows.set(key, value)
    if (ordered && this.rows.size !== before) this.ordered.add(key)
  }

  /** Takes the dirty map out, O(1). `index` is the last entry whose rows it holds. */
  swap(index: number): ReadonlyMap<string, Value | undefined> {
    const dirty = this.dirty
    this.dirty = new Map()
    this.swappedAt = index
    return dirty
  }
}

/**
 * A row object as the Value it is: interfaces (SessionInfo, ServerRequest) have no index signature, so the compiler cannot
 * see it. Everything passed here is built by this folder from plain data.
 */
export function rowValue(row: object): Value {
  return row as Value
}
