import { performance } from 'node:perf_hooks'
import { Latencies } from './latencies.ts'

/** Something that answers one request after another in each of its lanes. */
export interface Lanes {
  readonly count: number
  /** Sends one request in a lane; `done` is called once, with false when it failed. */
  send(lane: number, done: (ok: boolean) => void): void
}

export interface LoopResult {
  readonly commandsPerSecond: number
  readonly p50Ms: number
  readonly p99Ms: number
  /** Answered well, the warm-up's included. */
  readonly commands: number
  readonly failures: number
}

/**
 * Closed loop: each lane sends its next request when the one before is answered. What is answered in the warm-up is not
 * counted. Resolves when every lane has come to rest.
 */
export function closedLoop(lanes: Lanes, times: { warmUpMs: number; measureMs: number }): Promise<LoopResult> {
  return new Promise((resolve) => {
    const latencies = new Latencies()
    const measureFrom = performance.now() + times.warmUpMs
    const measureTo = measureFrom + times.measureMs
    let failures = 0
    let commands = 0
    let running = lanes.count
    const run = (lane: number): void => {
      const sentAt = performance.now()
      lanes.send(lane, (ok) => {
        const now = performance.now()
        if (!ok) failures += 1
        else commands += 1
        if (ok && now >= measureFrom && now < measureTo) latencies.record(now - sentAt)
        if (now < measureTo) {
          run(lane)
          return
        }
        running -= 1
        if (running > 0) return
        const commandsPerSecond = Math.round(latencies.count / (times.measureMs / 1000))
        const [p50Ms, p99Ms] = [latencies.percentileMs(50), latencies.percentileMs(99)]
        resolve({ commandsPerSecond, p50Ms, p99Ms, commands, failures })
      })
    }
    for (let lane = 0; lane < lanes.count; lane += 1) run(lane)
  })
}
