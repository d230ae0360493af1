import { assert } from '../../base/assert.ts'
import { BareKeys } from './bare-keys.ts'
import { Dictionary, Row } from './dictionary.ts'
import { KeyDifference, type KeyRange } from './key-difference.ts'
import { OrderedKeys } from './ordered-keys.ts'

/** Rows as transactions leave them that are only tried: what they write lies beside the state's, which stay as they are. */
export class OverlayRows extends Dictionary {
  /** Keys of rows that were written or deleted, also of those that are as before by now. */
  readonly written = new Set<string>()
  override readonly bare: OverlayKeys
  private readonly base: Dictionary
  /** Copies of the rows that were looked up, and rows that the state has not. */
  private readonly own = new Map<string, Row>()
  /** How the keys differ from the state's. */
  private readonly added = new OrderedKeys()
  private readonly removed = new OrderedKeys()
  private readonly removedKeys = new Set<string>()

  constructor(base: Dictionary) {
    super()
    this.base = base
    this.bare = new OverlayKeys(base.bare, this.written)
  }

  override find(key: string): Row | undefined {
    const own = this.own.get(key)
    if (own !== undefined) return own
    const there = this.removedKeys.has(key) ? undefined : this.base.find(key)
    if (there === undefined) return undefined
    const copy = new Row(key, there.value, this.generation, false)
    this.own.set(key, copy)
    return copy
  }

  override place(key: string): Row {
    const row = new Row(key, undefined, this.generation, false)
    this.own.set(key, row)
    return row
  }

  override forget(row: Row): void {
    this.own.delete(row.key)
  }

  override write(row: Row, value: NonNullable<Row['value']>): Row {
    const { key } = row
    this.written.add(key)
    if (row.value === undefined) {
      if (this.removedKeys.delete(key)) this.removed.delete(key)
      else this.added.add(key)
    }
    row.value = value
    return row
  }

  override remove(row: Row): void {
    const { key } = row
    this.written.add(key)
    this.own.delete(key)
    if (!this.base.has(key)) this.added.delete(key)
    else {
      this.removedKeys.add(key)
      this.removed.add(key)
    }
  }

  /** PERF: of the state as many keys are read as are wanted, and those that are gone. */
  override range(bounds: { from: string; to: string; limit: number; reverse: boolean }): string[] {
    const { from, to, limit, reverse } = bounds
    const own = this.added.range(bounds)
    const stored = this.base.range({ ...bounds, limit: limit + this.removed.count(from, to) })
    const keys = [...stored.filter((key) => !this.removedKeys.has(key)), ...own]
    if (own.length > 0) keys.sort((left, right) => (left < right === reverse ? 1 : -1))
    return keys.length > limit ? keys.slice(0, limit) : keys
  }

  override count(from: string, to: string): number {
    return this.base.count(from, to) + this.added.count(from, to) - this.removed.count(from, to)
  }
}

/** The same of rows that are their keys alone. */
class OverlayKeys extends BareKeys {
  private readonly base: BareKeys
  private readonly written: Set<string>
  private readonly difference = new KeyDifference()

  constructor(base: BareKeys, written: Set<string>) {
    super()
    this.base = base
    this.written = written
  }

  override add(key: string): void {
    this.written.add(key)
    this.difference.add(key)
  }

  override delete(key: string): void {
    const there = this.range({ from: key, to: `${key}\u0000`, limit: 1, reverse: false }).length > 0
    assert(there, 'a bare key that goes was there', { key })
    this.written.add(key)
    this.difference.delete(key)
  }

  override range(bounds: KeyRange): readonly string[] {
    return this.difference.range(this.base, bounds)
  }

  override count(from: string, to: string): number {
    return this.difference.count(this.base, from, to)
  }
}
