import type { Millis } from '../../base/brand.ts'
import type { SessionNumbers } from '../../codec/entry/payload.ts'
import type { Dictionary } from '../rows/dictionary.ts'
import { binaryString } from '../rows/binary-string.ts'
import { Retention } from './retention.ts'
import { FAMILY, type RowKeys } from '../rows/row-keys.ts'
import type { SessionEnd } from '../state-machine.ts'

/** What stays of a session that ended (sessions.md §4), so that no late copy opens it again. */
export type TombstoneRow = {
  readonly group: number
  readonly incarnation: number
  readonly index: number
  readonly secret: string
  /** `now` of its end. */
  readonly at: Millis
  readonly reason: 'expired' | 'closed'
  readonly until: Millis
  /** An operator has ended it, for this reason ('': none was said); absent: nobody did. */
  readonly note?: string
}

/** Tombstones by session and by secret. They count towards the session limit. */
export class Tombstones {
  private readonly byKey = new Map<string, TombstoneRow>()
  private readonly bySecret = new Map<string, TombstoneRow>()
  private readonly retention = new Retention(
    (key) => this.byKey.get(key)?.until ?? null,
    (key) => this.drop(key),
  )
  private readonly dictionary: Dictionary
  private readonly keys: RowKeys

  constructor(dictionary: Dictionary, keys: RowKeys) {
    this.dictionary = dictionary
    this.keys = keys
  }

  get size(): number {
    return this.byKey.size
  }

  find(numbers: SessionNumbers): TombstoneRow | null {
    const row = this.byKey.get(this.keys.row(FAMILY.tombstone, numbers.index))
    return row !== undefined && row.incarnation === numbers.incarnation && row.group === numbers.group ? row : null
  }

  /** How a session ended, as an operator sees it. */
  endOf(numbers: SessionNumbers): SessionEnd | null {
    const row = this.find(numbers)
    if (row === null) return null
    const { at, reason, note } = row
    return note === undefined ? { at, reason } : { at, reason, note }
  }

  /** The same as its client sees it: without the note. Null for who has another secret. */
  endFor(numbers: SessionNumbers, secretHash: Uint8Array): SessionEnd | null {
    const row = this.find(numbers)
    return row === null || row.secret !== binaryString(secretHash) ? null : { at: row.at, reason: row.reason }
  }

  findBySecret(secret: string): TombstoneRow | null {
    return this.bySecret.get(secret) ?? null
  }

  add(row: TombstoneRow): void {
    const key = this.keys.row(FAMILY.tombstone, row.index)
    this.dictionary.set(key, row)
    this.restore(key, row)
  }

  restore(key: string, row: TombstoneRow): void {
    this.byKey.set(key, row)
    this.bySecret.set(row.secret, row)
    this.retention.add(key, row.until)
  }

  /** Removes at most SWEEP_MAX whose time `now` has passed. */
  sweep(now: Millis): void {
    this.retention.sweep(now)
  }

  private drop(key: string): void {
    const row = this.byKey.get(key)
    if (row === undefined) return
    this.byKey.delete(key)
    if (this.bySecret.get(row.secret) === row) this.bySecret.delete(row.secret)
    this.dictionary.delete(key)
  }
}
