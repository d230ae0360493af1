import type { RunningHash } from '../../codec/value/running-hash.ts'
import type { SessionCodec } from '../../codec/session-codec.ts'
import type { Value } from '../../codec/value/value.ts'
import { isBareKey } from './bare-keys.ts'
import { type Dictionary, NOT_STAGED, type Row } from './dictionary.ts'
import { KeyBuffer } from './key-buffer.ts'
import { assertBinary, assertLimit, USER_PREFIX } from './row-keys.ts'
import { type RowWatch, RowWatches } from './row-watches.ts'
import { StagedKeys } from './staged-keys.ts'
import { PIECE_ITEMS, StagedList } from './staged-list.ts'
import type { StateStore } from '../user-machine.ts'

/**
 * The overlay that a machine writes into (sessions.md §3, step 11). Each write is walked once, when it is made, straight
 * into the running hash; a rollback puts the hash back.
 *
 * PERF: the overlay has no hash table of its own. A row knows where its staged value is, so a read or write costs the
 * dictionary's one lookup, a write of the row read last none, and a commit none either.
 */
export class WriteBuffer implements StateStore {
  /** The rows that are their keys alone. */
  readonly bare: KeyBuffer
  /** Rows written by the running transaction, in order of their first write, and what it wrote; undefined deletes. */
  private readonly rows = new StagedList<Row>()
  private readonly values = new StagedList<Value | undefined>()
  /** Keys of rows that come or go with the transaction. */
  private readonly keys: StagedKeys
  /** What is staged is what everybody reads (`publish`), until it has moved (`settle`). */
  private open = false
  /** The key looked up last, and its row. */
  private lastKey: string | null = null
  private lastRow: Row | undefined
  /** Who is told which rows are written; null: nobody, as a rule. */
  private watches: RowWatches | null = null
  private readonly dictionary: Dictionary
  private readonly codec: SessionCodec
  private readonly hash: RunningHash
  private readonly fault: () => void

  /** `fault` is called before a ValueError leaves `set`: a machine that swallows it is still refused. */
  constructor(dictionary: Dictionary, codec: SessionCodec, hash: RunningHash, fault: () => void) {
    this.dictionary = dictionary
    this.codec = codec
    this.hash = hash
    this.fault = fault
    this.keys = new StagedKeys(dictionary, this.rows, this.values)
    this.bare = new KeyBuffer(dictionary.bare, codec, hash)
  }

  /** True from `publish` to the end of `settle`. */
  get published(): boolean {
    return this.open
  }

  get(key: string): Value | undefined {
    const row = this.find(key)
    return row === undefined ? undefined : this.valueOf(row)
  }

  has(key: string): boolean {
    return this.get(key) !== undefined
  }

  set(key: string, value: Value): void {
    const known = this.find(key)
    if (known === undefined) assertRowKey(key)
    try {
      this.codec.foldJoined(this.hash, USER_PREFIX, key)
      this.codec.walk(value, this.hash)
    } catch (error) {
      this.fault()
      throw error
    }
    const row = known ?? this.dictionary.place(key)
    this.lastRow = row
    this.stage(row, value)
  }

  delete(key: string): boolean {
    const row = this.find(key)
    if (row === undefined || this.valueOf(row) === undefined) return false
    this.codec.foldJoined(this.hash, USER_PREFIX, key)
    this.codec.foldNumber(this.hash, 0)
    this.stage(row, undefined)
    return true
  }

  range(bounds: { from: string; to: string; limit: number; reverse?: boolean }): (readonly [string, Value])[] {
    const rows: (readonly [string, Value])[] = []
    const { from, to, limit, reverse = false } = bounds
    assertLimit(limit)
    for (const key of this.keys.range({ from, to, limit, reverse })) {
      const row = this.dictionary.find(key)
      const value = row === undefined ? undefined : this.valueOf(row)
      if (value !== undefined) rows.push([key, value])
    }
    return rows
  }

  count({ from, to }: { from: string; to: string }): number {
    return this.dictionary.count(from, to) + this.keys.balance(from, to)
  }

  /** Rows that the running transaction would change, in order of their first write, bare ones last; undefined: no row. */
  changes(): { readonly key: string; readonly before: Value | undefined; readonly after: Value | undefined }[] {
    const { rows, values } = this
    const written = Array.from({ length: rows.size }, (_, at) => {
      const { key, value: before } = rows.at(at)
      return { key, before, after: values.at(at) }
    }).filter(({ before, after }) => before !== undefined || after !== undefined)
    return [...written, ...this.bare.changes()]
  }

