import type { Millis } from '../../base/brand.ts'
import type { Value } from '../../codec/value/value.ts'
import type { RowWatch } from '../rows/row-watches.ts'
import type { StateView } from '../rows/state-view.ts'
import type { Position } from '../run/underway.ts'
import type { KeyReader, QueryView, SessionInfo, StateReader } from '../user-machine.ts'

/** What of the window of a query is not read from rows. */
interface Asked {
  readonly seen: Position
  readonly session: SessionInfo | null
  activeVersion(machine: string): number
}

/** The window of a query that is watched: all that it reads is noted. An entry that changes versions touches every watch. */
export class WatchedView implements QueryView {
  readonly state: WatchedRows
  private readonly asked: Asked
  private readonly watch: RowWatch

  constructor(view: StateView, watch: RowWatch, asked: Asked) {
    this.state = new WatchedRows(view, watch)
    this.asked = asked
    this.watch = watch
  }

  get session(): SessionInfo | null {
    this.watch.readSession()
    return this.asked.session
  }

  get now(): Millis {
    this.watch.readClock()
    return this.asked.seen.now
  }

  get index(): number {
    this.watch.readClock()
    return this.asked.seen.index
  }

  activeVersion(machine: string): number {
    return this.asked.activeVersion(machine)
  }
}

interface Bounds {
  readonly from: string
  readonly to: string
  readonly limit: number
  readonly reverse?: boolean
}

class WatchedRows implements StateReader {
  readonly bare: KeyReader
  private readonly view: StateView
  private readonly watch: RowWatch

  constructor(view: StateView, watch: RowWatch) {
    this.view = view
    this.watch = watch
    this.bare = {
      range: (bounds) => {
        const keys = view.bare.range(bounds)
        this.note(bounds, keys.length, keys.at(-1))
        return keys
      },
      count: (bounds) => {
        watch.readRange(bounds.from, bounds.to)
        return view.bare.count(bounds)
      },
    }
  }

  get(key: string): Value | undefined {
    this.watch.read(key)
    return this.view.get(key)
  }

  has(key: string): boolean {
    return this.get(key) !== undefined
  }

  range(bounds: Bounds): (readonly [string, Value])[] {
    const rows = this.view.range(bounds)
    this.note(bounds, rows.length, rows.at(-1)?.[0])
    return rows
  }

  /** Of a range that found as many as it wanted, what lies behind the last one makes no difference. */
  private note({ from, to, limit, reverse = false }: Bounds, found: number, last: string | undefined): void {
    if (found < limit) this.watch.readRange(from, to)
    else if (last !== undefined) this.watch.readRange(reverse ? last : from, reverse ? to : `${last}\u0000`)
  }

  count(bounds: { from: string; to: string }): number {
    this.watch.readRange(bounds.from, bounds.to)
    return this.view.count(bounds)
  }
}
