import { performance } from 'node:perf_hooks'
import type { Lanes } from '../closed-loop.ts'
import { Latencies } from '../latencies.ts'

/** A closed loop over all lanes that goes on until it is told to end; its latencies are told stretch by stretch. */
export class WriteLoad {
  /** Answered well since the load began. */
  acknowledged = 0
  failures = 0
  private readonly lanes: Lanes
  private latencies = new Latencies()
  private milestones: { readonly at: number; readonly reached: () => void }[] = []
  private running = 0
  private ending = false
  private ended: () => void = () => undefined

  constructor(lanes: Lanes) {
    this.lanes = lanes
  }

  start(): void {
    this.running = this.lanes.count
    for (let lane = 0; lane < this.lanes.count; lane += 1) this.run(lane)
  }

  /** Resolves when so many writes have been acknowledged since the load began. */
  reached(count: number): Promise<void> {
    if (this.acknowledged >= count) return Promise.resolve()
    return new Promise((reached) => this.milestones.push({ at: count, reached }))
  }

  /** What was answered since it was called last; the writes under way count to the stretch in which they are answered. */
  take(): Latencies {
    const taken = this.latencies
    this.latencies = new Latencies()
    return taken
  }

  /** Sends nothing more; resolves when every lane has its answer. */
  end(): Promise<void> {
    this.ending = true
    if (this.running === 0) return Promise.resolve()
    return new Promise((resolve) => {
      this.ended = resolve
    })
  }

  private run(lane: number): void {
    const sentAt = performance.now()
    this.lanes.send(lane, (ok) => {
      if (ok) this.answered(performance.now() - sentAt)
      else this.failures += 1
      if (!this.ending) return this.run(lane)
      this.running -= 1
      if (this.running === 0) this.ended()
    })
  }

  private answered(milliseconds: number): void {
    this.latencies.record(milliseconds)
    this.acknowledged += 1
    if (!this.milestones.some(({ at }) => at <= this.acknowledged)) return
    const due = this.milestones.filter(({ at }) => at <= this.acknowledged)
    this.milestones = this.milestones.filter(({ at }) => at > this.acknowledged)
    for (const { reached } of due) reached()
  }
}