  /** Whoever is to know of writes of what it reads, from now on (`RowWatches.watch`). */
  watch(tell: () => void): RowWatch {
    this.watches ??= new RowWatches()
    return this.watches.watch(tell)
  }

  /** This buffer's state takes the place of another's: whatever was watched there may be different here. */
  takeWatches(from: WriteBuffer): void {
    this.watches = from.watches
    this.applied(true)
  }

  /** An entry is applied; `all`: it may have changed more than `commit` told. PERF: one comparison where nobody watches. */
  applied(all: boolean): void {
    this.watches?.applied(all)
  }

  /**
   * Moves the bare keys, all or none; throws AssertionError where one that goes is not there. Nothing else of it can fail,
   * so that this comes before all of it. PERF: as a rule one comparison.
   */
  commitKeys(): void {
    if (this.bare.size === 0) return
    if (this.watches !== null && this.watches.size > 0) this.bare.tell(this.watches)
    this.bare.commitWhole()
  }

  /** Moves the writes into the dictionary. */
  commit(): void {
    if (this.watches !== null && this.watches.size > 0) this.tell(this.watches)
    for (let at = 0; at < this.rows.size; at += 1) this.move(at)
    if (this.bare.size > 0) this.bare.commit()
    this.clear()
  }

  /**
   * Makes the writes what `get`, `has`, `range` and `count` give to everybody, O(1): a commit that is not yet carried out,
   * however many rows it has. `settle` follows, before the next transaction.
   */
  publish(): void {
    // From here on rows move one by one, so that a look through the list would count some of them twice.
    this.keys.keep(true)
    this.bare.publish()
    this.open = true
  }

  /** Moves what was published into the dictionary, a piece at a time; between two pieces the rows read the same. */
  *settle(): Generator<void, void> {
    for (let at = 0; at < this.rows.size; at += 1) {
      if (at > 0 && at % PIECE_ITEMS === 0) yield
      this.keys.moving(this.rows.at(at), this.values.at(at))
      this.move(at)
    }
    yield* this.bare.settle()
    this.clear()
    this.open = false
  }

  rollback(): void {
    for (let at = 0; at < this.rows.size; at += 1) this.drop(at)
    this.clear()
  }

  /** As `rollback`, a piece at a time. */
  *rollbackInPieces(): Generator<void, void> {
    for (let at = 0; at < this.rows.size; at += 1) {
      if (at > 0 && at % PIECE_ITEMS === 0) yield
      this.drop(at)
    }
    this.clear()
  }

  private tell(watches: RowWatches): void {
    for (let at = 0; at < this.rows.size; at += 1) watches.written(this.rows.at(at).key)
    this.bare.tell(watches)
  }

  private move(at: number): void {
    const { dictionary } = this
    const row = this.rows.at(at)
    const value = this.values.at(at)
    row.staged = NOT_STAGED
    if (value !== undefined) dictionary.write(row, value)
    else if (row.value !== undefined) dictionary.remove(row)
    else dictionary.forget(row)
  }

  private drop(at: number): void {
    const row = this.rows.at(at)
    row.staged = NOT_STAGED
    if (row.value === undefined) this.dictionary.forget(row)
  }

  private clear(): void {
    this.lastKey = null
    this.lastRow = undefined
    this.rows.clear()
    this.values.clear()
    this.keys.clear()
    this.bare.clear()
  }

  private find(key: string): Row | undefined {
    // A row that has moved may be another object.
    if (this.open) return this.dictionary.find(key)
    if (key === this.lastKey) return this.lastRow
    const row = this.dictionary.find(key)
    this.lastKey = key
    this.lastRow = row
    return row
  }

  private valueOf(row: Row): Value | undefined {
    return row.staged === NOT_STAGED ? row.value : this.values.at(row.staged)
  }

  private stage(row: Row, value: Value | undefined): void {
    this.keys.written(row, this.valueOf(row), value)
    if (row.staged === NOT_STAGED) {
      row.staged = this.rows.size
      this.rows.add(row)
      this.values.add(value)
      this.keys.keep()
    } else this.values.replace(row.staged, value)
  }
}

function assertRowKey(key: string): void {
  if (isBareKey(key)) throw new TypeError('a row under `<name>/.` is its key alone: add it to `bare`')
  assertBinary(key)
}
