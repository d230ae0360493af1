import type { SessionCodec } from '../../codec/session-codec.ts'
import type { StateReader } from '../../session/user-machine.ts'
import type { TablesRef } from '../define/tables-of.ts'
import { StateTableView, tablePlace } from './state-table.ts'

/** Tables by their names, to be read. */
export interface TableViewsByName {
  readonly [table: string]: StateTableView
}

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
    const views = Object.fromEntries(
      Object.entries(ref.schema.state).map(([name, table]) => {
        const place = tablePlace(this.codec, { machine: ref.machine, name, table })
        return [name, own?.[name] ?? new StateTableView(place, EMPTY)] as const
      }),
    )
    this.known.set(ref, { own, views })
    return views
  }
}

const NO_ROWS: StateReader = { get: () => undefined, has: () => false, range: () => [], count: () => 0 }
const EMPTY = { reader: (): StateReader => NO_ROWS }
