import type { SessionCodec } from '../../codec/session-codec.ts'
import type { StateReader } from '../../session/user-machine.ts'
import type { TablesRef } from '../define/tables-of.ts'
import type { IndexReader } from './index-reader.ts'
import { type AnyTableView, declaredTables, type TableViewsByName, viewsOf } from './machine-tables.ts'

interface Found {
  readonly own: TableViewsByName | null
  readonly views: TableViewsByName
}

/**
 * What `ctx.read` gives for a reference. Tables of a machine that does not run, or runs at a version without them, are empty.
 * PERF: remembered per reference, so that a read is a look-up; the version that runs hardly ever changes.
 */
export class ForeignTables {
  private readonly codec: SessionCodec
  private readonly known = new WeakMap<TablesRef, Found>()

  constructor(codec: SessionCodec) {
    this.codec = codec
  }

  /** `own`: the tables of the machine as it runs, through the window of the asker; null when none runs. */
  of(ref: TablesRef, own: TableViewsByName | null): TableViewsByName {
    const known = this.known.get(ref)
    if (known !== undefined && known.own === own) return known.views
    const empty = viewsOf(declaredTables(this.codec, ref.machine, ref.schema.state), EMPTY)
    const views = Object.fromEntries(
      Object.entries(empty).map(([name, view]) => {
        const table = own?.[name]
        return [name, table === undefined ? view : withLacking(table, view, `${ref.machine}.${name}`)] as const
      }),
    )
    this.known.set(ref, { own, views })
    return views
  }
}

/** Why a handler cannot read an index of another machine: the version of it that runs does not have it. */
class IndexMissing extends Error {
  override readonly name = 'IndexMissing'
  /** `machine.table.index`. */
  readonly index: string
  constructor(index: string) {
    super(`the index ${index} is not there: the version of that machine which the log runs does not declare it`)
    this.index = index
  }
}

/** The table as it runs, where each index that it lacks and the reader's reference declares says so. */
function withLacking(table: AnyTableView, declared: AnyTableView, name: string): AnyTableView {
  const lacking = Object.keys(declared).filter((member) => !(member in table) && !TABLE_MEMBERS.has(member))
  if (lacking.length === 0) return table
  const views = lacking.map((index) => [index, lackingIndex(`${name}.${index}`)] as const)
  return Object.assign(Object.create(table) as AnyTableView, Object.fromEntries(views))
}

function lackingIndex(name: string): Pick<IndexReader, 'prefix' | 'range' | 'count'> {
  const missing = (): never => {
    throw new IndexMissing(name)
  }
  return { prefix: missing, range: missing, count: missing }
}

/** Fields of a table without indexes are its own object's. */
const TABLE_MEMBERS: ReadonlySet<string> = new Set(['place', 'window', 'get', 'has', 'count', 'range', 'each'])

const NO_ROWS: StateReader = {
  get: () => undefined,
  has: () => false,
  range: () => [],
  count: () => 0,
  bare: { range: () => [], count: () => 0 },
}
const EMPTY = { reader: (): StateReader => NO_ROWS }
