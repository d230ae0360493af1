/**
 * The longest time without an acknowledged write, in ms, of a writer that sends one at every beat whether or not those before
 * are answered: what a user of a cluster sees of a failover, to the resolution of a beat.
 */
export class WriteGap {
  sent = 0
  acknowledged = 0
  /** Writes that ended otherwise than acknowledged. */
  failed = 0
  private lastAt = performance.now()
  private longestMs = 0

  /** Writes under way. */
  get waiting(): number {
    return this.sent - this.acknowledged - this.failed
  }

  /** A write was acknowledged. */
  answered(): void {
    const now = performance.now()
    this.longestMs = Math.max(this.longestMs, now - this.lastAt)
    this.lastAt = now
    this.acknowledged += 1
  }

  /** The longest gap from now on counts, that which began with the last acknowledgement included. */
  mark(): void {
    this.longestMs = 0
  }

  /** Since `mark`; null while nothing was acknowledged for `quietMs`: the gap is not over. */
  since(quietMs: number): number | null {
    return performance.now() - this.lastAt > quietMs ? null : this.longestMs
  }
}
