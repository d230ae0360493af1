import type { Value } from '../../codec/value/value.ts'
import { type Dictionary, NOT_STAGED, type Row } from './dictionary.ts'
import { type KeyRange, merged, remaining } from './key-difference.ts'
import { OrderedKeys } from './ordered-keys.ts'
import type { StagedList } from './staged-list.ts'

/** Rows up to which a transaction's keys are looked through for each range; of a longer one they are kept in order. */
const SCANNED_MAX = 64

/**
 * How the keys of a transaction differ from the dictionary's: by those of rows that it adds, and of stored rows that it takes
 * away.
 *
 * PERF: a transaction that asks for no range pays nothing. In a long one (a migration) a range costs the keys that it gives,
 * and those of stored rows in between that are gone, not all that was written before.
 */
export class StagedKeys {
  private readonly dictionary: Dictionary
  private readonly rows: StagedList<Row>
  private readonly values: StagedList<Value | undefined>
  /** The transaction has deleted something. */
  private deletes = false
  /** Null: the rows are looked through. */
  private kept: { readonly added: OrderedKeys; readonly gone: OrderedKeys } | null = null

  constructor(dictionary: Dictionary, rows: StagedList<Row>, values: StagedList<Value | undefined>) {
    this.dictionary = dictionary
    this.rows = rows
    this.values = values
  }

  /** Keys in [from, to) as the transaction has them, at most `limit`. */
  range(bounds: KeyRange): readonly string[] {
    const { rows } = this
    if (rows.size === 0) return this.dictionary.range(bounds)
    this.keep()
    const own = this.kept === null ? this.scanned(bounds) : this.kept.added.range(bounds)
    const stored = this.deletes ? this.storedIn(bounds) : this.dictionary.range(bounds)
    return own.length === 0 ? stored : merged(stored, own, bounds)
  }

  /** Rows that the transaction adds in [from, to), less those that it takes away there. */
  balance(from: string, to: string): number {
    const { rows } = this
    this.keep()
    if (this.kept !== null) return this.kept.added.count(from, to) - this.kept.gone.count(from, to)
    let balance = 0
    for (let at = 0; at < rows.size; at += 1) {
      const row = rows.at(at)
      if (row.key >= from && row.key < to) balance += this.change(row, this.values.at(at))
    }
    return balance
  }

  /** PERF: called for each write, so that it does nothing as long as the keys are not kept. */
  written(row: Row, before: Value | undefined, after: Value | undefined): void {
    if (after === undefined) this.deletes = true
    if (this.kept === null || (before === undefined) === (after === undefined)) return
    const { added, gone } = this.kept
    if (row.value === undefined) {
      if (after === undefined) added.delete(row.key)
      else added.add(row.key)
    } else if (after === undefined) gone.add(row.key)
    else gone.delete(row.key)
  }

  /** The dictionary takes over what was staged for the row: its key does not differ any more. */
  moving(row: Row, staged: Value | undefined): void {
    if (this.kept === null) return
    const change = this.change(row, staged)
    if (change > 0) this.kept.added.delete(row.key)
    if (change < 0) this.kept.gone.delete(row.key)
  }

  /** Keeps the keys in order from now on, if the transaction is a long one, or `always`. */
  keep(always = false): void {
    const { rows, values } = this
    if (this.kept !== null || (rows.size <= SCANNED_MAX && !always)) return
    this.kept = { added: new OrderedKeys(), gone: new OrderedKeys() }
    for (let at = 0; at < rows.size; at += 1) {
      const row = rows.at(at)
      this.written(row, row.value, values.at(at))
    }
  }

  clear(): void {
    this.deletes = false
    this.kept = null
  }

  /** 1: the row is added; −1: it is taken away; 0: it was there and stays, or was not and does not come. */
  private change(row: Row, staged: Value | undefined): -1 | 0 | 1 {
    if ((staged === undefined) === (row.value === undefined)) return 0
    return staged === undefined ? -1 : 1
  }

  private isGone(row: Row | undefined): boolean {
    return row !== undefined && row.staged !== NOT_STAGED && this.values.at(row.staged) === undefined
  }

  private storedIn(bounds: KeyRange): string[] {
    const { dictionary } = this
    return remaining(dictionary, bounds, (key) => this.isGone(dictionary.find(key)), this.rows.size)
  }

  /** Added keys, sorted: as many as there are. */
  private scanned({ from, to, reverse }: KeyRange): string[] {
    const { rows, values } = this
    const keys: string[] = []
    for (let at = 0; at < rows.size; at += 1) {
      const row = rows.at(at)
      if (row.key >= from && row.key < to && this.change(row, values.at(at)) > 0) keys.push(row.key)
    }
    if (keys.length > 1) keys.sort((left, right) => (left < right === reverse ? 1 : -1))
    return keys
  }
}
