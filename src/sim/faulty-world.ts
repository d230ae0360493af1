import type { NodeId } from '../base/brand.ts'
import { Random } from '../base/random.ts'
import { DEFAULT_LIMITS } from '../codec/entry/default-limits.ts'
import type { Limits } from '../codec/entry/payload.ts'
import type { SessionWorld } from './clients/command-session.ts'
import { ReplicaWatch } from './checkers/replica-watch.ts'
import { FaultSchedule } from './fault-schedule.ts'
import { Nemesis } from './faults/nemesis.ts'
import type { SeedResult } from './run-seed.ts'
import { drawSwarm, type Swarm } from './swarm.ts'
import type { NodeObserver } from './world/node-observer.ts'
import type { ClockSkew } from './world/simulated-clock.ts'
import { SimulatedCluster, type SimulatedClusterOptions } from './world/simulated-cluster.ts'
import type { SimulatedNode } from './world/simulated-node.ts'

/** Streams of one seed's randomness that every world of a workload has. Its own begin with other numbers. */
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
}

/** Within this time after healing a machine is switched on, if it ever can be. In microseconds. */
const ACTIVE_WITHIN = 60_000_000

/** Who wants to know what happens in a world, or to say which faults do. */
export interface WorldListener {
  /** Each line of the transcript. */
  readonly trace?: ((line: string) => void) | undefined
  readonly faults?: FaultSchedule | undefined
}

/** What a workload has of its own in its nodes. */
export type WorkloadParts = Pick<SimulatedClusterOptions, 'mount' | 'leases' | 'check'> & {
  /** Limits other than the default ones. */
  readonly limits?: Partial<Limits>
  /** Absent: the default. */
  readonly credit?: number
  /** Of a node, by what the swarm has drawn. Absent: just that. */
  clock?(drawn: ClockSkew): ClockSkew
  observe(id: NodeId): Pick<NodeObserver, 'composed'> & Partial<NodeObserver>
  /** What an event threw ends that event and not the world. Absent: it ends the world. */
  isHarmless?(error: unknown): boolean
}

/**
 * What the worlds have in common whose checkers know nothing of what lies below the log: nodes, network, disks and clocks as
 * the seed draws them, a nemesis, one state hash for each index, and the way from faults to healing.
 */
export class FaultyWorld {
  readonly seed: number
  readonly swarm: Swarm
  readonly cluster: SimulatedCluster
  readonly watch: ReplicaWatch
  readonly nemesis: Nemesis
  private readonly isHarmless: (error: unknown) => boolean
  private events = 0

  /** `parts` is told what the swarm is. */
  constructor(
    seed: number,
    parts: (swarm: Swarm) => WorkloadParts,
    { trace, faults = new FaultSchedule() }: WorldListener = {},
  ) {
    this.seed = seed
    const generator = (purpose: keyof typeof PURPOSE): Random => new Random(seed, PURPOSE[purpose])
    this.swarm = faults.kept(drawSwarm(generator))
    const { swarm } = this
    const own = parts(swarm)
    this.isHarmless = own.isHarmless ?? (() => false)
    this.cluster = newCluster(seed, { swarm, generator, own })
    this.watch = new ReplicaWatch(this.cluster, trace)
    const { scheduler, network, nodes } = this.cluster
    const [random, replacements, absences] = [generator('nemesis'), generator('replacements'), generator('absent')]
    this.nemesis = new Nemesis({ swarm, random, replacements, absences, scheduler, network, nodes, faults })
  }

  /** Where sessions of the SDK live. */
  get sessions(): SessionWorld {
    const { scheduler, channels, nodes } = this.cluster
    return { scheduler, channels, endpoints: nodes.map((node) => node.address) }
  }

  /** Starts the nodes, then whoever uses them, then what strikes them, in that order. */
  begin(users: { open(): void }, faults: readonly { start(): void }[]): void {
    for (const node of this.cluster.nodes) node.start()
    users.open()
    for (const fault of faults) fault.start()
  }

  /** Begins; returns when the faults are to end. */
  suffer(users: { open(): void }, faults: readonly { start(): void }[]): void {
    this.begin(users, faults)
    this.runUntil(() => this.over)
  }

  /** The faults are to end. */
  get over(): boolean {
    return this.cluster.scheduler.now >= this.swarm.faultMicros
  }

  /** Ends the nemesis; returns the nodes that must agree in the end. */
  heal(): readonly SimulatedNode[] {
    const alive = this.nemesis.heal(this.watch.highest > 0)
    this.cluster.channels.reset()
    return alive
  }

  /**
   * Waits for a machine to be switched on where nodes are missing. False: it cannot be, for a disk was lost, or a node,
   * before its voter had said what it is built of, so that no command can run.
   */
  canRun(alive: readonly SimulatedNode[]): boolean {
    const { nodes } = this.cluster
    if (alive.length === nodes.length) return true
    const activated = (): boolean => alive.some((node) => node.machine?.activated === true)
    this.runFor(ACTIVE_WITHIN, activated)
    return activated()
  }

  /** All of them have applied all that any replica has. */
  agree(alive: readonly SimulatedNode[]): boolean {
    return alive.every((node) => node.machine?.appliedIndex === this.watch.highest)
  }

  runUntil(end: () => boolean): void {
    while (!end()) if (!this.step()) return
  }

  /** The next event; false: there is none. */
  step(): boolean {
    try {
      if (!this.cluster.scheduler.next()) return false
    } catch (error) {
      if (!this.isHarmless(error)) throw error
    }
    this.events += 1
    return true
  }

  /** Until `end`, and for so many microseconds at most. */
  runFor(micros: number, end: () => boolean): void {
    const { scheduler } = this.cluster
    const until = scheduler.now + micros
    this.runUntil(() => end() || scheduler.now > until)
  }

  result(failure: string | null, acks: number): SeedResult {
    const { seed, events, watch } = this
    const { nodes, scheduler } = this.cluster
    return {
      seed,
      failure,
      events,
      simSeconds: scheduler.now / 1_000_000,
      acks,
      elections: watch.elections,
      snapshots: nodes.reduce((sum, node) => sum + node.snapshotsWritten, 0),
      installs: nodes.reduce((sum, node) => sum + node.snapshotsInstalled, 0),
      hash: watch.hash(),
    }
  }
}

function newCluster(
  seed: number,
  drawn: {
    readonly swarm: Swarm
    readonly own: WorkloadParts
    generator(purpose: 'network' | 'channels'): Random
  },
): SimulatedCluster {
  const { swarm, own, generator } = drawn
  const { snapshotBytes, segmentBytes, appendEntriesMax } = swarm
  const { limits, credit = null, leases = null, check, mount, clock, observe } = own
  return new SimulatedCluster({
    seed,
    nodes: swarm.disks.map((disk, at) => {
      const clockDrawn = swarm.clocks[at] ?? { ratePpm: 1_000_000, wallOffsetMs: 0 }
      return { disk, clock: clock?.(clockDrawn) ?? clockDrawn }
    }),
    network: swarm.network,
    limits: { ...DEFAULT_LIMITS, snapshotBytes, ...limits },
    credit,
    appendEntriesMax,
    segmentBytes,
    leases,
    ...(check === undefined ? {} : { check }),
    mount,
    generator,
    observe: (id) => ({ ...UNSEEN, ...observe(id) }),
  })
}

/** Nobody looks at what lies below the log. */
const UNSEEN: Omit<NodeObserver, 'composed'> = {
  logOpened: (store, _recovered, done) => done(store),
  persisted: () => undefined,
  sending: () => undefined,
  diskReplaced: () => undefined,
}
