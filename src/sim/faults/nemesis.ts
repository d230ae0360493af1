import type { Random } from '../../base/random.ts'
import type { Scheduler } from '../world/scheduler.ts'
import type { SimulatedNetwork } from '../world/simulated-network.ts'
import type { SimulatedNode } from '../world/simulated-node.ts'
import type { FaultSchedule } from '../fault-schedule.ts'
import type { Swarm } from '../swarm.ts'

const MILLISECOND = 1000
/** About when the first election is over, where no fault holds it up. */
const FIRST_ELECTION = 1500 * MILLISECOND

/** Breaks things at random while the fault phase lasts, then heals a random quorum and leaves the rest as drawn. */
export class Nemesis {
  private readonly swarm: Swarm
  private readonly random: Random
  private readonly replacements: Random
  private readonly absences: Random
  private readonly scheduler: Scheduler
  private readonly network: SimulatedNetwork
  private readonly nodes: readonly SimulatedNode[]
  private readonly faults: FaultSchedule
  private readonly replaced = new Set<SimulatedNode>()
  private active = true
  /** This seed's disks are replaced without anybody's command. */
  readonly replaces: boolean

  constructor(parts: {
    swarm: Swarm
    random: Random
    replacements: Random
    absences: Random
    scheduler: Scheduler
    network: SimulatedNetwork
    nodes: readonly SimulatedNode[]
    faults: FaultSchedule
  }) {
    this.swarm = parts.swarm
    this.random = parts.random
    this.replacements = parts.replacements
    this.absences = parts.absences
    this.scheduler = parts.scheduler
    this.network = parts.network
    this.nodes = parts.nodes
    this.faults = parts.faults
    this.replaces = this.replacements.chance(1 / 6)
  }

  start(): void {
    if (this.swarm.crashEvery > 0) this.every(this.swarm.crashEvery, () => this.crash())
    if (this.swarm.partitionEvery > 0 && this.nodes.length > 1)
      this.every(this.swarm.partitionEvery, () => this.partition())
    if (this.swarm.blackout) this.scheduler.after(this.random.below(this.swarm.faultMicros), () => this.blackout())
    this.drawReplacements()
    this.drawAbsences()
  }

  /**
   * Ends the faults: links mend, a random majority runs; true time for the checks that follow. A cluster whose
   * Configuration was never committed has not bootstrapped yet, which takes every voter (raft.md §1): then all of them run.
   * Returns who must agree in the end: a node whose disk was replaced may have no part in the cluster, so it is not counted.
   */
  heal(bootstrapped: boolean): readonly SimulatedNode[] {
    this.active = false
    this.network.healAll()
    this.network.weather = { ...this.network.weather, loss: 0, duplication: 0, straggler: 0 }
    const order = [...this.nodes]
    for (let at = order.length - 1; at > 0; at -= 1) swap(order, at, this.random.below(at + 1))
    const majority = Math.floor(order.length / 2) + 1
    order.sort((left, right) => Number(this.replaced.has(left)) - Number(this.replaced.has(right)))
    const quorum = this.swarm.minorityStaysDown && bootstrapped ? majority : order.length
    order.forEach((node, position) => {
      if (position < quorum) node.start()
      else node.crash(this.swarm.powerLoss)
    })
    return order.slice(0, quorum).filter((node) => !this.replaced.has(node))
  }

  /**
   * In one seed of six a minority of the disks is replaced, most of them about the first election: there alone a replaced
   * disk is not known from a Configuration.
   */
  private drawReplacements(): void {
    if (!this.replaces) return
    const { nodes, swarm, scheduler, replacements } = this
    for (let left = Math.floor((nodes.length - 1) / 2); left > 0; left -= 1) {
      const node = replacements.pick(nodes)
      const within = replacements.chance(0.8) ? FIRST_ELECTION : swarm.faultMicros
      scheduler.after(replacements.below(within), () => {
        if (this.active) this.replace(node)
      })
    }
  }

  /** A node is away for a second or three; where the log is short it comes back to pull a snapshot, or dies over it. */
  private drawAbsences(): void {
    const { absences, nodes, scheduler, swarm } = this
    for (let left = swarm.absences; left > 0; left -= 1) {
      const node = absences.pick(nodes)
      const away = absences.between(1000, 3000) * MILLISECOND
      scheduler.after(absences.below(swarm.faultMicros), () => {
        if (!this.active) return
        this.strike(`${node.id} goes away for ${away / 1000} ms`, () => node.crash(swarm.powerLoss))
        scheduler.after(away, () => this.comeBack(node))
      })
    }
  }

  private comeBack(node: SimulatedNode): void {
    if (!this.active) return
    node.start()
    if (!this.absences.chance(0.5)) return
    this.scheduler.after(this.absences.between(20, 300) * MILLISECOND, () => {
      if (!this.active) return
      this.strike(`${node.id} crashes as it comes back`, () => node.crash(this.swarm.powerLoss))
      this.scheduler.after(this.absences.between(1, 1500) * MILLISECOND, () => {
        if (this.active) node.start()
      })
    })
  }

  private replace(node: SimulatedNode): void {
    this.replaced.add(node)
    this.strike(`${node.id} gets an empty disk`, () => node.replaceDisk())
    const down = this.replacements.between(1, 500) * MILLISECOND
    this.scheduler.after(down, () => {
      if (this.active) node.start()
    })
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
    const powerLoss = this.swarm.powerLoss && this.random.chance(0.7)
    this.strike(`${node.id} ${powerLoss ? 'loses power' : 'crashes'}`, () => node.crash(powerLoss))
    this.restartLater(node)
  }

  private strike(what: string, act: () => void): void {
    this.faults.strike(this.scheduler.now, what, act)
  }

  private blackout(): void {
    if (!this.active) return
    this.strike('all nodes go down', () => {
      for (const node of this.nodes) node.crash(this.swarm.powerLoss)
    })
    for (const node of this.nodes) this.restartLater(node)
  }

  private restartLater(node: SimulatedNode): void {
    this.scheduler.after(this.random.between(1, 1500) * MILLISECOND, () => {
      if (this.active) node.start()
    })
  }

  /** One node, halves, one pair or one direction, for a while. */
  private partition(): void {
    const links = this.drawCut()
    const words = links.map(([from, to]) => `${from}→${to}`).join(' ')
    this.strike(`cut ${words}`, () => {
      for (const [from, to] of links) this.network.setLink(from, to, false)
    })
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
