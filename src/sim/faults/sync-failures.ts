import type { Random } from '../../base/random.ts'
import { Violation } from '../checkers/violation.ts'
import type { Scheduler } from '../world/scheduler.ts'
import type { SimulatedNode } from '../world/simulated-node.ts'

const MILLISECOND = 1000
/** Mean time between two failures, microseconds. */
const EVERY = [400 * MILLISECOND, 1500 * MILLISECOND] as const

/** Between two looks at who runs on, microseconds. */
const WATCH = 200 * MILLISECOND

/**
 * Has syncs of disks fail: what they were to make durable stays readable and is never on disk, whatever is synced later, as
 * Linux has it. The node that asked must stop at once; its machine fails with it, and comes back after a while.
 */
export class SyncFailures {
  private readonly random: Random
  private readonly scheduler: Scheduler
  private readonly nodes: readonly SimulatedNode[]
  /** The processes that ran on after a failed sync, at the look before. */
  private readonly suspects = new Map<SimulatedNode, SimulatedNode['driver']>()
  private readonly stopped = new Set<SimulatedNode>()
  private active = true
  /** Nodes that stopped for a failed sync, each time. */
  stops = 0

  constructor(parts: { random: Random; scheduler: Scheduler; nodes: readonly SimulatedNode[] }) {
    this.random = parts.random
    this.scheduler = parts.scheduler
    this.nodes = parts.nodes
  }

  start(): void {
    this.later(this.random.pick(EVERY))
    this.watch()
  }

  /** No more from now on; whoever has stopped runs again. */
  stop(): void {
    this.active = false
    for (const { disk } of this.nodes) disk.failNextSync(false)
    for (const node of [...this.stopped]) this.comeBack(node)
  }

  /** A node has stopped. False: nothing that happened here is why. */
  explains(id: SimulatedNode['id']): boolean {
    const node = this.nodes.find((each) => each.id === id)
    if (node?.disk.syncFailed !== true) return false
    this.stopped.add(node)
    this.stops += 1
    // After the event that stopped it, of which others may be a part.
    this.scheduler.after(0, () => {
      if (this.stopped.has(node)) node.crash(true)
    })
    this.scheduler.after(this.random.between(1, 1500) * MILLISECOND, () => this.comeBack(node))
    return true
  }

  private comeBack(node: SimulatedNode): void {
    if (!this.stopped.delete(node)) return
    node.crash(true)
    node.start()
  }

  /** Who is told of a failed sync must stop: whoever runs on, from one look to the next, has taken it for done. */
  private watch(): void {
    this.scheduler.after(WATCH, () => {
      for (const node of this.nodes) {
        const runsOn = node.disk.syncFailed && !this.stopped.has(node) ? node.driver : null
        if (runsOn !== null && this.suspects.get(node) === runsOn)
          throw new Violation('a failed sync stops a node', { node: node.id })
        this.suspects.set(node, runsOn)
      }
      if (this.active) this.watch()
    })
  }

  private later(mean: number): void {
    this.scheduler.after(this.random.between(mean / 4, mean * 2), () => {
      if (!this.active) return
      const node = this.random.pick(this.nodes)
      // A process that opens its log would not come up; that is for tests of the log.
      if (node.driver !== null) node.disk.failNextSync(true)
      this.later(mean)
    })
  }
}
