import type { NodeId } from '../../base/brand.ts'
import { Random } from '../../base/random.ts'
import { DEFAULT_LIMITS } from '../../codec/entry/default-limits.ts'
import { sessionCodec } from '../../codec/session-codec.ts'
import { mount } from '../../machine/index.ts'
import { witnessDeliveries } from '../checkers/delivery-witness.ts'
import { ReplicaWatch } from '../checkers/replica-watch.ts'
import { Violation } from '../checkers/violation.ts'
import { failureOf } from '../failure-of.ts'
import { Nemesis } from '../nemesis.ts'
import { OfficeShaker } from '../office-shaker.ts'
import type { SeedResult } from '../run-seed.ts'
import { drawLeases, drawSwarm, type Swarm } from '../swarm.ts'
import type { NodeObserver } from '../world/node-observer.ts'
import { SimulatedCluster } from '../world/simulated-cluster.ts'
import type { SimulatedNode } from '../world/simulated-node.ts'
import { board } from './board-machine.ts'
import { BoardOperator, drawLimits } from './board-operator.ts'
import type { FateCounts } from './notice-fates.ts'
import { StreamStaller } from './stream-staller.ts'
import { Visitors } from './visitors.ts'
import { Witnesses } from './witnesses.ts'

const PURPOSE = {
  swarm: 1,
  requests: 6,
  hunts: 12,
  network: 2,
  nemesis: 3,
  channels: 5,
  replacements: 9,
  absences: 115,
  absent: 116,
  office: 41,
  leases: 91,
  visitors: 141,
  operator: 142,
  limits: 143,
  stalls: 144,
}

/** Within this time after healing the machine is switched on, if it ever can be. In microseconds. */
const ACTIVE_WITHIN = 60_000_000
/** After healing, all is answered, delivered and told. In microseconds. */
const SETTLED_WITHIN = 200_000_000

/**
 * One seed's world in which sessions subscribe to posts, look them up by indexes and are told of them by notices that die
 * while operators end sessions, change limits and move dead letters, and nodes crash. Deterministic.
 */
export function runBoardSeed(seed: number, trace?: (line: string) => void): BoardSeedResult {
  const world = new BoardWorld(seed, trace)
  return world.result(failureOf(world, trace))
}

/** What the visitors of a seed did and heard. */
export interface BoardCounts extends FateCounts {
  /** Changes that subscribers were told as the very next one, and as one behind others. */
  values: number
  compacted: number
  /** Answers to queries that were held against all posts of then; of them, those through an index. */
  answers: number
  lookups: number
  /** Sessions that operators ended; all that they did. */
  evicted: number
  deeds: number
}

/** What one seed did. */
export interface BoardSeedResult extends SeedResult {
  readonly board: BoardCounts
}

class BoardWorld {
  private readonly seed: number
  private readonly swarm: Swarm
  private readonly cluster: SimulatedCluster
  private readonly nemesis: Nemesis
  private readonly shaker: OfficeShaker
  private readonly staller: StreamStaller
  private readonly visitors: Visitors
  private readonly operator: BoardOperator
  private readonly watch: ReplicaWatch
  private readonly witnesses = new Witnesses()
  private events = 0

  constructor(seed: number, trace?: (line: string) => void) {
    this.seed = seed
    const generator = (purpose: keyof typeof PURPOSE): Random => new Random(seed, PURPOSE[purpose])
    this.swarm = drawSwarm(generator)
    const { swarm, witnesses } = this
    this.cluster = this.createCluster(generator)
    this.watch = new ReplicaWatch(this.cluster, trace)
    const { scheduler, network, nodes, channels } = this.cluster
    channels.breakWhole = true
    const world = { scheduler, channels, endpoints: nodes.map((node) => node.address) }
    this.visitors = new Visitors({ random: generator('visitors'), world, witnesses })
    const sessions = (): readonly number[] => this.visitors.sessions
    this.operator = new BoardOperator({ random: generator('operator'), scheduler, nodes, witnesses, sessions })
    const [random, replacements, absences] = [generator('nemesis'), generator('replacements'), generator('absent')]
    this.nemesis = new Nemesis({ swarm, random, replacements, absences, scheduler, network, nodes })
    this.shaker = new OfficeShaker({ random: generator('office'), scheduler, network, nodes })
    this.staller = new StreamStaller({ random: generator('stalls'), scheduler, channels })
  }

