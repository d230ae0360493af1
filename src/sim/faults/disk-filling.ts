import type { Random } from '../../base/random.ts'
import type { Scheduler } from '../world/scheduler.ts'
import type { SimulatedNode } from '../world/simulated-node.ts'

const MILLISECOND = 1000
/** Mean time between two disks that fill, microseconds. */
const EVERY = [300 * MILLISECOND, 1000 * MILLISECOND] as const

/**
 * Has disks fill, one or all at once, and empties them again: leaders refuse commands and serve on, by themselves both ways; a
 * node that needs what there is not stops, and comes back once it is there.
 */
export class DiskFilling {
  private readonly random: Random
  private readonly scheduler: Scheduler
  private readonly nodes: readonly SimulatedNode[]
  private readonly segmentBytes: number
  private active = true
  /** The processes whose disk had room again while they ran: what failed before that may be told after it. */
  private readonly relieved = new Map<SimulatedNode, number>()
  /** How often a disk was short of room. */
  fillings = 0
  /** Nodes that stopped for want of room, or did not come up, each time. */
  stops = 0

  constructor(parts: {
    random: Random
    scheduler: Scheduler
    nodes: readonly SimulatedNode[]
    segmentBytes: number
  }) {
    this.random = parts.random
    this.scheduler = parts.scheduler
    this.nodes = parts.nodes
    this.segmentBytes = parts.segmentBytes
  }

  start(): void {
    for (const node of this.nodes) node.refused = (fault) => this.refuses(node, fault)
    this.later(this.random.pick(EVERY))
  }

  /** All disks have room from now on, and whoever stopped for want of it runs again. */
  stop(): void {
    this.active = false
    for (const node of this.nodes) this.empty(node)
  }

  /** A node has stopped. False: nothing that happened here is why. */
  explains(id: SimulatedNode['id'], fault: { readonly code: string }): boolean {
    const node = this.nodes.find((each) => each.id === id)
    return node !== undefined && this.refuses(node, fault)
  }

  private refuses(node: SimulatedNode, { code }: { readonly code: string }): boolean {
    const full = node.disk.room.freeBytes !== null
    if (code !== 'DISK_FULL' || !(full || this.relieved.get(node) === node.process)) return false
    this.stops += 1
    // After the event that stopped it, of which others may be a part.
    this.scheduler.after(0, () => {
      node.crash(this.random.chance(0.5))
      if (node.disk.room.freeBytes === null) node.start()
    })
    return true
  }

  private later(mean: number): void {
    this.scheduler.after(this.random.between(mean / 4, mean * 2), () => {
      if (!this.active) return
      const filled = this.random.chance(0.3) ? this.nodes : [this.random.pick(this.nodes)]
      for (const node of filled) this.fill(node)
      this.later(mean)
    })
  }

  private fill(node: SimulatedNode): void {
    if (node.disk.room.freeBytes !== null) return
    node.disk.fill({ leave: this.random.between(0, 2 * this.segmentBytes), reserve: this.segmentBytes })
    this.fillings += 1
    this.scheduler.after(this.random.between(50, 1500) * MILLISECOND, () => this.empty(node))
  }

  private empty(node: SimulatedNode): void {
    if (node.disk.room.freeBytes === null) return
    node.disk.empty()
    if (node.running) this.relieved.set(node, node.process)
    node.start()
  }
}
