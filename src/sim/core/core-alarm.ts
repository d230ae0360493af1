import type { Scheduler } from '../world/scheduler.ts'

const NEVER = Number.POSITIVE_INFINITY

/** One process's monotonic clock, which may be fast or slow, its one timer, and whether it takes anything in. */
export class CoreAlarm {
  private readonly scheduler: Scheduler
  private readonly rate: number
  private readonly ring: () => void
  /** True time, in microseconds, as all below. */
  private wakeAt = NEVER
  private ringsAt = NEVER
  private pausedUntil = 0
  private stopped = false

  /** `rate`: how many ms the clock goes in one. `ring`: the time that was set has come. */
  constructor(scheduler: Scheduler, rate: number, ring: () => void) {
    this.scheduler = scheduler
    this.rate = rate
    this.ring = ring
  }

  /** What the clock says, in ms. */
  now(): number {
    return (this.scheduler.now * this.rate) / 1000
  }

  /** Rings once when the clock says `local`, in ms, and not before; infinite: not at all. */
  set(local: number): void {
    this.wakeAt = local === NEVER ? NEVER : this.trueTime(local)
    if (this.wakeAt < this.ringsAt) this.ringAt(this.wakeAt)
  }

  /** The process takes nothing in for so many microseconds. */
  pause(micros: number): void {
    this.pausedUntil = this.scheduler.now + micros
  }

  /** The process is gone: nothing happens any more. */
  stop(): void {
    this.stopped = true
  }

  /** Does it after so many microseconds and once the process takes something in: at once, where that is now. */
  after(micros: number, act: () => void): void {
    const wait = Math.max(micros, this.pausedUntil - this.scheduler.now)
    if (wait <= 0) return act()
    this.scheduler.after(wait, () => {
      if (!this.stopped) this.after(0, act)
    })
  }

  /** PERF: a deadline that moves on leaves the timer where it is, which then looks again: one timer per process. */
  private ringAt(at: number): void {
    const { scheduler } = this
    this.ringsAt = at
    scheduler.after(Math.max(0, at - scheduler.now), () => {
      if (this.stopped || this.ringsAt !== at) return
      this.ringsAt = NEVER
      // What has arrived is stepped before a late tick.
      if (scheduler.now < this.pausedUntil) return this.ringAt(this.pausedUntil + 1)
      if (this.wakeAt <= scheduler.now) return this.ring()
      if (this.wakeAt !== NEVER) this.ringAt(this.wakeAt)
    })
  }

  /** The first microsecond at which the clock says so. */
  private trueTime(local: number): number {
    const at = Math.ceil((local * 1000) / this.rate)
    return (at * this.rate) / 1000 < local ? at + 1 : at
  }
}
