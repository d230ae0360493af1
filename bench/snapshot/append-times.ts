import type { LocalCluster } from '../../src/cli/cluster/local-cluster.ts'
import { leaderOf } from '../agreement.ts'
import { spread } from '../peers/spread.ts'

const LOOK_AGAIN_MS = 500

/** Looks at how long the leader's log takes for an append, as it says itself of its last 1,024. */
export class AppendTimes {
  private readonly cluster: LocalCluster
  private readonly timer: NodeJS.Timeout
  private seen: number[] = []

  constructor(cluster: LocalCluster) {
    this.cluster = cluster
    this.timer = setInterval(() => void this.look().catch(() => undefined), LOOK_AGAIN_MS)
  }

  /** Median of the p99, ms, since it was asked last. */
  async take(): Promise<number> {
    await this.look()
    const { median } = spread(this.seen)
    this.seen = []
    return median
  }

  stop(): void {
    clearInterval(this.timer)
  }

  private async look(): Promise<void> {
    this.seen.push((await leaderOf(this.cluster)).syncP99Ms)
  }
}
