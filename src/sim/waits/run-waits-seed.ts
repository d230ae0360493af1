import type { NodeId } from '../../base/brand.ts'
import { Random } from '../../base/random.ts'
import { DEFAULT_LIMITS } from '../../codec/entry/default-limits.ts'
import { sessionCodec } from '../../codec/session-codec.ts'
import { mount } from '../../machine/index.ts'
import { ReplicaWatch } from '../checkers/replica-watch.ts'
import { Violation } from '../checkers/violation.ts'
import { failureOf } from '../failure-of.ts'
import { Nemesis } from '../nemesis.ts'
import type { SeedResult } from '../run-seed.ts'
import { drawSwarm, type Swarm } from '../swarm.ts'
import type { NodeObserver } from '../world/node-observer.ts'
import { SimulatedCluster } from '../world/simulated-cluster.ts'
import type { SimulatedNode } from '../world/simulated-node.ts'
import { Racers } from './racers.ts'
import { waitMachine } from './wait-machine.ts'
import { type WaitCounts, WaitModel } from './wait-model.ts'
import { WaitRecorder } from './wait-recorder.ts'

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
  racers: 131,
}

/** Within this time after healing the machine is switched on, if it ever can be. In microseconds. */
const ACTIVE_WITHIN = 60_000_000
/**
 * After healing, all is answered: 1,200 commands one after the other, where disks and links take half a second for each. In
 * microseconds.
 */
const SETTLED_WITHIN = 1_000_000_000

/**
 * One seed's world in which sessions wait for and signal few keys at a time, while nodes crash. A model that knows nothing of
 * tables and rows follows the log: each signal ends the wait that is its own, or is kept for it; none is missed, none doubled.
 * Deterministic.
 */
export function runWaitsSeed(seed: number, trace?: (line: string) => void): WaitsSeedResult {
  const world = new WaitsWorld(seed, trace)
  return world.result(failureOf(world, trace))
}

/** What one seed did. */
export interface WaitsSeedResult extends SeedResult {
  readonly waits: WaitCounts
}

class WaitsWorld {
  private readonly seed: number
  private readonly swarm: Swarm
  private readonly cluster: SimulatedCluster
  private readonly nemesis: Nemesis
  private readonly racers: Racers
  private readonly watch: ReplicaWatch
  private readonly model = new WaitModel()
  /** Of each node's running process. */
  private readonly recorders = new Map<NodeId, WaitRecorder>()
  private events = 0

  constructor(seed: number, trace?: (line: string) => void) {
    this.seed = seed
    const generator = (purpose: keyof typeof PURPOSE): Random => new Random(seed, PURPOSE[purpose])
    this.swarm = drawSwarm(generator)
    const { swarm } = this
    const { snapshotBytes, segmentBytes, appendEntriesMax } = swarm
    this.cluster = new SimulatedCluster({
      seed,
      nodes: swarm.disks.map((disk, at) => ({
        disk,
        clock: swarm.clocks[at] ?? { ratePpm: 1_000_000, wallOffsetMs: 0 },
      })),
      network: swarm.network,
      limits: { ...DEFAULT_LIMITS, snapshotBytes },
      credit: null,
      appendEntriesMax,
      segmentBytes,
      mount: (_work, id) => {
        const recorder = new WaitRecorder()
        this.recorders.set(id, recorder)
        return mount([waitMachine(recorder)], sessionCodec)
      },
      generator,
      observe: (id) => this.observer(id),
    })
    this.watch = new ReplicaWatch(this.cluster, trace)
    const { scheduler, network, nodes, channels } = this.cluster
    const endpoints = nodes.map((node) => node.address)
    this.racers = new Racers({ random: generator('racers'), world: { scheduler, channels, endpoints } })
    const [random, replacements, absences] = [generator('nemesis'), generator('replacements'), generator('absent')]
    this.nemesis = new Nemesis({ swarm, random, replacements, absences, scheduler, network, nodes })
  }

  private observer(id: NodeId): NodeObserver {
    return {
      composed: ({ driver, gateway }) => {
        this.watch.listen(id, driver, (index, first) => {
          const events = this.recorders.get(id)?.take(index) ?? []
          // Of what other replicas do at this index the state's hash tells whether it is the same.
          if (first) this.model.applied(index, events)
        })
        return gateway
      },
      logOpened: (store, _recovered, done) => done(store),
      persisted: () => undefined,
      sending: () => undefined,
      diskReplaced: () => undefined,
    }
  }

  run(): void {
    const { cluster, swarm, racers } = this
    const { scheduler } = cluster
    for (const node of cluster.nodes) node.start()
    racers.open()
    this.nemesis.start()
    this.runUntil(() => scheduler.now >= swarm.faultMicros)
    const alive = this.nemesis.heal(this.watch.highest > 0)
    cluster.channels.reset()
    const healedAt = scheduler.now
    if (alive.length < cluster.nodes.length) {
      this.runUntil(() => this.activated(alive) || scheduler.now > healedAt + ACTIVE_WITHIN)
      // A disk was lost, or a node, before its voter had said what it is built of: no command can run.
      if (!this.activated(alive)) return
    }
    this.runUntil(() => this.settled(alive) || scheduler.now > healedAt + SETTLED_WITHIN)
    if (!this.settled(alive)) throw new Violation('all is answered and applied after healing', racers.facts())
    for (const node of alive) this.checkEnd(node)
  }

  result(failure: string | null): WaitsSeedResult {
    const { seed, watch, events } = this
    return {
      seed,
      failure,
      events,
      simSeconds: this.cluster.scheduler.now / 1_000_000,
      acks: this.racers.acks,
      elections: watch.elections,
      snapshots: this.cluster.nodes.reduce((sum, node) => sum + node.snapshotsWritten, 0),
      installs: this.cluster.nodes.reduce((sum, node) => sum + node.snapshotsInstalled, 0),
      hash: watch.hash(),
      waits: this.model.counts,
    }
  }

  private runUntil(end: () => boolean): void {
    while (!end() && this.cluster.scheduler.next()) this.events += 1
  }

  private activated(alive: readonly SimulatedNode[]): boolean {
    return alive.some((node) => node.machine?.activated === true)
  }

  private settled(alive: readonly SimulatedNode[]): boolean {
    return this.racers.quiet && alive.every((node) => node.machine?.appliedIndex === this.watch.highest)
  }

  /** What a replica still has is what the model has: no timer of a wait that is over, and none that is missing. */
  private checkEnd({ machine, id }: SimulatedNode): void {
    machine?.checkInvariants()
    const timers = machine?.counts.timers ?? -1
    if (timers === this.model.timed) return
    throw new Violation('the waits that are left are those of the model', { node: id, timers, model: this.model.timed })
  }
}
