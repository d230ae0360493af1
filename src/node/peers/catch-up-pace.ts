import type { Millis } from '../../base/brand.ts'
import type { Clock } from '../ports/clock.ts'
import type { LogStats } from '../ports/log-store.ts'

/** While others write, what followers that are far behind are sent is this much a second, or a multiple of what is written. */
const BYTES_PER_SECOND = 8 * 1024 * 1024
const TIMES_WRITTEN = 2
/** Below this nobody is in the way: they get all that they can take. */
const WRITTEN_PER_SECOND_MIN = 256 * 1024
/** How often it is looked at how much is written, ms. */
const LOOK_MS = 250
/** Far below an election timeout, after which what is in flight counts as lost. */
const PAUSE_MS_MAX = 100

/**
 * When the next records may leave for followers that are far behind. A follower that applies as fast as it can takes a
 * processor, the disk and the network from those who write; at twice the rate at which is written it catches up in as long as
 * it was away.
 */
export class CatchUpPace {
  private readonly clock: Pick<Clock, 'monotonicMs'>
  private readonly stats: Pick<LogStats, 'bytes'>
  private looked: { readonly at: Millis; readonly bytes: number } | null = null
  private bytesPerMs = Number.POSITIVE_INFINITY
  /** Monotonic ms at which the next may leave. */
  private freeAt: Millis = Number.NEGATIVE_INFINITY

  constructor(clock: Pick<Clock, 'monotonicMs'>, stats: Pick<LogStats, 'bytes'>) {
    this.clock = clock
    this.stats = stats
  }

  /** So long the next must wait, ms; 0: it may leave. */
  pauseMs(): Millis {
    return Math.max(0, this.freeAt - this.clock.monotonicMs())
  }

  /** So many bytes of records have left. */
  sent(bytes: number): void {
    const now = this.clock.monotonicMs()
    this.look(now)
    this.freeAt = Math.min(now + PAUSE_MS_MAX, Math.max(now, this.freeAt) + bytes / this.bytesPerMs)
  }

  private look(now: Millis): void {
    const { looked, stats } = this
    if (looked !== null && now - looked.at < LOOK_MS) return
    this.looked = { at: now, bytes: stats.bytes }
    if (looked === null) return
    const written = ((stats.bytes - looked.bytes) * 1000) / (now - looked.at)
    const perSecond = Math.max(BYTES_PER_SECOND, TIMES_WRITTEN * written)
    this.bytesPerMs = written < WRITTEN_PER_SECOND_MIN ? Number.POSITIVE_INFINITY : perSecond / 1000
  }
}
