import { performance } from 'node:perf_hooks'
import { type CpuMeter, perCommand } from './cpu.ts'
import { Latencies } from './latencies.ts'

/** The answers of one measurement after its warm-up: how many a second, how late each, and what they cost. */
export class Counted {
  readonly latencies = new Latencies()
  private readonly startMeter: () => CpuMeter
  private warmUp: number
  private meter: CpuMeter | null = null
  private startedAt = 0

  /** `warmUp`: answers that are not counted, at least 1; the clock and the meter start with the last of them. */
  constructor(warmUp: number, startMeter: () => CpuMeter) {
    this.warmUp = warmUp
    this.startMeter = startMeter
  }

  answered(milliseconds: number): void {
    if (this.meter !== null) {
      this.latencies.record(milliseconds)
      return
    }
    this.warmUp -= 1
    if (this.warmUp === 0) this.start()
  }

  /** Up to now. */
  result(): { commandsPerSecond: number; cpuMicrosPerCommand: number | null; latencies: Latencies } {
    const { latencies, meter } = this
    const seconds = (performance.now() - this.startedAt) / 1000
    return {
      commandsPerSecond: Math.round(latencies.count / seconds),
      cpuMicrosPerCommand: perCommand(meter?.microsSince() ?? null, latencies.count),
      latencies,
    }
  }

  private start(): void {
    this.meter = this.startMeter()
    this.startedAt = performance.now()
  }
}
