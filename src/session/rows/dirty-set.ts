import type { ChangedRow } from './bare-keys.ts'
import { type RowKeys, USER_PREFIX } from './row-keys.ts'
import type { SessionPage } from '../clients/session-page.ts'
import type { DirtyRow, DirtyRows } from '../dirty-rows.ts'

/** What a swap took out: nothing of it is changed any more, so its rows can be read long after later entries. */
export class DirtySet implements DirtyRows {
  readonly total: number
  private readonly meta: DirtyRow
  private readonly rows: Iterable<ChangedRow | null>
  private readonly user: Iterable<ChangedRow | null>
  private readonly pages: Iterable<SessionPage>
  private readonly keys: RowKeys
  private readonly swappedAt: number

  /** `user` are rows whose keys lack USER_PREFIX; `swappedAt` is the index of the boundary before this one. */
  constructor(parts: {
    total: number
    meta: DirtyRow
    rows: Iterable<ChangedRow | null>
    user: Iterable<ChangedRow | null>
    pages: Iterable<SessionPage>
    keys: RowKeys
    swappedAt: number
  }) {
    this.total = parts.total
    this.meta = parts.meta
    this.rows = parts.rows
    this.user = parts.user
    this.pages = parts.pages
    this.keys = parts.keys
    this.swappedAt = parts.swappedAt
  }

  *[Symbol.iterator](): Generator<DirtyRow> {
    for (const row of this.steps()) if (row !== null) yield row
  }

  *steps(): Generator<DirtyRow | null> {
    yield this.meta
    yield* this.rows
    for (const row of this.user) yield row === null ? null : { key: USER_PREFIX + row.key, value: row.value }
    for (const page of this.pages) yield* page.changes(this.keys, this.swappedAt)
  }
}
