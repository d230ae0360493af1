import type { ClientClock } from './ports.ts'

/** What the watch needs, and who hears of it. */
export interface SilenceWatchOptions {
  readonly clock: ClientClock
  /** The leader is suspected after so long without a word, ms. */
  limitMs(): number
  /** Something was asked that only the leader can answer. */
  awaitsAnswer(): boolean
  /** Asks the node for a sign of life. */
  probe(): void
  /** The leader is silent: said at the limit and then every half of it, until it is heard. */
  onSilent(): void
}

/**
 * Notices a leader that says nothing while it owes an answer: its process is frozen, or the connection carries nothing any
 * more, and no error tells of either. A leader that is only slow (its disk, its log) answers the probe. While nothing is
 * asked, nothing is sent and no timer runs.
 *
 * PERF: a word or a message costs two comparisons; a probe is sent only after half the limit without a word.
 */
export class SilenceWatch {
  private readonly options: SilenceWatchOptions
  private timer: { cancel(): void } | null = null
  /** When the leader was last heard, or the first message after that was sent. */
  private since = 0
  /** Something was sent since the leader was last heard, or is still owed from before. */
  private owed = false
  private dueAt = 0
  private probed = false

  constructor(options: SilenceWatchOptions) {
    this.options = options
  }

  /** For how long nothing was heard, ms; 0 while nothing is awaited. */
  get silentMs(): number {
    return this.timer === null ? 0 : this.options.clock.nowMs() - this.since
  }

  /** A message went out. */
  sent(): void {
    if (this.owed) return
    this.owed = true
    this.since = this.options.clock.nowMs()
    if (this.timer === null) this.arm(this.options.limitMs() / 2)
  }

  /** Something came in. */
  heard(): void {
    this.owed = false
    if (this.timer === null) return
    this.since = this.options.clock.nowMs()
    this.probed = false
  }

  stop(): void {
    this.timer?.cancel()
    this.timer = null
    this.owed = false
    this.probed = false
  }

  private arm(delayMs: number): void {
    const { clock } = this.options
    // A remainder of nothing at all would not move a clock of fractions.
    const wait = Math.max(1, delayMs)
    this.dueAt = clock.nowMs() + wait
    this.timer = clock.setTimer(wait, () => this.check(), 'upkeep')
  }

  private check(): void {
    const { clock, awaitsAnswer, limitMs, onSilent, probe } = this.options
    const limit = limitMs()
    // A timer that is late says that this process stood still: what came meanwhile is read after this, and counts first.
    const late = Math.max(0, clock.nowMs() - this.dueAt)
    this.since = Math.min(this.since + late, clock.nowMs())
    const silent = clock.nowMs() - this.since
    if (silent < limit / 2) return this.arm(limit / 2 - silent)
    if (!this.probed && !awaitsAnswer()) return this.stop()
    // From before the last word, perhaps: what is sent from here on, the probe first, begins no new silence.
    this.owed = true
    if (silent < limit) this.arm(limit - silent)
    else this.arm(limit / 2)
    if (!this.probed) {
      this.probed = true
      probe()
    }
    if (silent >= limit) onSilent()
  }
}
