import type { Clock, Timer } from '../../node/ports/clock.ts'
import type { Scheduler } from './scheduler.ts'

/** The start of simulated wall time, ms since the Unix epoch: a round number, the same in every run. */
export const WALL_START_MS = 1_700_000_000_000

/** How a node's clocks differ from true time. */
export interface ClockSkew {
  readonly ratePpm: number
  readonly wallOffsetMs: number
  /** By how much the clock on the wall has been put forward since, at any time. Absent: not at all. */
  leaptMs?(): number
}

/**
 * One process's clocks in a simulated world. Timers die with the process: a callback of a process that has crashed never
 * runs.
 */
export class SimulatedClock implements Clock {
  /** Clock rate in parts per million: 1,000,000 is true time. */
  private readonly ratePpm: number
  private readonly scheduler: Scheduler
  private readonly wallOffsetMs: number
  private readonly leaptMs: () => number
  private alive = true
  /** The process is at work until then, in microseconds of true time. */
  private busyUntil = 0

  constructor(scheduler: Scheduler, skew: ClockSkew) {
    this.scheduler = scheduler
    this.ratePpm = skew.ratePpm
    this.wallOffsetMs = skew.wallOffsetMs
    this.leaptMs = skew.leaptMs ?? (() => 0)
  }

  monotonicMs(): number {
    return Math.floor((Math.max(this.scheduler.now, this.busyUntil) * this.ratePpm) / 1_000_000) / 1000
  }

  wallMs(): number {
    return WALL_START_MS + this.wallOffsetMs + this.leaptMs() + Math.floor(this.monotonicMs())
  }

  setTimer(delayMs: number, callback: () => void): Timer {
    let armed = true
    const micros = Math.ceil((delayMs * 1000 * 1_000_000) / this.ratePpm)
    this.scheduler.after(this.busyFor() + micros, () => {
      if (armed && this.alive) callback()
    })
    return {
      cancel: () => {
        armed = false
      },
    }
  }

  defer(callback: () => void): void {
    this.scheduler.after(this.busyFor(), () => {
      if (this.alive) callback()
    })
  }

  /**
   * The process works for so long, µs of true time, where as a rule work takes none: its clock goes on, and what it defers
   * comes after it.
   */
  work(micros: number): void {
    this.busyUntil = this.scheduler.now + this.busyFor() + micros
  }

  private busyFor(): number {
    return Math.max(0, this.busyUntil - this.scheduler.now)
  }

  /** The process is gone. */
  stop(): void {
    this.alive = false
  }
}
