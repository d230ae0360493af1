import type { Value } from '../../codec/value/value.ts'
import type { Dictionary } from '../rows/dictionary.ts'
import { FAMILY, type RowKeys } from '../rows/row-keys.ts'

/** Audit rows kept per group; the oldest goes first. 10,000 rows of about 300 bytes are 3 MB. */
const AUDIT_ROWS_MAX = 10_000

/** Append-only records that survive a rejection, bounded. */
export class AuditLog {
  /** Sequence number of the next record and of the oldest kept one. */
  next = 1
  first = 1
  private readonly dictionary: Dictionary
  private readonly keys: RowKeys

  constructor(dictionary: Dictionary, keys: RowKeys) {
    this.dictionary = dictionary
    this.keys = keys
  }

  /** Appends a record that was walked already. */
  append(record: { index: number; now: number; record: Value }): void {
    this.dictionary.set(this.keys.row(FAMILY.audit, this.next), record)
    this.next += 1
    if (this.next - this.first <= AUDIT_ROWS_MAX) return
    this.dictionary.delete(this.keys.row(FAMILY.audit, this.first))
    this.first += 1
  }
}
