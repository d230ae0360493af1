import type { Clock, Timer } from './ports/clock.ts'

/** The process's own clocks and timers. */
export const systemClock: Clock = {
  monotonicMs: () => performance.now(),
  wallMs: () => Date.now(),
  setTimer: (delayMs, callback): Timer => {
    const timer = setTimeout(callback, delayMs)
    return { cancel: () => clearTimeout(timer) }
  },
  // After the poll phase: everything that has arrived from sockets in this turn becomes one batch.
  defer: (callback) => {
    setImmediate(callback)
  },
}
