import type { StateStore } from '../../session/user-machine.ts'
import { fieldsText, type IndexPlace, indexesPrefix } from './index-place.ts'
import type { TablePlace } from './state-table.ts'
import { prefixEnd } from './table-key.ts'

/** A table with an index of it. */
export interface IndexOfTable {
  readonly name: string
  readonly table: TablePlace
  readonly index: IndexPlace
}

/**
 * Makes the indexes of a machine those that its new version declares, a row a step (docs/decisions/secondary-indexes.md):
 * removes the rows of the others, and builds those that have no rows. It comes before the version's own migrations, which find
 * the indexes as they are declared, and keep them by what they write.
 */
export function* migrateIndexes(
  store: StateStore,
  machine: string,
  declared: readonly IndexOfTable[],
): Generator<void, void> {
  yield* removeOthers(store, machine, new Set(declared.map(({ index }) => index.prefix)))
  for (const { table, index } of declared) {
    const [known] = store.bare.range({ from: index.prefix, to: index.end, limit: 1 })
    if (known === undefined) yield* build(store, table, index)
  }
}

function* removeOthers(store: StateStore, machine: string, declared: ReadonlySet<string>): Generator<void, void> {
  const start = indexesPrefix(machine)
  const end = prefixEnd(start)
  for (let from = start; from < end; ) {
    const [key] = store.bare.range({ from, to: end, limit: 1 })
    if (key === undefined) return
    // `<table>/<fields>/`: no name in it has a slash.
    const prefix = key.slice(0, key.indexOf('/', key.indexOf('/', start.length) + 1) + 1)
    if (declared.has(prefix)) {
      from = prefixEnd(prefix)
      continue
    }
    store.bare.delete(key)
    from = `${key}\u0000`
    yield
  }
}

/** Rows of the version before may hold in a field what the new one does not: they are in the index once they are migrated. */
function* build(store: StateStore, table: TablePlace, index: IndexPlace): Generator<void, void> {
  for (let from = table.prefix; ; ) {
    const [found] = store.range({ from, to: table.end, limit: 1 })
    if (found === undefined) return
    const [key, row] = found
    const fields = fieldsText(index, row, true)
    if (fields !== null) store.bare.add(index.prefix + fields + key.slice(table.prefix.length))
    from = `${key}\u0000`
    yield
  }
}
