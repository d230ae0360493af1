import type { SessionCodec } from '../../codec/session-codec.ts'
import type { StateReader } from '../../session/user-machine.ts'
import type { TablesRef } from '../define/tables-of.ts'
import { declaredTables, type TableViewsByName, viewsOf } from './machine-tables.ts'

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
    const views = Object.fromEntries(Object.entries(empty).map(([name, view]) => [name, own?.[name] ?? view] as const))
    this.known.set(ref, { own, views })
    return views
  }
}

const NO_ROWS: StateReader = { get: () => undefined, has: () => false, range: () => [], count: () => 0 }
const EMPTY = { reader: (): StateReader => NO_ROWS }
