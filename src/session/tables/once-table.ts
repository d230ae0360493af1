import type { Millis } from '../../base/brand.ts'
import { SpreadMap } from '../../base/spread-map.ts'
import type { Value } from '../../codec/value/value.ts'
import type { Dictionary } from '../rows/dictionary.ts'
import { Retention } from './retention.ts'
import { FAMILY, type RowKeys } from '../rows/row-keys.ts'
import { PIECE_ITEMS } from '../rows/staged-list.ts'

/** A result kept under an idempotency key that outlives sessions (sessions.md §8). */
export type OnceRow = {
  readonly fingerprint: string
  readonly value: Value
  readonly until: Millis
}

/** The table behind `ctx.once`, with what the running transaction staged. */
export class OnceTable {
  private readonly live = new SpreadMap<OnceRow>()
  private readonly staged = new Map<string, OnceRow>()
  private readonly retention = new Retention(
    (key) => this.live.get(key)?.until ?? null,
    (key) => this.drop(key),
  )
  private readonly dictionary: Dictionary
  private readonly keys: RowKeys

  constructor(dictionary: Dictionary, keys: RowKeys) {
    this.dictionary = dictionary
    this.keys = keys
  }

  key(scope: string, key: string): string {
    return this.keys.row(FAMILY.once, scope, key)
  }

  /** The result still kept at `now`, the transaction's own included. */
  find(key: string, now: Millis): OnceRow | null {
    const row = this.staged.get(key) ?? this.live.get(key)
    return row !== undefined && row.until > now ? row : null
  }

  stage(key: string, row: OnceRow): void {
    this.staged.set(key, row)
  }

  commit(): void {
    if (this.staged.size === 0) return
    for (const [key, row] of this.staged) {
      this.dictionary.set(key, row)
      this.restore(key, row)
    }
    this.staged.clear()
  }

  /** As `commit`, a piece at a time. */
  *settle(): Generator<void, void> {
    let moved = 0
    for (const [key, row] of this.staged) {
      if (moved % PIECE_ITEMS === 0) yield
      moved += 1
      this.dictionary.set(key, row)
      this.restore(key, row)
    }
    this.staged.clear()
  }

  rollback(): void {
    if (this.staged.size > 0) this.staged.clear()
  }

  restore(key: string, row: OnceRow): void {
    this.live.set(key, row)
    this.retention.add(key, row.until)
  }

  sweep(now: Millis): void {
    this.retention.sweep(now)
  }

  private drop(key: string): void {
    this.live.delete(key)
    this.dictionary.delete(key)
  }
}
