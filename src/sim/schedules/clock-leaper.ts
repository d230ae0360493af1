import type { Random } from '../../base/random.ts'
import type { Scheduler } from '../world/scheduler.ts'

const MILLISECOND = 1000
/** Between two leaps, microseconds. */
const EVERY = [60 * MILLISECOND, 900 * MILLISECOND] as const
/** Chance of a leap many times as long. */
const LONG = 0.08
const LONGER = 12
/** Clocks of two nodes are apart by less than this (`swarm.ts`), ms. */
const APART_MS = 1_300_000

/**
 * The clocks on all walls go forward by leaps, as those of machines do that were suspended: months of a calendar take some
 * seconds of a seed. Monotonic clocks do not see it.
 */
export class ClockLeaper {
  /** By how much they have gone forward, ms. */
  leaptMs: number
  leaps = 0
  private readonly random: Random
  private readonly scheduler: Scheduler
  private readonly leapMs: readonly [number, number]
  private readonly held: () => boolean
  private active = true

  constructor(parts: {
    readonly random: Random
    readonly scheduler: Scheduler
    readonly leapMs: readonly [number, number]
    /** Before the first leap. */
    readonly aheadMs: number
    /** No leap now: a session that is opened meanwhile is too late by it, again and again. */
    readonly held: () => boolean
  }) {
    this.random = parts.random
    this.scheduler = parts.scheduler
    this.leapMs = parts.leapMs
    this.leaptMs = parts.aheadMs
    this.held = parts.held
  }

  start(): void {
    const { random, scheduler, leapMs } = this
    scheduler.after(random.between(...EVERY), () => {
      if (!this.active) return
      this.start()
      if (this.held()) return
      this.leaptMs += random.between(...leapMs) * (random.chance(LONG) ? LONGER : 1)
      this.leaps += 1
    })
  }

  /** After a last leap: the log's clock stands still after a leader whose clock was ahead, until the others come to that. */
  stop(): void {
    this.active = false
    this.leaptMs += APART_MS
  }
}