  private createCluster(generator: (purpose: keyof typeof PURPOSE) => Random): SimulatedCluster {
    const { seed, swarm } = this
    const { snapshotBytes, segmentBytes, appendEntriesMax, requests } = swarm
    return new SimulatedCluster({
      seed,
      nodes: swarm.disks.map((disk, at) => ({
        disk,
        clock: swarm.clocks[at] ?? { ratePpm: 1_000_000, wallOffsetMs: 0 },
      })),
      network: swarm.network,
      limits: { ...DEFAULT_LIMITS, snapshotBytes, ...drawLimits(generator('limits')) },
      credit: requests.credit,
      appendEntriesMax,
      segmentBytes,
      leases: drawLeases(generator('leases')),
      mount: () => mount([board], sessionCodec),
      generator,
      observe: (id) => this.observer(id),
    })
  }

  private observer(id: NodeId): NodeObserver {
    return {
      composed: ({ driver, gateway, machine }) => {
        this.watch.listen(id, driver, (index, first, entry) => {
          if (!first) return
          this.witnesses.history.applied(index, machine)
          this.witnesses.fates.applied(entry, machine)
        })
        return witnessDeliveries(driver, gateway)
      },
      logOpened: (store, _recovered, done) => done(store),
      persisted: () => undefined,
      sending: () => undefined,
      diskReplaced: () => undefined,
    }
  }

  run(): void {
    const { cluster, swarm, visitors } = this
    const { scheduler } = cluster
    for (const node of cluster.nodes) node.start()
    visitors.open()
    for (const fault of [this.operator, this.nemesis, this.shaker, this.staller]) fault.start()
    this.runUntil(() => scheduler.now >= swarm.faultMicros)
    this.shaker.stop()
    this.staller.stop()
    const alive = this.nemesis.heal(this.watch.highest > 0)
    cluster.channels.reset()
    this.operator.heal()
    visitors.wake()
    const healedAt = scheduler.now
    if (alive.length < cluster.nodes.length) {
      this.runUntil(() => this.activated(alive) || scheduler.now > healedAt + ACTIVE_WITHIN)
      // A disk was lost, or a node, before its voter had said what it is built of: no command can run.
      if (!this.activated(alive)) return
    }
    this.runUntil(() => this.settled(alive) || scheduler.now > healedAt + SETTLED_WITHIN)
    if (!this.settled(alive)) throw new Violation('all is answered, delivered and told after healing', this.facts())
    for (const { machine } of alive) {
      machine?.checkInvariants()
      if (machine !== null) this.witnesses.fates.checkEnd(machine)
    }
  }

  result(failure: string | null): BoardSeedResult {
    const { seed, watch, events, witnesses } = this
    const { values, compacted, answers, lookups, evicted } = witnesses
    return {
      seed,
      failure,
      events,
      simSeconds: this.cluster.scheduler.now / 1_000_000,
      acks: this.visitors.acks,
      elections: watch.elections,
      snapshots: this.cluster.nodes.reduce((sum, node) => sum + node.snapshotsWritten, 0),
      installs: this.cluster.nodes.reduce((sum, node) => sum + node.snapshotsInstalled, 0),
      hash: watch.hash(),
      board: {
        ...witnesses.fates.counts,
        values,
        compacted,
        answers,
        lookups,
        evicted,
        deeds: this.operator.deeds,
      },
    }
  }

  private runUntil(end: () => boolean): void {
    while (!end() && this.cluster.scheduler.next()) this.events += 1
  }

  private activated(alive: readonly SimulatedNode[]): boolean {
    return alive.some((node) => node.machine?.activated === true)
  }

  private settled(alive: readonly SimulatedNode[]): boolean {
    const { visitors, operator, watch } = this
    if (!operator.done || !visitors.quiet) return false
    return alive.every((node) => node.machine?.appliedIndex === watch.highest) && this.delivered && visitors.current
  }

  /** Every notice of whoever is still there has come to its end. */
  private get delivered(): boolean {
    const here = new Set(this.visitors.sessions)
    return this.witnesses.fates.settled((session) => !here.has(session))
  }

  private facts(): { readonly [name: string]: unknown } {
    const { operator, delivered, watch, cluster } = this
    const applied = cluster.nodes.map((node) => node.machine?.appliedIndex ?? -1)
    return { ...this.visitors.facts(), done: operator.done, delivered, highest: watch.highest, applied }
  }
}
