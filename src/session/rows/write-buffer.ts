import type { RunningHash } from '../../codec/value/running-hash.ts'
import type { SessionCodec } from '../../codec/session-codec.ts'
import type { Value } from '../../codec/value/value.ts'
import { type Dictionary, NOT_STAGED, type Row } from './dictionary.ts'
import { lowerBound } from './ordered-keys.ts'
import { USER_PREFIX } from './row-keys.ts'
import { StagedList } from './staged-list.ts'
import type { StateStore } from '../user-machine.ts'

/**
 * The overlay that a machine writes into (sessions.md §3, step 11). Each write is walked once, when it is made, straight
 * into the running hash; a rollback puts the hash back.
 *
 * PERF: the overlay has no hash table of its own. A row knows where its staged value is, so a read or write costs the
 * dictionary's one lookup, a write of the row read last none, and a commit none either.
 */
export class WriteBuffer implements StateStore {
  /** Rows written by the running transaction, in order of their first write, and what it wrote; undefined deletes. */
  private readonly rows = new StagedList<Row>()
  private readonly values = new StagedList<Value | undefined>()
  /** The key looked up last, and its row. */
  private lastKey: string | null = null
  private lastRow: Row | undefined
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
    if (known === undefined) assertBinary(key)
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
    const { from, to, limit, reverse = false } = bounds
    assertLimit(limit)
    const own = this.writtenIn(from, to)
    const stored = this.dictionary.range({ from, to, limit: limit + own.length, reverse })
    const keys = own.length === 0 ? stored : merge(stored, own, reverse)
    const rows: (readonly [string, Value])[] = []
    for (const key of keys) {
      if (rows.length >= limit) break
      const row = this.dictionary.find(key)
      const value = row === undefined ? undefined : this.valueOf(row)
      if (value !== undefined) rows.push([key, value])
    }
    return rows
  }

  count({ from, to }: { from: string; to: string }): number {
    let total = this.dictionary.count(from, to)
    for (let at = 0; at < this.rows.size; at += 1) {
      const row = this.rows.at(at)
      if (row.key >= from && row.key < to)
        total += (this.valueOf(row) === undefined ? 0 : 1) - (row.value === undefined ? 0 : 1)
    }
    return total
  }

  /** Rows that the running transaction would change, in order of their first write; undefined: no row. */
  changes(): { readonly key: string; readonly before: Value | undefined; readonly after: Value | undefined }[] {
    const { rows, values } = this
    return Array.from({ length: rows.size }, (_, at) => {
      const { key, value: before } = rows.at(at)
      return { key, before, after: values.at(at) }
    }).filter(({ before, after }) => before !== undefined || after !== undefined)
  }

  /** Moves the writes into the dictionary. */
  commit(): void {
    const { rows, values, dictionary } = this
    for (let at = 0; at < rows.size; at += 1) {
      const row = rows.at(at)
      const value = values.at(at)
      row.staged = NOT_STAGED
      if (value !== undefined) dictionary.write(row, value)
      else if (row.value !== undefined) dictionary.remove(row)
      else dictionary.forget(row)
    }
    this.clear()
  }

  rollback(): void {
    for (let at = 0; at < this.rows.size; at += 1) {
      const row = this.rows.at(at)
      row.staged = NOT_STAGED
      if (row.value === undefined) this.dictionary.forget(row)
    }
    this.clear()
  }

  private clear(): void {
    this.lastKey = null
    this.lastRow = undefined
    this.rows.clear()
    this.values.clear()
  }

  private find(key: string): Row | undefined {
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
    if (row.staged === NOT_STAGED) {
      row.staged = this.rows.size
      this.rows.add(row)
      this.values.add(value)
    } else this.values.replace(row.staged, value)
  }

  /** Keys written in [from, to), sorted. */
  private writtenIn(from: string, to: string): readonly string[] {
    const keys: string[] = []
    for (let at = 0; at < this.rows.size; at += 1) {
      const { key } = this.rows.at(at)
      if (key >= from && key < to) keys.push(key)
    }
    if (keys.length === 0) return NO_KEYS
    return keys.sort((a, b) => (a < b ? -1 : 1))
  }
}

const NO_KEYS: readonly string[] = []

/** Union of two key lists: `stored` in the wanted direction, `own` rising. */
function merge(stored: readonly string[], own: readonly string[], reverse: boolean): string[] {
  const rising = reverse ? [...stored].reverse() : [...stored]
  for (const key of own) {
    const at = lowerBound(rising, key)
    if (rising[at] !== key) rising.splice(at, 0, key)
  }
  return reverse ? rising.reverse() : rising
}

/** A range without a limit could walk a million rows in one entry. */
export function assertLimit(limit: number): void {
  if (!Number.isSafeInteger(limit) || limit < 0) throw new TypeError(`range needs a limit ≥ 0, not ${limit}`)
}

function assertBinary(key: string): void {
  for (let at = 0; at < key.length; at += 1) {
    if (key.charCodeAt(at) > 0xff) throw new TypeError('a state key is a binary string: build it from key parts')
  }
}
