import type { Millis } from '../../base/brand.ts'
import { PagedList } from '../../base/paged-list.ts'
import { type DueTimer, OUTSIDE } from './due-timer.ts'

/**
 * A binary min-heap of timers by (due, key) that know where they are: one that is armed again moves, one that is cancelled
 * goes. So nothing stale piles up, and the first timer is the first.
 */
export class TimerHeap {
  private readonly timers = new PagedList<DueTimer>()

  get size(): number {
    return this.timers.length
  }

  /** The timer that is due first, or undefined. */
  peek(): DueTimer | undefined {
    return this.timers.length === 0 ? undefined : this.timers.at(0)
  }

  /** Puts a timer where its time says, whether it was in the heap or not. */
  place(timer: DueTimer, dueAt: Millis): void {
    const later = timer.position !== OUTSIDE && dueAt > timer.dueAt
    timer.dueAt = dueAt
    if (timer.position === OUTSIDE) {
      timer.position = this.timers.length
      this.timers.push(timer)
    }
    if (later) this.sink(timer)
    else this.rise(timer)
  }

  /** Takes a timer out. */
  remove(timer: DueTimer): void {
    const { timers } = this
    const { position } = timer
    const last = timers.pop()
    timer.position = OUTSIDE
    if (last === undefined || last === timer) return
    last.position = position
    timers.set(position, last)
    if (before(last, timer)) this.rise(last)
    else this.sink(last)
  }

  private rise(timer: DueTimer): void {
    const { timers } = this
    let at = timer.position
    while (at > 0) {
      const parent = (at - 1) >>> 1
      const above = timers.at(parent)
      if (!before(timer, above)) break
      timers.set(at, above)
      above.position = at
      at = parent
    }
    timers.set(at, timer)
    timer.position = at
  }

  private sink(timer: DueTimer): void {
    const { timers } = this
    const size = timers.length
    let at = timer.position
    for (;;) {
      let child = 2 * at + 1
      if (child >= size) break
      const right = child + 1
      if (right < size && before(timers.at(right), timers.at(child))) child = right
      const below = timers.at(child)
      if (!before(below, timer)) break
      timers.set(at, below)
      below.position = at
      at = child
    }
    timers.set(at, timer)
    timer.position = at
  }
}

function before(left: DueTimer, right: DueTimer): boolean {
  return left.dueAt < right.dueAt || (left.dueAt === right.dueAt && left.key < right.key)
}
