import type { Millis } from '../../base/brand.ts'

/** Monotonic and wall time, and one-shot timers. The simulator's is virtual. */
export interface Clock {
  /** Monotonic milliseconds, may have a fraction, never decreases. */
  monotonicMs(): number
  /** Wall clock, integer ms since the Unix epoch; may jump. */
  wallMs(): Millis
  /** Calls back once after `delayMs` ≥ 0. */
  setTimer(delayMs: number, callback: () => void): Timer
  /** Calls back soon, after the events that are already there (one batch per event-loop turn). */
  defer(callback: () => void): void
}

export interface Timer {
  cancel(): void
}
