import type { Random } from '../../base/random.ts'
import type { Scheduler } from '../world/scheduler.ts'
import type { SimulatedNetwork } from '../world/simulated-network.ts'
import type { SimulatedNode } from '../world/simulated-node.ts'

const MILLISECOND = 1000
/** Between two of one kind, microseconds: about as often as an election timeout passes, or ten times as rarely. */
const EVERY = [300 * MILLISECOND, 1000 * MILLISECOND, 3000 * MILLISECOND] as const
/** How long a disk hangs, microseconds: from well below the watchdog's bound of 650 ms to far above it. */
const HANG = [100 * MILLISECOND, 2500 * MILLISECOND] as const
/** Within that a peer hears that a process is gone, microseconds: before or after what was under way from it. */
const RESET_MAX = 5 * MILLISECOND

/**
 * Moves the leader's office about, in one seed of two with more than one node: any node is told to hand over, to whomever;
 * peers of a process that is gone hear of it at once, and some hear so of one that lives; disks hang.
 */
export class OfficeShaker {
  private readonly random: Random
  private readonly scheduler: Scheduler
  private readonly network: SimulatedNetwork
  private readonly nodes: readonly SimulatedNode[]
  /** Ends the hanging of each disk that hangs. */
  private readonly hanging = new Map<SimulatedNode['disk'], () => void>()
  private active = true

  constructor(parts: {
    random: Random
    scheduler: Scheduler
    network: SimulatedNetwork
    nodes: readonly SimulatedNode[]
  }) {
    this.random = parts.random
    this.scheduler = parts.scheduler
    this.network = parts.network
    this.nodes = parts.nodes
  }

  start(): void {
    const { random, network, nodes } = this
    if (nodes.length === 1 || !random.chance(0.5)) return
    network.tellsOfGone = () => (random.chance(0.8) ? random.below(RESET_MAX) : null)
    if (random.chance(0.7)) this.every(random.pick(EVERY), () => this.transfer())
    if (random.chance(0.4)) this.every(random.pick(EVERY), () => this.falseReset())
    if (random.chance(0.3)) this.every(2 * random.pick(EVERY), () => this.hang())
  }

  /** No more from now on, and no disk hangs any more: what comes after may set its weather. */
  stop(): void {
    this.active = false
    for (const end of [...this.hanging.values()]) end()
    this.network.tellsOfGone = () => null
  }

  private every(mean: number, strike: () => void): void {
    this.scheduler.after(this.random.between(Math.floor(mean / 4), mean * 2), () => {
      if (!this.active) return
      strike()
      this.every(mean, strike)
    })
  }

  /** Asked of any node: whoever does not lead refuses. */
  private transfer(): void {
    const { random, nodes } = this
    const to = random.chance(0.5) ? null : random.pick(nodes).id
    const everybody = random.chance(0.7) ? nodes : [random.pick(nodes)]
    for (const { driver } of everybody) driver?.transferLeadership(to, () => undefined)
  }

  private falseReset(): void {
    const { random, nodes } = this
    this.network.reset(random.pick(nodes).id, random.pick(nodes).id)
  }

  /** Every sync that begins meanwhile takes so long. One hang of a disk at a time: there is one weather to go back to. */
  private hang(): void {
    const { random, scheduler, nodes, hanging } = this
    const { disk } = random.pick(nodes)
    const { weather } = disk
    const [low, high] = HANG
    const stall = random.between(low, high)
    const lasts = random.between(MILLISECOND, stall)
    if (hanging.has(disk)) return
    disk.weather = { ...weather, stallChance: 1, stall }
    const end = (): void => {
      if (hanging.get(disk) !== end) return
      hanging.delete(disk)
      disk.weather = weather
    }
    hanging.set(disk, end)
    scheduler.after(lasts, end)
  }
}
