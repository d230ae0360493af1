import type { Random } from '../base/random.ts'
import type { Scheduler } from './world/scheduler.ts'
import type { SimulatedNode } from './world/simulated-node.ts'

const MILLISECOND = 1000

/**
 * Turns bits of logs, and makes snapshots unreadable, at restarts: one node's at a time, and no other one's until it owes
 * nothing any more, so that what it lost is on the disks of others (faults.md §1).
 */
export class DiskRot {
  private readonly random: Random
  private readonly scheduler: Scheduler
  private readonly nodes: readonly SimulatedNode[]
  private damaged: SimulatedNode | null = null
  private active = true

  constructor(parts: { random: Random; scheduler: Scheduler; nodes: readonly SimulatedNode[] }) {
    this.random = parts.random
    this.scheduler = parts.scheduler
    this.nodes = parts.nodes
  }

  start(): void {
    this.later(this.random.between(100, 2500), () => this.strike())
  }

  stop(): void {
    this.active = false
  }

  private strike(): void {
    if (this.owed()) return this.later(50, () => this.strike())
    const node = this.random.pick(this.nodes)
    this.damaged = node
    node.damage(this.random, this.random.chance(0.3))
    this.later(this.random.between(1, 1000), () => node.start())
    this.later(this.random.between(500, 3000), () => this.strike())
  }

  /** The node that was damaged last is down, or its log does not hold again what it may have acknowledged. */
  private owed(): boolean {
    return this.damaged !== null && this.damaged.driver?.raftState.obligation !== null
  }

  private later(milliseconds: number, run: () => void): void {
    this.scheduler.after(milliseconds * MILLISECOND, () => {
      if (this.active) run()
    })
  }
}
