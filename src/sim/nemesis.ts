import type { Random } from '../base/random.ts'
import type { Scheduler } from './scheduler.ts'
import type { SimulatedNetwork } from './simulated-network.ts'
import type { SimulatedNode } from './simulated-node.ts'
import type { Swarm } from './swarm.ts'

const MILLISECOND = 1000

/** Breaks things at random while the fault phase lasts, then heals a random quorum and leaves the rest as drawn. */
export class Nemesis {
  private readonly swarm: Swarm
  private readonly random: Random
  private readonly scheduler: Scheduler
  private readonly network: SimulatedNetwork
  private readonly nodes: readonly SimulatedNode[]
  private active = true

  constructor(parts: {
    swarm: Swarm
    random: Random
    scheduler: Scheduler
    network: SimulatedNetwork
    nodes: readonly SimulatedNode[]
  }) {
    this.swarm = parts.swarm
    this.random = parts.random
    this.scheduler = parts.scheduler
    this.network = parts.network
    this.nodes = parts.nodes
  }

  start(): void {
    if (this.swarm.crashEvery > 0) this.every(this.swarm.crashEvery, () => this.crash())
    if (this.swarm.partitionEvery > 0 && this.nodes.length > 1)
      this.every(this.swarm.partitionEvery, () => this.partition())
    if (this.swarm.blackout) this.scheduler.after(this.random.below(this.swarm.faultMicros), () => this.blackout())
  }

  /**
   * Ends the faults: links mend, a random majority runs; true time for the checks that follow. A cluster whose
   * Configuration was never committed has not bootstrapped yet, which takes every voter (raft.md §1): then all of them run.
   */
  heal(bootstrapped: boolean): readonly SimulatedNode[] {
    this.active = false
    this.network.healAll()
    this.network.weather = { ...this.network.weather, loss: 0, duplication: 0, straggler: 0 }
    const order = [...this.nodes]
    for (let at = order.length - 1; at > 0; at -= 1) swap(order, at, this.random.below(at + 1))
    const majority = Math.floor(order.length / 2) + 1
    const quorum = this.swarm.minorityStaysDown && bootstrapped ? majority : order.length
    order.forEach((node, position) => {
      if (position < quorum) node.start()
      else node.crash(this.swarm.powerLoss)
    })
    return order.slice(0, quorum)
  }

  /** Faults come at random around a mean. */
  private every(mean: number, strike: () => void): void {
    this.scheduler.after(this.random.between(mean / 4, mean * 2), () => {
      if (!this.active) return
      strike()
      this.every(mean, strike)
    })
  }

  private crash(): void {
    const node = this.random.pick(this.nodes)
    node.crash(this.swarm.powerLoss && this.random.chance(0.7))
    this.restartLater(node)
  }

  private blackout(): void {
    if (!this.active) return
    for (const node of this.nodes) {
      node.crash(this.swarm.powerLoss)
      this.restartLater(node)
    }
  }

  private restartLater(node: SimulatedNode): void {
    this.scheduler.after(this.random.between(1, 1500) * MILLISECOND, () => {
      if (this.active) node.start()
    })
  }

  /** One node, halves, one pair or one direction, for a while. */
  private partition(): void {
    const links = this.drawCut()
    for (const [from, to] of links) this.network.setLink(from, to, false)
    this.scheduler.after(this.random.between(50, 2500) * MILLISECOND, () => {
      for (const [from, to] of links) this.network.setLink(from, to, true)
    })
  }

  private drawCut(): readonly (readonly [string, string])[] {
    const ids = this.nodes.map((node) => node.id as string)
    const left = this.random.chance(0.5) ? [this.random.pick(ids)] : ids.filter(() => this.random.chance(0.5))
    const right = ids.filter((id) => !left.includes(id))
    const oneWay = this.random.chance(0.3)
    return left.flatMap((from) =>
      right.flatMap((to): (readonly [string, string])[] =>
        oneWay
          ? [[from, to]]
          : [
              [from, to],
              [to, from],
            ],
      ),
    )
  }
}

function swap<Item>(items: Item[], left: number, right: number): void {
  const held = items[left] as Item
  items[left] = items[right] as Item
  items[right] = held
}
