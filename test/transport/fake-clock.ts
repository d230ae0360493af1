import type { Clock, Timer } from '../../src/node/ports/clock.ts'

/** A clock that moves when told. */
export class FakeClock implements Clock {
  private time = 0
  private order = 0
  private timers: { at: number; order: number; callback: () => void }[] = []

  monotonicMs(): number {
    return this.time
  }

  wallMs(): number {
    return 1_700_000_000_000 + this.time
  }

  setTimer(delayMs: number, callback: () => void): Timer {
    const timer = { at: this.time + delayMs, order: this.order++, callback }
    this.timers.push(timer)
    return {
      cancel: () => {
        this.timers = this.timers.filter((other) => other !== timer)
      },
    }
  }

  defer(callback: () => void): void {
    this.setTimer(0, callback)
  }

  get pending(): number {
    return this.timers.length
  }

  /** Time passes and nothing runs: the process stood still. What was due fires with the next `advance`. */
  jump(ms: number): void {
    this.time += ms
  }

  /** Fires what is due within `ms`, in order. */
  advance(ms: number): void {
    const end = this.time + ms
    for (;;) {
      const next = [...this.timers].sort((left, right) => left.at - right.at || left.order - right.order)[0]
      if (next === undefined || next.at > end) break
      this.timers = this.timers.filter((other) => other !== next)
      this.time = Math.max(this.time, next.at)
      next.callback()
    }
    this.time = end
  }
}

/** The machine's own clock, for tests over real sockets. */
export const realClock: Clock = {
  monotonicMs: () => performance.now(),
  wallMs: () => Date.now(),
  setTimer: (delayMs, callback) => {
    const timer = setTimeout(callback, delayMs)
    return { cancel: () => clearTimeout(timer) }
  },
  defer: (callback) => void setImmediate(callback),
}
