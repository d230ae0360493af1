import type { Millis } from '../../base/brand.ts'
import type { Dictionary } from '../rows/dictionary.ts'
import { FAMILY, type RowKeys } from '../rows/row-keys.ts'

export type AlertRow = {
  readonly kind: string
  readonly count: number
  readonly lastAt: Millis
  readonly lastIndex: number
}

/** Counters of alerts by kind. Kinds are few: they are written in code. */
export class Alerts {
  private readonly dictionary: Dictionary
  private readonly keys: RowKeys

  constructor(dictionary: Dictionary, keys: RowKeys) {
    this.dictionary = dictionary
    this.keys = keys
  }

  count(kind: string): number {
    return (this.dictionary.get(this.keys.row(FAMILY.alert, kind)) as AlertRow | undefined)?.count ?? 0
  }

  raise(kind: string, at: { index: number; now: Millis }): void {
    const row: AlertRow = { kind, count: this.count(kind) + 1, lastAt: at.now, lastIndex: at.index }
    this.dictionary.set(this.keys.row(FAMILY.alert, kind), row)
  }
}
