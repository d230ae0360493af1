import { compareKeys } from '../codec/key.ts'
import { Heap } from '../session/heap.ts'

/** Keys sorted at a time: about 2 ms. */
export const RUN_KEYS = 4096

interface Run {
  readonly keys: readonly string[]
  at: number
}

/**
 * The keys of a map in byte order, found in pieces of bounded work: sorting a million at once stops the loop for a second
 * (storage.md §4). First `sortNext` until it says false, then `next` until it has none.
 */
export class SortedKeys {
  private readonly unsorted: Iterator<string>
  private readonly runs = new Heap<Run>((left, right) => compareKeys(headOf(left), headOf(right)) < 0)

  constructor(keys: Iterable<string>) {
    this.unsorted = keys[Symbol.iterator]()
  }

  /** Sorts the next run of keys; false when there are no more. */
  sortNext(): boolean {
    const keys: string[] = []
    while (keys.length < RUN_KEYS) {
      const next = this.unsorted.next()
      if (next.done === true) break
      keys.push(next.value)
    }
    if (keys.length > 0) this.runs.push({ keys: keys.sort(compareKeys), at: 0 })
    return keys.length === RUN_KEYS
  }

  /** The smallest key that was not yet given, or undefined. PERF: O(log runs) comparisons. */
  next(): string | undefined {
    const run = this.runs.pop()
    if (run === undefined) return undefined
    const key = run.keys[run.at]
    run.at += 1
    if (run.at < run.keys.length) this.runs.push(run)
    return key
  }
}

function headOf(run: Run): string {
  return run.keys[run.at] ?? ''
}
