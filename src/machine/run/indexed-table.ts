import type { Value } from '../../codec/value/value.ts'
import type { StateStore } from '../../session/user-machine.ts'
import type { TableKey } from '../define/schema.ts'
import type { CallWindow } from './call-window.ts'
import { fieldsText, type IndexPlace, sameFields } from './index-place.ts'
import { copyBytes } from './row-bytes.ts'
import { StateTable, type TablePlace } from './state-table.ts'

/**
 * A table that keeps indexes of its rows in the same write. PERF: where no indexed field changes, a write costs the look at
 * the row before and one comparison per field; where one does, a key that goes and a key that comes.
 */
export class IndexedTable extends StateTable {
  private readonly indexes: readonly IndexPlace[]
  /** Of each index, the fields of the row before and of the row after, during one `set`; PERF: no list per write. */
  private readonly before: (string | null)[] = []
  private readonly after: (string | null)[] = []

  constructor(place: TablePlace, indexes: readonly IndexPlace[], call: CallWindow) {
    super(place, call)
    this.indexes = indexes
  }

  override set(key: TableKey, row: Value): void {
    const store = this.call.writer()
    const at = this.keyOf(key)
    const before = store.get(at)
    const kept = this.place.bytes ? copyBytes(row) : row
    // All that may refuse the row comes first, so that a machine that swallows the error has written nothing.
    this.compare(before, kept)
    store.set(at, kept)
    this.write(store, at.slice(this.place.prefix.length))
  }

  override delete(key: TableKey): boolean {
    const store = this.call.writer()
    const at = this.keyOf(key)
    const before = store.get(at)
    if (before === undefined) return false
    this.compare(before, undefined)
    store.delete(at)
    this.write(store, at.slice(this.place.prefix.length))
    return true
  }

  private compare(before: Value | undefined, after: Value | undefined): void {
    for (let at = 0; at < this.indexes.length; at += 1) {
      const index = this.indexes[at] as IndexPlace
      const same = sameFields(index, before, after)
      this.before[at] = same ? null : fieldsText(index, before, true)
      this.after[at] = same ? null : fieldsText(index, after, false)
    }
  }

  private write(store: StateStore, primary: string): void {
    for (let at = 0; at < this.indexes.length; at += 1) {
      const { prefix } = this.indexes[at] as IndexPlace
      const before = this.before[at] ?? null
      const after = this.after[at] ?? null
      if (before === after) continue
      if (before !== null) store.bare.delete(prefix + before + primary)
      if (after !== null) store.bare.add(prefix + after + primary)
    }
  }
}
