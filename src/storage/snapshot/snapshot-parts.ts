import { compareKeys } from '../../codec/rows/key.ts'
import { type KeyedBytes, packRows, unpackRows } from '../../codec/rows/packed-rows.ts'
import type { SnapshotPart, SnapshotSlice } from '../../node/ports/snapshot-store.ts'

/** Rows of a part at most: with `bytesMax` of 256 KiB a few milliseconds of work. */
export const PART_ROWS_MAX = 1024

/** A part of these rows. */
export function partOf(rows: readonly KeyedBytes[]): SnapshotPart {
  return { rows: rows.length, bytes: packRows(rows), lastKey: rows.at(-1)?.key ?? null }
}

/**
 * Counts the rows of a snapshot as its slices come: they must rise in key order and hold no deletion, else a row may be
 * missing where another one is twice.
 */
export class RowCount {
  count = 0
  /** Every slice so far went on from the one before. */
  rising = true
  private last: string | null = null

  add({ bytes, rows }: SnapshotSlice): void {
    let found = 0
    for (const { key, value } of unpackRows(bytes)) {
      if (value === null || (this.last !== null && compareKeys(this.last, key) >= 0)) this.rising = false
      this.last = key
      found += 1
    }
    if (found !== rows) this.rising = false
    this.count += found
  }
}
