import type { Value } from '../codec/value/value.ts'

/** One row of a boundary: its value there, undefined where it was deleted. */
export interface DirtyRow {
  readonly key: string
  readonly value: Value | undefined
}

/**
 * What changed between two boundaries, in no particular order, each key once. Values are immutable: it may be read, and
 * again, long after later entries were applied.
 */
export interface DirtyRows extends Iterable<DirtyRow> {
  /** Rows of the whole state at the boundary. */
  readonly total: number
  /**
   * The same rows for whoever may not hold up the loop for long: a null is no row, but some work to find the next one. Absent:
   * each row is found at once.
   */
  steps?(): Iterable<DirtyRow | null>
}
