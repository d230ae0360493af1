import { termAt } from '../../raft/index.ts'
import type { Random } from '../../base/random.ts'
import type { Scheduler } from '../world/scheduler.ts'
import type { SimulatedNode } from '../world/simulated-node.ts'

const MILLISECOND = 1000

/**
 * Turns bits of logs, and makes snapshots unreadable, at restarts: one node's at a time, or the logs of all nodes but the one
 * whose log is the longest on disk, which has all that was committed; and no other ones until they owe nothing any more. So
 * what was lost is on another disk, and nothing may be missing (faults.md §1).
 */
export class DiskRot {
  private readonly random: Random
  private readonly scheduler: Scheduler
  private readonly nodes: readonly SimulatedNode[]
  private damaged: readonly SimulatedNode[] = []
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
    const longest = this.random.chance(0.3) ? this.longest() : null
    this.damaged = longest === null ? [this.random.pick(this.nodes)] : this.nodes.filter((node) => node !== longest)
    for (const node of this.damaged) {
      // Who the voters are is in the snapshots: nodes that have all lost that too need the others to tell them.
      node.damage(this.random, longest === null && this.random.chance(0.3))
      this.later(this.random.between(1, 1000), () => node.start())
    }
    this.later(this.random.between(500, 3000), () => this.strike())
  }

  /** Of those that were damaged last, one is down, or its log does not hold again what it may have acknowledged. */
  private owed(): boolean {
    return this.damaged.some((node) => node.driver?.raftState.obligation !== null)
  }

  /**
   * The node whose log on disk is the longest by the order of paper §5.4.1; null while one is down, whose log nobody knows, or
   * has no snapshot yet.
   */
  private longest(): SimulatedNode | null {
    let longest: SimulatedNode | null = null
    let [longestTerm, longestIndex] = [-1, -1]
    for (const node of this.nodes) {
      const raft = node.driver?.raftState
      if (raft === undefined || node.driver?.status().snapshotIndex === 0) return null
      const index = raft.disk.durableIndex
      const term = termAt(raft, index) ?? 0
      if (term < longestTerm || (term === longestTerm && index <= longestIndex)) continue
      longest = node
      longestTerm = term
      longestIndex = index
    }
    return longest
  }

  private later(milliseconds: number, run: () => void): void {
    this.scheduler.after(milliseconds * MILLISECOND, () => {
      if (this.active) run()
    })
  }
}
