import { assert } from '../../base/assert.ts'
import type { Value } from '../../codec/value/value.ts'
import { decodeKey, encodeKey, greater, lesser, prefixEnd, tablePrefix, type KeyCodec } from './table-key.ts'
import { copyBytes, mayHoldBytes } from './row-bytes.ts'
import type { KeyPart, TableKey, TableSchema } from '../define/schema.ts'
import type { CallWindow, ReadWindow } from './call-window.ts'

/** Where a table lies and how its keys are written; made once per machine. */
export interface TablePlace {
  readonly codec: KeyCodec
  readonly prefix: string
  /** First key after the table. */
  readonly end: string
  /** Keys have one part and are not tuples. */
  readonly single: boolean
  /** Rows may hold bytes that are copied on the way in and out. */
  readonly bytes: boolean
}

/** Where a declared table lies. */
export function tablePlace(
  codec: KeyCodec,
  { machine, name, table }: { readonly machine: string; readonly name: string; readonly table: TableSchema },
): TablePlace {
  const { key, row, sharesBytes = false } = table
  const prefix = tablePrefix(machine, name)
  const single = key._zod.def.type !== 'tuple'
  return { codec, prefix, end: prefixEnd(prefix), single, bytes: !sharesBytes && mayHoldBytes(row) }
}

interface AnyBounds {
  readonly prefix?: TableKey
  readonly from?: TableKey
  readonly to?: TableKey
}

/**
 * A table read through a window. PERF: get and has cost one key encoding, one concatenation and the store's lookup; rows
 * are shared, not copied, but for the bytes in them.
 */
export class StateTableView {
  protected readonly place: TablePlace
  private readonly window: ReadWindow
  private lastKey: KeyPart | null = null
  private lastEncoded = ''

  constructor(place: TablePlace, window: ReadWindow) {
    this.place = place
    this.window = window
  }

  get(key: TableKey): Value | undefined {
    const row = this.window.reader().get(this.keyOf(key))
    return this.place.bytes && row !== undefined ? copyBytes(row) : row
  }

  has(key: TableKey): boolean {
    return this.window.reader().has(this.keyOf(key))
  }

  count(bounds: AnyBounds = {}): number {
    const { from, to } = this.boundsOf(bounds)
    return from < to ? this.window.reader().count({ from, to }) : 0
  }

  range(bounds: AnyBounds & { readonly limit: number; readonly reverse?: boolean }): (readonly [TableKey, Value])[] {
    const { limit, reverse = false } = bounds
    assert(Number.isSafeInteger(limit) && limit > 0, 'range needs a limit of at least 1', { limit })
    const { from, to } = this.boundsOf(bounds)
    if (from >= to) return []
    const { codec, prefix, single, bytes } = this.place
    const rows = this.window.reader().range({ from, to, limit, reverse })
    return rows.map(([key, row]) => {
      return [decodeKey(codec, key.slice(prefix.length), single), bytes ? copyBytes(row) : row] as const
    })
  }

  /** PERF: a row at a time, so that no step costs more than one, and a row that is written further on is seen. */
  *each(bounds: AnyBounds = {}): Generator<readonly [TableKey, Value], void> {
    const { codec, prefix, single, bytes } = this.place
    const { from, to } = this.boundsOf(bounds)
    for (let next = from; next < to; ) {
      const [found] = this.window.reader().range({ from: next, to, limit: 1, reverse: false })
      if (found === undefined) return
      const [key, row] = found
      yield [decodeKey(codec, key.slice(prefix.length), single), bytes ? copyBytes(row) : row]
      // The first key behind it in byte order.
      next = `${key}\u0000`
    }
  }

  /** PERF: most rows are read and then written, so the last key is kept with its text. */
  protected keyOf(key: TableKey): string {
    const { codec, prefix } = this.place
    if (typeof key === 'object') return prefix + encodeKey(codec, key)
    if (key !== this.lastKey) {
      this.lastEncoded = prefix + codec.keyPart(key)
      this.lastKey = key
    }
    return this.lastEncoded
  }

  /** Tightest of the table's own bounds, the prefix's and the given ones. */
  private boundsOf(bounds: AnyBounds): { readonly from: string; readonly to: string } {
    const { place } = this
    let from = place.prefix
    let to = place.end
    if (bounds.prefix !== undefined && !isEmpty(bounds.prefix)) {
      from = this.keyOf(bounds.prefix)
      to = prefixEnd(from)
    }
    if (bounds.from !== undefined) from = greater(from, this.keyOf(bounds.from))
    if (bounds.to !== undefined) to = lesser(to, this.keyOf(bounds.to))
    return { from, to }
  }
}

/** A table that a command may change. */
export class StateTable extends StateTableView {
  protected readonly call: CallWindow

  constructor(place: TablePlace, call: CallWindow) {
    super(place, call)
    this.call = call
  }

  set(key: TableKey, row: Value): void {
    this.call.writer().set(this.keyOf(key), this.place.bytes ? copyBytes(row) : row)
  }

  delete(key: TableKey): boolean {
    return this.call.writer().delete(this.keyOf(key))
  }
}

const isEmpty = (prefix: TableKey): prefix is readonly KeyPart[] => typeof prefix === 'object' && prefix.length === 0
