import type { Value } from '../../codec/value/value.ts'
import type { StateView } from '../rows/state-view.ts'
import type { LimboRows } from '../state-machine.ts'
import type { KeyReader, StateReader } from '../user-machine.ts'

interface Bounds {
  readonly from: string
  readonly to: string
  readonly limit: number
  readonly reverse?: boolean
}

/** Ends a query whose answer limbo may change; a machine may swallow it, so that it is noted besides. */
class TouchedError extends Error {
  override readonly name = 'TouchedError'
}

/** The rows as a query reads them while entries are in limbo: one that they may write ends it. */
export class LimboView implements StateReader {
  /** The query has asked for what entries of limbo may change. */
  touched = false
  readonly bare: KeyReader
  private readonly view: StateView
  private readonly limbo: LimboRows

  constructor(view: StateView, limbo: LimboRows) {
    this.view = view
    this.limbo = limbo
    this.bare = {
      range: (bounds) => {
        const keys = view.bare.range(bounds)
        this.look(bounds, keys.length, keys.at(-1))
        return keys
      },
      count: ({ from, to }) => {
        if (limbo.meets(from, to)) this.touch()
        return view.bare.count({ from, to })
      },
    }
  }

  get(key: string): Value | undefined {
    if (this.limbo.has(key)) this.touch()
    return this.view.get(key)
  }

  has(key: string): boolean {
    return this.get(key) !== undefined
  }

  range(bounds: Bounds): (readonly [string, Value])[] {
    const rows = this.view.range(bounds)
    this.look(bounds, rows.length, rows.at(-1)?.[0])
    return rows
  }

  count(bounds: { from: string; to: string }): number {
    if (this.limbo.meets(bounds.from, bounds.to)) this.touch()
    return this.view.count(bounds)
  }

  /** Of a range that found as many as it wanted, what lies behind the last one makes no difference. */
  private look({ from, to, limit, reverse = false }: Bounds, found: number, last: string | undefined): void {
    if (found >= limit && last === undefined) return
    const full = found >= limit && last !== undefined
    const met = this.limbo.meets(full && reverse ? last : from, full && !reverse ? `${last}\u0000` : to)
    if (met) this.touch()
  }

  touch(): never {
    this.touched = true
    throw new TouchedError('an entry that may be committed or not writes what this query reads')
  }
}
