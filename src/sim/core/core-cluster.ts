import { type NodeId, nodeId } from '../../base/brand.ts'
import { Random } from '../../base/random.ts'
import { type Agreed, describeEffect, describeMessage, type Effect, type RaftEvent } from '../../raft/index.ts'
import { createRunningHash, finishHash, foldWord, hashText } from '../../codec/value/running-hash.ts'
import { Violation } from '../checkers/violation.ts'
import { Scheduler } from '../world/scheduler.ts'
import { EntryBook } from './core-entry.ts'
import { CoreInvariants } from './core-invariants.ts'
import { CoreNetwork } from './core-network.ts'
import { CoreNode, type CoreSurroundings } from './core-node.ts'
import type { CoreSwarm } from './core-swarm.ts'

/** Streams of one seed's randomness. */
export const PURPOSE = {
  swarm: 1,
  network: 2,
  disks: 3,
  nemesis: 4,
  pulls: 5,
  clients: 6,
  operators: 7,
  links: 8,
} as const

/** Inputs that no seed needs: one that has more goes round in a circle. */
const EVENTS_MAX = 2_000_000
/** How long it takes until a node dials another one that has started, or is dialled, in microseconds, at most. */
const DIAL = 5_000
/** How long a pull of a snapshot takes, in microseconds, without the network's delay; and until its node's core hears of it. */
const PULL = { least: 2_000, most: 200_000, told: 2_000 }

/** The nodes of one world of the core alone, what is between them, and what is made of all that happens. */
export class CoreCluster {
  readonly scheduler = new Scheduler()
  readonly network: CoreNetwork
  readonly nodes: CoreNode[] = []
  readonly invariants: CoreInvariants
  /** Inputs that were given to nodes' cores. */
  events = 0
  /** Snapshots that were taken, and installed in place of a log. */
  snapshots = 0
  installs = 0
  /** A failed sync has stopped that node. */
  whenStopped: (node: CoreNode) => void = () => undefined
  private readonly running = createRunningHash()
  private readonly trace: ((line: string) => void) | undefined
  private readonly pulls: Random
  private readonly links: Random

  constructor(seed: number, swarm: CoreSwarm, trace?: (line: string) => void) {
    this.trace = trace
    this.pulls = new Random(seed, PURPOSE.pulls)
    this.links = new Random(seed, PURPOSE.links)
    this.invariants = new CoreInvariants(this.nodes)
    const ids = swarm.disks.map((_, at) => nodeId(`n${at + 1}`))
    this.network = new CoreNetwork({
      scheduler: this.scheduler,
      random: new Random(seed, PURPOSE.network),
      weather: swarm.network,
      size: ids.length,
      deliver: (to, packet) => this.nodes[to]?.receive(packet),
    })
    const around = this.surroundings(swarm, ids)
    for (const [at, id] of ids.entries()) {
      const [weather, rate] = [swarm.disks[at], swarm.clockRates[at]]
      if (weather === undefined || rate === undefined) throw new Violation('every node has a disk and a clock', { id })
      const random = new Random(seed, PURPOSE.disks, at)
      this.nodes.push(new CoreNode({ id, number: at, seed, weather, rate, random, around }))
    }
  }

  private surroundings(swarm: CoreSwarm, ids: readonly NodeId[]): CoreSurroundings {
    const { scheduler, network, invariants } = this
    const { voters, config, split } = swarm
    const agreed: Agreed = {
      configuration: { voters: ids.slice(0, voters), learners: [], outgoing: [], promoting: [] },
      advances: true,
    }
    return {
      ...{ scheduler, network, invariants, config, split, agreed, book: new EntryBook() },
      numbers: new Map(ids.map((id, at) => [id, at])),
      stepped: (node, event, effects) => this.stepped(node, event, effects),
      started: (node) => this.opened(node, swarm.tellsOfOpen),
      stopped: (node) => this.whenStopped(node),
      pull: (node, { from, index }) => this.pull(node, from, index),
    }
  }

  /** The leader of the newest term; undefined: nobody leads. */
  leader(): CoreNode | undefined {
    let newest: CoreNode | undefined
    for (const node of this.nodes) {
      if (node.leads && (newest === undefined || node.state.currentTerm > newest.state.currentTerm)) newest = node
    }
    return newest
  }

  /** Runs event after event, until `end` or until there are none. */
  runUntil(end: () => boolean): void {
    while (!end() && this.scheduler.next()) {
      if (this.events > EVENTS_MAX) throw new Violation('a seed comes to its end', { events: this.events })
    }
  }

  /** A line of the trace, if there is one. */
  say(words: () => string): void {
    this.trace?.(`${(this.scheduler.now / 1_000_000).toFixed(6)} ${words()}`)
  }

  /** Of all that happened, in order. */
  hash(): string {
    return hashText(finishHash({ ...this.running }))
  }

  private stepped(node: CoreNode, event: RaftEvent, effects: readonly Effect[]): void {
    const { state } = node
    const { running } = this
    this.events += 1
    foldWord(running, this.scheduler.now | 0)
    foldWord(running, (node.number << 16) ^ (event.kind.length << 8) ^ effects.length)
    foldWord(running, state.currentTerm)
    foldWord(running, state.lastIndex)
    foldWord(running, state.commitIndex)
    if (this.trace === undefined) return
    this.say(() => `${node.id} ${state.role.kind} ${state.currentTerm} ← ${describeEvent(event)}`)
    for (const effect of effects) this.trace(`  ${describeEffect(effect)}`)
  }

  /** The others dial a node that has started, and it dials them: who sees that a connection opens is told of it. */
  private opened(node: CoreNode, chance: number): void {
    if (chance === 0) return
    for (const other of this.nodes) {
      if (other === node || !other.up) continue
      for (const [one, peer] of [
        [node, other],
        [other, node],
      ] as const) {
        const { life } = one
        if (!this.links.chance(chance) || !this.network.isOpen(one.number, peer.number)) continue
        this.scheduler.after(this.links.below(DIAL), () => {
          if (one.up && one.life === life && peer.up) one.step({ kind: 'reachable', peer: peer.id })
        })
      }
    }
  }

  /** A node that is offered a snapshot pulls it, and switches to it; a moment later its core hears of that. */
  private pull(node: CoreNode, from: NodeId, least: number): void {
    const { scheduler, pulls } = this
    const source = this.nodes.find(({ id }) => id === from)
    if (source === undefined) return
    const { life } = node
    const isThere = (): boolean => node.up && node.life === life
    node.pulling = true
    scheduler.after(pulls.between(PULL.least, PULL.most), () => {
      if (!isThere()) return
      node.pulling = false
      const open = this.network.isOpen(source.number, node.number)
      if (source.up && open && source.disk.base >= least && node.switchTo(source.disk.newestSnapshot()))
        scheduler.after(pulls.below(PULL.told), () => {
          if (!isThere()) return
          this.installs += 1
          node.installed()
        })
    })
  }
}

function describeEvent(event: RaftEvent): string {
  if (event.kind === 'receive') return `${event.from}: ${describeMessage(event.message)}`
  const { kind, ...facts } = event
  return Object.keys(facts).length === 0 ? kind : `${kind} ${JSON.stringify(facts)}`
}
