import { createHistogram, type RecordableHistogram } from 'node:perf_hooks'

/** Latencies in a histogram of constant relative error (HDR), with a resolution of one microsecond. */
export class Latencies {
  private readonly histogram: RecordableHistogram = createHistogram({ figures: 3 })

  record(milliseconds: number): void {
    this.histogram.record(Math.max(1, Math.round(milliseconds * 1000)))
  }

  /** 0 when nothing was recorded. */
  percentileMs(percentile: number): number {
    return this.histogram.count === 0 ? 0 : Math.round(this.histogram.percentile(percentile)) / 1000
  }

  get count(): number {
    return this.histogram.count
  }
}
