/** Recent durations kept for the percentiles: at 1,000 syncs a second, the last second. */
const SAMPLES = 1024

/** Durations of recent fdatasync calls, in ms (storage.md §2.8). */
export class SyncTimes {
  private readonly samples = new Float64Array(SAMPLES)
  private count = 0

  add(ms: number): void {
    this.samples[this.count % SAMPLES] = ms
    this.count += 1
  }

  /** The given quantile of [0, 1]; 0 without samples. Sorts: for status and metrics, not for the hot path. */
  quantile(fraction: number): number {
    const held = Math.min(this.count, SAMPLES)
    const sorted = this.samples.slice(0, held).sort()
    return sorted[Math.min(held - 1, Math.floor(held * fraction))] ?? 0
  }
}
