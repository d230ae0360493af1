import { assert } from '../../base/assert.ts'

/** Something that happens at one moment of simulated time. */
export interface Scheduled {
  /** Integer microseconds since the start of the run. */
  readonly at: number
  /** Ties are broken by the order of scheduling. */
  readonly sequence: number
  run(): void
}

/** The one source of order in a simulated world: a heap of events by (time, sequence), integer microseconds (faults.md §1). */
export class Scheduler {
  /** Now, in microseconds. */
  now = 0
  private readonly heap: Scheduled[] = []
  private sequence = 0

  /** Runs `run` after `delay` microseconds ≥ 0, after everything that is already due then. */
  after(delay: number, run: () => void): void {
    assert(delay >= 0, 'simulated time never runs backwards', { delay })
    this.push({ at: this.now + Math.floor(delay), sequence: this.sequence, run })
    this.sequence += 1
  }

  /** Runs the next event; false when there is none. */
  next(): boolean {
    const event = this.pop()
    if (event === undefined) return false
    this.now = event.at
    event.run()
    return true
  }

  private push(event: Scheduled): void {
    const heap = this.heap
    let at = heap.length
    heap.push(event)
    while (at > 0) {
      const parent = (at - 1) >> 1
      const above = heap[parent]
      if (above === undefined || before(above, event)) break
      heap[at] = above
      at = parent
    }
    heap[at] = event
  }

  private pop(): Scheduled | undefined {
    const heap = this.heap
    const first = heap[0]
    const last = heap.pop()
    if (first === undefined || last === undefined || heap.length === 0) return first
    let at = 0
    for (;;) {
      const smaller = this.smallerChild(at)
      const child = heap[smaller]
      if (child === undefined || before(last, child)) break
      heap[at] = child
      at = smaller
    }
    heap[at] = last
    return first
  }

  private smallerChild(at: number): number {
    const left = this.heap[2 * at + 1]
    const right = this.heap[2 * at + 2]
    if (left === undefined) return Number.MAX_SAFE_INTEGER
    return right !== undefined && before(right, left) ? 2 * at + 2 : 2 * at + 1
  }
}

function before(left: Scheduled, right: Scheduled): boolean {
  return left.at < right.at || (left.at === right.at && left.sequence < right.sequence)
}
