import { declaredIndexes } from '../define/indexes.ts'
import type { MachineSchema, TableSchema } from '../define/schema.ts'
import type { CallWindow, ReadWindow } from './call-window.ts'
import type { IndexOfTable } from './index-migration.ts'
import { indexPlace } from './index-place.ts'
import { IndexReader } from './index-reader.ts'
import { IndexedTable } from './indexed-table.ts'
import { StateTable, StateTableView, type TablePlace, tablePlace } from './state-table.ts'
import type { KeyCodec } from './table-key.ts'

/** A table without its types, as queries and other machines get it: its indexes stand beside what it does. */
export type AnyTableView = Pick<StateTableView, 'get' | 'has' | 'count' | 'range' | 'each'>
/** The same as handlers get it. */
export type AnyTable = AnyTableView & Pick<StateTable, 'set' | 'delete'>

/** Tables by their names, to be read. */
export interface TableViewsByName {
  readonly [table: string]: AnyTableView
}

/** A declared table with its indexes, as the kit finds them. */
export interface DeclaredTable {
  readonly name: string
  readonly place: TablePlace
  readonly indexes: readonly IndexOfTable[]
}

/** The tables of a machine, in the order of their names. */
export function declaredTables(
  codec: KeyCodec,
  machine: string,
  state: MachineSchema['state'],
): readonly DeclaredTable[] {
  return Object.keys(state)
    .sort()
    .map((name) => {
      // Object.keys gave the name.
      const table = state[name] as TableSchema
      const place = tablePlace(codec, { machine, name, table })
      const indexes = declaredIndexes(machine, name, table).map((index) => {
        return { table: place, index: indexPlace(codec, { machine, table: name, index }), name: index.name }
      })
      return { name, place, indexes }
    })
}

/** The tables to read through a window. */
export function viewsOf(tables: readonly DeclaredTable[], window: ReadWindow): TableViewsByName {
  return Object.fromEntries(
    tables.map(({ name, place, indexes }) => {
      const view = new StateTableView(place, window)
      return [name, indexes.length === 0 ? view : { ...reads(view), ...indexViews(indexes, window) }]
    }),
  )
}

/** The tables to change through the window of calls. */
export function tablesIn(tables: readonly DeclaredTable[], window: CallWindow): { readonly [table: string]: AnyTable } {
  return Object.fromEntries(
    tables.map(({ name, place, indexes }) => {
      if (indexes.length === 0) return [name, new StateTable(place, window)]
      const places = indexes.map(({ index }) => index)
      const table = new IndexedTable(place, places, window)
      const writes: Pick<AnyTable, 'set' | 'delete'> = {
        set: (key, row) => table.set(key, row),
        delete: (key) => table.delete(key),
      }
      return [name, { ...reads(table), ...writes, ...indexViews(indexes, window) }]
    }),
  )
}

/** By itself the table has members of its own that an index may be named after. */
function reads(table: StateTableView): AnyTableView {
  return {
    get: (key) => table.get(key),
    has: (key) => table.has(key),
    count: (bounds) => table.count(bounds),
    range: (bounds) => table.range(bounds),
    each: (bounds) => table.each(bounds),
  }
}

function indexViews(indexes: readonly IndexOfTable[], window: ReadWindow): { readonly [index: string]: IndexReader } {
  return Object.fromEntries(
    indexes.map(({ table, index, name }) => [name, new IndexReader(table, index, window)] as const),
  )
}
