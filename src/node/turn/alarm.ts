import type { Clock, Timer } from '../ports/clock.ts'

/** One timer for whatever is due next: set for an earlier time it is moved, for a later one it fires early and is set again. */
export class Alarm {
  private readonly clock: Clock
  private readonly ring: () => void
  private timer: Timer | null = null
  private at = Number.POSITIVE_INFINITY

  constructor(clock: Clock, ring: () => void) {
    this.clock = clock
    this.ring = ring
  }

  /**
   * Rings at `at` (monotonic ms) at the latest; infinite: nothing is due, and no timer is set (Node's would fire
   * after 1 ms).
   */
  set(at: number): void {
    if (at >= this.at || at === Number.POSITIVE_INFINITY) return
    this.timer?.cancel()
    this.at = at
    this.timer = this.clock.setTimer(Math.max(0, at - this.clock.monotonicMs()), () => {
      this.timer = null
      this.at = Number.POSITIVE_INFINITY
      this.ring()
    })
  }

  cancel(): void {
    this.timer?.cancel()
    this.timer = null
    this.at = Number.POSITIVE_INFINITY
  }
}
