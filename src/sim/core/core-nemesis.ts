import { logIndex } from '../../base/brand.ts'
import { Random } from '../../base/random.ts'
import { type CoreCluster, PURPOSE } from './core-cluster.ts'
import type { CoreNode } from './core-node.ts'
import type { CoreSwarm } from './core-swarm.ts'

const MILLISECOND = 1000

/** Breaks things while faults strike: processes, links, clocks that stand, disks; then mends them. */
export class CoreNemesis {
  private readonly swarm: CoreSwarm
  private readonly cluster: CoreCluster
  private readonly random: Random
  private active = true

  constructor(seed: number, swarm: CoreSwarm, cluster: CoreCluster) {
    this.swarm = swarm
    this.cluster = cluster
    this.random = new Random(seed, PURPOSE.nemesis)
    cluster.whenStopped = (node) => this.fallen(node, 'its disk fails')
  }

  start(): void {
    const { swarm, random } = this
    const { nodes } = this.cluster
    this.often(swarm.crashEvery, () => {
      if (swarm.blackout && random.chance(0.15)) for (const node of nodes) this.crash(node)
      else this.crash(this.victim())
    })
    this.often(swarm.partitionEvery, () => this.cut())
    this.often(swarm.pauseEvery, () => {
      const node = this.victim()
      const ms = random.between(20, 2000)
      this.cluster.say(() => `${node.id} stands still for ${ms} ms`)
      node.pause(ms * MILLISECOND)
    })
    this.often(swarm.damageEvery, () => this.damage(random.pick(nodes)))
  }

  /** A leader has just taken a command: it may be struck before anybody has it, or after some have. */
  taken(leader: CoreNode): void {
    const { random, swarm, cluster } = this
    if (!this.active || swarm.hunt === 0 || !random.chance(swarm.hunt)) return
    cluster.scheduler.after(random.below(5 * MILLISECOND), () => {
      if (!this.active || !leader.leads) return
      if (random.chance(0.5)) this.crash(leader)
      else this.isolate(leader, random.pick(['in', 'out', 'both'] as const))
    })
  }

  /**
   * All faults end. Returns who runs from now on: everybody, or all but a minority of the voters that stay as they are. Halted
   * processes begin anew, as an operator has them.
   */
  heal(): readonly CoreNode[] {
    const { swarm, random, cluster } = this
    const { network, nodes } = cluster
    this.active = false
    network.healAll()
    network.weather = { ...network.weather, loss: 0, duplication: 0, straggler: 0 }
    const gone = new Set<CoreNode>()
    if (swarm.minorityStaysDown) {
      const count = random.between(0, Math.ceil(swarm.voters / 2) - 1)
      while (gone.size < count) gone.add(random.pick(nodes))
    }
    for (const node of nodes) {
      node.healthy = true
      if (gone.has(node) || (node.up && node.state.halted)) node.crash()
      if (!gone.has(node)) node.start()
    }
    cluster.say(() => `all faults end, but for ${[...gone].map(({ id }) => id).join(' ') || 'none'}`)
    return nodes.filter((node) => !gone.has(node))
  }

  /** Again and again, with pauses of that mean. */
  private often(mean: number, act: () => void): void {
    if (mean === 0) return
    this.cluster.scheduler.after(this.random.between(1, 2 * mean), () => {
      if (!this.active) return
      act()
      this.often(mean, act)
    })
  }

  /** Anybody, or whoever leads. */
  private victim(): CoreNode {
    const leader = this.random.chance(0.4) ? this.cluster.leader() : undefined
    return leader ?? this.random.pick(this.cluster.nodes)
  }

  private crash(node: CoreNode): void {
    if (!node.up) return
    node.crash()
    this.fallen(node, 'crashes')
  }

  private fallen(node: CoreNode, what: string): void {
    const { random, swarm, cluster } = this
    cluster.say(() => `${node.id} ${what}`)
    for (const other of cluster.nodes) {
      if (other === node || !random.chance(swarm.tellsOfGone)) continue
      const { life } = other
      cluster.scheduler.after(random.below(3 * MILLISECOND), () => {
        if (other.up && other.life === life) other.step({ kind: 'unreachable', peer: node.id })
      })
    }
    cluster.scheduler.after(random.between(1, 1500) * MILLISECOND, () => {
      if (this.active || node.healthy) node.start()
    })
  }

  /** The end of a log is lost; of no second one before the first has it back, for that loses what was committed. */
  private damage(node: CoreNode): void {
    const { disk } = node
    if (this.cluster.nodes.some((each) => each.disk.owes !== null)) return
    this.crash(node)
    if (disk.entries.length <= disk.base) return
    const kept = logIndex(disk.base + this.random.below(disk.entries.length - disk.base))
    disk.damage(kept, this.random.chance(0.5))
    this.cluster.say(() => `${node.id} loses all above ${kept}`)
  }

  private cut(): void {
    const { random, cluster } = this
    const { nodes, network } = cluster
    const kind = random.below(6)
    if (kind < 2) return this.isolate(this.victim(), random.pick(['in', 'out', 'both'] as const))
    const [one, other] = [random.pick(nodes), random.pick(nodes)]
    cluster.say(
      () => `links are cut: ${['', '', 'pair', 'one way', 'halves', 'bridge'][kind] ?? ''} ${one.id} ${other.id}`,
    )
    if (kind < 4) {
      network.setLink(one.number, other.number, false)
      if (kind === 2) network.setLink(other.number, one.number, false)
    } else {
      // Of a bridge, one node hears both sides.
      const sides = nodes.map((node) => (kind === 5 && node === one ? 2 : random.below(2)))
      this.eachLink((from, to) => {
        const [left, right] = [sides[from] ?? 0, sides[to] ?? 0]
        if (left !== right && left < 2 && right < 2) network.setLink(from, to, false)
      })
    }
    this.mendLater()
  }

  private isolate(node: CoreNode, way: 'in' | 'out' | 'both'): void {
    this.cluster.say(() => `${node.id} is cut off: ${way}`)
    this.eachLink((from, to) => {
      if ((to === node.number && way !== 'out') || (from === node.number && way !== 'in'))
        this.cluster.network.setLink(from, to, false)
    })
    this.mendLater()
  }

  private eachLink(act: (from: number, to: number) => void): void {
    const { length } = this.cluster.nodes
    for (let from = 0; from < length; from += 1) for (let to = 0; to < length; to += 1) if (from !== to) act(from, to)
  }

  private mendLater(): void {
    const { random, cluster } = this
    cluster.scheduler.after(random.between(50, 3000) * MILLISECOND, () => cluster.network.healAll())
  }
}
