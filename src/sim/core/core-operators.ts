import type { NodeId } from '../../base/brand.ts'
import { Random } from '../../base/random.ts'
import { type CoreCluster, PURPOSE } from './core-cluster.ts'
import type { CoreNode } from './core-node.ts'
import type { CoreSwarm } from './core-swarm.ts'

/** What members of a configuration may be. */
const PLACES = ['voter', 'learner', 'promoting', 'none'] as const

/** Members as they are put together. */
interface Wanted {
  readonly voters: NodeId[]
  readonly learners: NodeId[]
  readonly promoting: NodeId[]
  readonly outgoing: readonly NodeId[]
}

/** Who asks nodes for something while faults strike: clients for entries and reads, operators for all else. */
export class CoreOperators {
  private readonly swarm: CoreSwarm
  private readonly cluster: CoreCluster
  private readonly clients: Random
  private readonly random: Random
  private readonly taken: (leader: CoreNode) => void
  private active = true

  /** `taken`: told when a leader has been given a command. */
  constructor(seed: number, swarm: CoreSwarm, cluster: CoreCluster, taken: (leader: CoreNode) => void) {
    this.swarm = swarm
    this.cluster = cluster
    this.clients = new Random(seed, PURPOSE.clients)
    this.random = new Random(seed, PURPOSE.operators)
    this.taken = taken
  }

  start(): void {
    const { swarm, clients, random } = this
    this.often(clients, swarm.proposeEvery, () => this.propose())
    this.often(clients, swarm.readEvery, () => this.asked(clients, 0.5)?.read())
    this.often(random, swarm.changeEvery, () => this.change())
    this.often(random, swarm.transferEvery, () => {
      const to = random.chance(0.5) ? null : random.pick(this.cluster.nodes).id
      this.asked(random, 0.9)?.step({ kind: 'transfer', to })
    })
    this.often(random, swarm.haltEvery, () => {
      const node = this.asked(random, 0.5)
      node?.step({ kind: node.state.halted ? 'resumed' : 'halted' })
    })
    this.often(random, swarm.snapshotEvery, () => {
      if (this.asked(random, 0.3)?.snapshot() === true) this.cluster.snapshots += 1
    })
    const { leases } = swarm
    if (leases === null) return
    this.often(random, 1_000_000, () => {
      const ms = random.chance(0.1) ? leases.ms * 2 : leases.ms
      this.asked(random, 1)?.step({ kind: 'setLease', lease: random.chance(0.1) ? null : { ...leases, ms } })
    })
  }

  stop(): void {
    this.active = false
  }

  private propose(): void {
    const { clients } = this
    const node = this.asked(clients, 0.8)
    if (node === undefined) return
    const count = clients.pick([1, 1, 1, 3, 8])
    node.step({ kind: 'propose', count, bytes: 100 * count })
    if (node.leads) this.taken(node)
  }

  /** Whoever leads, with that chance, else anybody; undefined: it does not run. */
  private asked(random: Random, leads: number): CoreNode | undefined {
    const leader = random.chance(leads) ? this.cluster.leader() : undefined
    const node = leader ?? random.pick(this.cluster.nodes)
    return node.up ? node : undefined
  }

  /** One node changes its place, or all do. */
  private change(): void {
    const { random } = this
    const node = this.asked(random, 0.9)
    const newest = node?.state.configurations.at(-1)
    if (node === undefined || newest === undefined) return
    const { voters, learners, promoting } = newest.configuration
    const all = random.chance(0.2)
    const one = random.pick(this.cluster.nodes).id
    const wanted: Wanted = { voters: [], learners: [], promoting: [], outgoing: [] }
    for (const { id } of this.cluster.nodes) {
      const drawn = random.pick(PLACES)
      const learns = promoting.includes(id) ? 'promoting' : learners.includes(id) ? 'learner' : 'none'
      const place = all || id === one ? drawn : voters.includes(id) ? 'voter' : learns
      if (place === 'voter') wanted.voters.push(id)
      else if (place !== 'none') wanted.learners.push(id)
      if (place === 'promoting') wanted.promoting.push(id)
    }
    if (wanted.voters.length === 0) return
    node.step({ kind: 'changeMembership', configuration: wanted, basedOn: newest.index })
  }

  /** Again and again, with pauses of that mean; 0: never. */
  private often(random: Random, mean: number, act: () => void): void {
    if (mean === 0) return
    this.cluster.scheduler.after(random.between(1, 2 * mean), () => {
      if (!this.active) return
      act()
      this.often(random, mean, act)
    })
  }
}
