import type { Operation } from '../history.ts'

/**
 * Invocations and completions of operations in their order, as a list from which operations are taken and put back, last taken
 * first, each in constant time. Entries are numbers: of operation `at` the invocation is `2 * at`, the completion `2 * at + 1`.
 */
export class EventList {
  /** Before the first entry, and after the last. */
  readonly end: number
  private readonly next: Int32Array
  private readonly previous: Int32Array
  private readonly completes: readonly boolean[]

  constructor(operations: readonly Operation[]) {
    this.end = operations.length * 2
    this.completes = operations.map(({ completed }) => Number.isFinite(completed))
    const placeOf = (entry: number): number => {
      const operation = operations[entry >> 1]
      return (entry & 1 ? operation?.completed : operation?.invoked) ?? 0
    }
    const entries = operations
      .flatMap((_, at) => (this.completes[at] === true ? [2 * at, 2 * at + 1] : [2 * at]))
      .sort((left, right) => placeOf(left) - placeOf(right))
    this.next = new Int32Array(this.end + 1)
    this.previous = new Int32Array(this.end + 1)
    let before = this.end
    for (const entry of [...entries, this.end]) {
      this.next[before] = entry
      this.previous[entry] = before
      before = entry
    }
  }

  /** The first entry, or `end`. */
  get first(): number {
    return this.next[this.end] ?? this.end
  }

  after(entry: number): number {
    return this.next[entry] ?? this.end
  }

  take(operation: number): void {
    this.unlink(2 * operation)
    if (this.completes[operation] === true) this.unlink(2 * operation + 1)
  }

  /** Of those that were taken the last. */
  putBack(operation: number): void {
    if (this.completes[operation] === true) this.link(2 * operation + 1)
    this.link(2 * operation)
  }

  private unlink(entry: number): void {
    const [before, after] = [this.previous[entry] ?? this.end, this.next[entry] ?? this.end]
    this.next[before] = after
    this.previous[after] = before
  }

  private link(entry: number): void {
    const [before, after] = [this.previous[entry] ?? this.end, this.next[entry] ?? this.end]
    this.next[before] = entry
    this.previous[after] = entry
  }
}
