import { assert } from '../../base/assert.ts'
import type { Value } from '../../codec/value/value.ts'
import type { TableKey } from '../define/schema.ts'
import type { ReadWindow } from './call-window.ts'
import { fieldsText, type IndexPlace, prefixText, primaryAt } from './index-place.ts'
import { copyBytes } from './row-bytes.ts'
import type { TablePlace } from './state-table.ts'
import { decodeKey, encodeKey, greater, lesser, prefixEnd } from './table-key.ts'

interface AnyIndexBounds {
  readonly prefix?: readonly unknown[]
  readonly from?: readonly unknown[]
  readonly to?: readonly unknown[]
}

interface AnyPage {
  readonly limit: number
  readonly reverse?: boolean
  readonly after?: readonly [key: TableKey, fields: unknown] | undefined
}

/**
 * An index read through a window: its rows name the table's. PERF: a range of the index's keys, and one look-up in the table
 * for each row that is returned. A query in limbo is refused when either may change (LimboView).
 */
export class IndexReader {
  private readonly table: TablePlace
  private readonly place: IndexPlace
  private readonly window: ReadWindow

  constructor(table: TablePlace, place: IndexPlace, window: ReadWindow) {
    this.table = table
    this.place = place
    this.window = window
  }

  prefix(fields: readonly unknown[], page: AnyPage): (readonly [TableKey, Value])[] {
    return this.range({ ...page, prefix: fields })
  }

  range(bounds: AnyIndexBounds & AnyPage): (readonly [TableKey, Value])[] {
    const { limit, reverse = false } = bounds
    assert(Number.isSafeInteger(limit) && limit > 0, 'an index needs a limit of at least 1', {
      index: this.place.name,
      limit,
    })
    const { from, to } = this.pageOf(bounds)
    if (from >= to) return []
    const reader = this.window.reader()
    return reader.bare.range({ from, to, limit, reverse }).map((entry) => {
      const key = entry.slice(primaryAt(this.place, entry))
      const row = reader.get(this.table.prefix + key)
      if (row === undefined) assert(false, 'an index names a row that is not there', { index: this.place.name, key })
      return [this.keyOf(key), this.table.bytes ? copyBytes(row) : row] as const
    })
  }

  count(bounds: AnyIndexBounds = {}): number {
    const { from, to } = this.boundsOf(bounds)
    return from < to ? this.window.reader().bare.count({ from, to }) : 0
  }

  private keyOf(encoded: string): TableKey {
    const { codec, single } = this.table
    return decodeKey(codec, encoded, single)
  }

  private boundsOf(bounds: AnyIndexBounds): { readonly from: string; readonly to: string } {
    const { place } = this
    const at = (values: readonly unknown[]): string => place.prefix + prefixText(place, values)
    let from = place.prefix
    let to = place.end
    if (bounds.prefix !== undefined && bounds.prefix.length > 0) {
      from = at(bounds.prefix)
      to = prefixEnd(from)
    }
    if (bounds.from !== undefined) from = greater(from, at(bounds.from))
    if (bounds.to !== undefined) to = lesser(to, at(bounds.to))
    return { from, to }
  }

  /** The bounds, and behind the place of the last row of the page before. */
  private pageOf(bounds: AnyIndexBounds & AnyPage): { readonly from: string; readonly to: string } {
    const { from, to } = this.boundsOf(bounds)
    const { after, reverse = false } = bounds
    if (after === undefined) return { from, to }
    const { place, table } = this
    const [key, fields] = after
    const text = fieldsText(place, fields, false)
    if (text === null) assert(false, 'a page begins behind a row that is not in the index', { index: place.name })
    const last = place.prefix + text + encodeKey(table.codec, key)
    return reverse ? { from, to: lesser(to, last) } : { from: greater(from, `${last}\u0000`), to }
  }
}
