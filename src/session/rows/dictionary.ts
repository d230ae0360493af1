import { assert } from '../../base/assert.ts'
import { PagedList } from '../../base/paged-list.ts'
import { SpreadMap } from '../../base/spread-map.ts'
import type { Value } from '../../codec/value/value.ts'
import { BareKeys, type ChangedRow } from './bare-keys.ts'
import type { OrderedKeys } from './ordered-keys.ts'

/** `generation` of a row that was not written since it was restored, or never yet. */
const UNWRITTEN = -1

/** `staged` of a row that the running transaction has not written. */
export const NOT_STAGED = -1

/** One row of the dictionary. Once a boundary took it, its value stays: the next write makes another object. */
export class Row {
  readonly key: string
  /** Undefined: there is no such row (deleted since the last swap, or staged and not yet there). */
  value: Value | undefined
  /** Boundary interval that wrote it: while that lasts, it is in the dirty list and a write replaces its value in place. */
  generation: number
  /** Where it is in the dirty list of its generation. */
  position = 0
  /** The last boundary, or the snapshot that was restored, holds a row with this key. */
  readonly seen: boolean
  /** Position of what the running transaction writes here, or NOT_STAGED. */
  staged = NOT_STAGED

  constructor(key: string, value: Value | undefined, generation: number, seen: boolean) {
    this.key = key
    this.value = value
    this.generation = generation
    this.seen = seen
  }
}

/**
 * One half of the dictionary (FR-012): the rows of the session layer under `session/…`, or those of user machines, which
 * stand here without their `user/`. Keys are binary strings. Values are immutable: a write replaces. What changed
 * since the last boundary is in a list, so that a swap takes it out in O(1) and the next interval's first write of a
 * row leaves the boundary's object alone.
 *
 * PERF: a write of a known row costs the one lookup that found it; only the first one after a swap writes the hash table.
 * A row that comes and goes between two swaps leaves nothing behind. The rows that a client session holds (its own, its
 * responses, its outbox) are not here but in the session, so that a command touches no hash table for them (SessionPage).
 */
export class Dictionary {
  /** Number of the boundary interval. */
  generation = 0
  /** Index of the last swap: what entries after it wrote, no boundary has seen. */
  swappedAt = 0
  /** The rows that are their keys alone. */
  readonly bare: BareKeys = new BareKeys()
  private readonly rows = new SpreadMap<Row>()
  private readonly ordered: OrderedKeys | null
  private dirty = new PagedList<Row>()
  /** Rows of the last boundary that were deleted since, by key: they are in the dirty list already. */
  private gone = new SpreadMap<Row>()

  /** `ordered` holds the keys in order; without it there are no ranges. */
  constructor(ordered: OrderedKeys | null = null) {
    this.ordered = ordered
  }

  /** Number of rows, bare ones among them. */
  get size(): number {
    return this.rows.size + this.bare.size
  }

  get(key: string): Value | undefined {
    return this.rows.get(key)?.value
  }

  has(key: string): boolean {
    return this.rows.get(key)?.value !== undefined
  }

  /** The row under a key, or undefined. */
  find(key: string): Row | undefined {
    return this.rows.get(key)
  }

  set(key: string, value: Value): void {
    this.write(this.rows.get(key) ?? this.place(key), value)
  }

  /** Removes a row; false when there was none. */
  delete(key: string): boolean {
    const row = this.rows.get(key)
    if (row === undefined) return false
    this.remove(row)
    return true
  }

  /** Makes an empty row under a key that has none: `write` or `forget` follows in the same entry. */
  place(key: string): Row {
    const row = this.gone.get(key) ?? new Row(key, undefined, UNWRITTEN, false)
    this.rows.set(key, row)
    return row
  }

  /** Takes a row out again that was placed and not written. */
  forget(row: Row): void {
    this.rows.delete(row.key)
  }

  /** Writes a row that `find` or `place` gave. Returns the row that stands under its key now. */
  write(row: Row, value: Value): Row {
    if (row.value === undefined) {
      this.ordered?.add(row.key)
      if (row.seen) this.gone.delete(row.key)
      else this.list(row)
    } else if (row.generation !== this.generation) {
      return this.write(this.replaced(row), value)
    }
    row.value = value
    return row
  }

  /** Removes a row that `find` gave and that has a value. */
  remove(row: Row): void {
    const { key } = row
    this.rows.delete(key)
    this.ordered?.delete(key)
    if (row.generation === this.generation && !row.seen) {
      this.unlist(row)
      return
    }
    let tombstone = row
    if (row.generation !== this.generation) {
      tombstone = new Row(key, undefined, this.generation, true)
      this.list(tombstone)
    }
    tombstone.value = undefined
    this.gone.set(key, tombstone)
  }

  /** Keys of rows in [from, to) in byte order, at most `limit`; from the end when `reverse`. */
  range(bounds: { from: string; to: string; limit: number; reverse: boolean }): string[] {
    assert(this.ordered !== null, 'ranges need keys in order')
    return this.ordered.range(bounds)
  }

  /** Number of rows in [from, to). */
  count(from: string, to: string): number {
    assert(this.ordered !== null, 'ranges need keys in order')
    return this.ordered.count(from, to)
  }

  /** Loads a row of a snapshot: not dirty. */
  restore(key: string, value: Value): void {
    if (!this.rows.has(key)) this.ordered?.add(key)
    this.rows.set(key, new Row(key, value, UNWRITTEN, true))
  }

  /**
   * Takes out the rows written since the last swap, O(1): each key once, without a value those that went. `index` is the entry
   * after which that is. A null is a step without a row (`DirtyRows`).
   */
  swap(index: number): Iterable<ChangedRow | null> {
    const { dirty } = this
    const bare = this.bare.swap()
    this.dirty = new PagedList()
    this.gone = new SpreadMap()
    this.generation += 1
    this.swappedAt = index
    return bare === null ? dirty : { [Symbol.iterator]: () => bothOf(dirty, bare) }
  }

  /** The object that this interval writes to in the place of a boundary's. */
  private replaced(row: Row): Row {
    const next = new Row(row.key, row.value, this.generation, true)
    this.rows.set(row.key, next)
    this.list(next)
    return next
  }

  private list(row: Row): void {
    row.generation = this.generation
    row.position = this.dirty.length
    this.dirty.push(row)
  }

  private unlist(row: Row): void {
    const last = this.dirty.pop()
    if (last === undefined || last === row) return
    this.dirty.set(row.position, last)
    last.position = row.position
  }
}

function* bothOf<Left, Right>(rows: Iterable<Left>, bare: Iterable<Right>): Generator<Left | Right> {
  yield* rows
  yield* bare
}

/**
 * A row object as the Value it is: interfaces (SessionInfo, ServerRequest) have no index signature, so the compiler cannot
 * see it. Everything passed here is built by this folder from plain data.
 */
export function rowValue(row: object): Value {
  return row as Value
}
