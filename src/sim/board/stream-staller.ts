import type { Random } from '../../base/random.ts'
import type { Scheduler } from '../world/scheduler.ts'
import type { SimulatedChannels } from '../world/simulated-channels.ts'

const MILLISECOND = 1000
/** Between two stalls, and how long one lasts, microseconds. */
const EVERY = [100 * MILLISECOND, 1000 * MILLISECOND] as const
const LASTS = [10 * MILLISECOND, 1500 * MILLISECOND] as const

/**
 * Clients that do not read for a while, in one seed of two: what is written to them stays unsent, subscriptions are held. It
 * is no fault of a cluster, and goes on while there is something to write.
 */
export class StreamStaller {
  private readonly random: Random
  private readonly scheduler: Scheduler
  private readonly channels: SimulatedChannels
  private active = true

  constructor(parts: { random: Random; scheduler: Scheduler; channels: SimulatedChannels }) {
    this.random = parts.random
    this.scheduler = parts.scheduler
    this.channels = parts.channels
  }

  start(): void {
    if (this.random.chance(0.5)) this.stallLater()
  }

  stop(): void {
    this.active = false
  }

  private stallLater(): void {
    const { random, scheduler, channels } = this
    scheduler.after(random.between(...EVERY), () => {
      if (!this.active) return
      const open = channels.clients
      if (open.length > 0) channels.stall(random.pick(open), random.between(...LASTS))
      this.stallLater()
    })
  }
}
