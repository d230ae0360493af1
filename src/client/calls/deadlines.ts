import type { ClientClock } from '../connection/ports.ts'

/** What has a deadline: monotonic ms, or 0: none. */
export interface Timed {
  readonly deadlineAt: number
}

/** The deadlines of many calls with one timer, which is set to the earliest of them. */
export class Deadlines<Call extends Timed> {
  private readonly clock: ClientClock
  private readonly calls: () => Iterable<Call>
  private readonly expired: (call: Call) => void
  private armed: { at: number; timer: { cancel(): void } } | null = null

  /**
   * `calls`: those that wait now. `expired` hears of each whose deadline has passed, and clears it or ends the call; of several
   * at once, what the first one's caller did may have ended the next.
   */
  constructor(clock: ClientClock, calls: () => Iterable<Call>, expired: (call: Call) => void) {
    this.clock = clock
    this.calls = calls
    this.expired = expired
  }

  /** Tells of a deadline; 0: none. */
  watch(deadlineAt: number): void {
    if (deadlineAt === 0 || (this.armed !== null && this.armed.at <= deadlineAt)) return
    this.armed?.timer.cancel()
    const waitMs = Math.max(0, deadlineAt - this.clock.nowMs())
    this.armed = { at: deadlineAt, timer: this.clock.setTimer(waitMs, () => this.check()) }
  }

  /** No call waits any more. */
  stop(): void {
    this.armed?.timer.cancel()
    this.armed = null
  }

  private check(): void {
    this.armed = null
    const now = this.clock.nowMs()
    const expired = [...this.calls()].filter(({ deadlineAt }) => deadlineAt !== 0 && deadlineAt <= now)
    for (const call of expired) this.expired(call)
    // Only now, because whoever heard an end may have ended all of them, or asked for more.
    let next = 0
    for (const { deadlineAt } of this.calls())
      if (deadlineAt !== 0 && (next === 0 || deadlineAt < next)) next = deadlineAt
    this.watch(next)
  }
}
