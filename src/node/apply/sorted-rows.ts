import { compareKeys } from '../../codec/rows/key.ts'
import { Heap } from '../../base/heap.ts'
import type { DirtyRow } from '../../session/dirty-rows.ts'

/** Rows sorted at a time: about 2 ms. */
export const RUN_ROWS = 4096

/** Rows that a step without one counts for. */
const STEP_ROWS = 256

interface Run {
  readonly rows: readonly DirtyRow[]
  at: number
  /** Key of the row at `at`. */
  head: string
}

/**
 * Rows in byte order of their keys, found in pieces of bounded work: sorting a million at once stops the loop for a second
 * (storage.md §4). First `sortNext` until it says false, then `next` until it has none.
 */
export class SortedRows {
  private readonly unsorted: Iterator<DirtyRow | null>
  private readonly runs = new Heap<Run>((left, right) => left.head < right.head)

  constructor(rows: Iterable<DirtyRow | null>) {
    this.unsorted = rows[Symbol.iterator]()
  }

  /** Sorts the next run of rows; false when there are no more. A step without a row is work like one of them. */
  sortNext(): boolean {
    const rows: DirtyRow[] = []
    let steps = 0
    while (rows.length + steps * STEP_ROWS < RUN_ROWS) {
      const next = this.unsorted.next()
      if (next.done === true) break
      if (next.value === null) steps += 1
      else rows.push(next.value)
    }
    const [first] = rows.sort((left, right) => compareKeys(left.key, right.key))
    if (first !== undefined) this.runs.push({ rows, at: 0, head: first.key })
    return rows.length + steps * STEP_ROWS >= RUN_ROWS
  }

  /** The row with the smallest key that was not yet given, or undefined. PERF: O(log runs) comparisons. */
  next(): DirtyRow | undefined {
    const run = this.runs.pop()
    if (run === undefined) return undefined
    const row = run.rows[run.at]
    run.at += 1
    const following = run.rows[run.at]
    if (following !== undefined) {
      run.head = following.key
      this.runs.push(run)
    }
    return row
  }
}
