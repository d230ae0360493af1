import { Random } from '../base/random.ts'
import { DEFAULT_LIMITS } from '../codec/entry/default-limits.ts'
import type { WriteTrace } from '../trace/line.ts'
import { checkState, checkTransition } from '../raft/index.ts'
import type { LeaseTerms } from '../raft/types.ts'
import type { SessionFacts } from '../session/state-machine.ts'
import { ReadWatch } from './checkers/read-watch.ts'
import { Violation } from './checkers/violation.ts'
import { drawReadEvery, Reader } from './clients/reader.ts'
import { SdkClient } from './clients/sdk-client.ts'
import { SimulatedClient } from './clients/simulated-client.ts'
import { drawCommands, mountMachines, SHARED } from './clients/workload.ts'
import { ClusterWatch } from './cluster-watch.ts'
import { DiskFilling } from './faults/disk-filling.ts'
import { DiskRot } from './faults/disk-rot.ts'
import { failureOf } from './failure-of.ts'
import { FaultSchedule } from './fault-schedule.ts'
import { LeaderHunter } from './faults/leader-hunter.ts'
import { MemberChurn } from './faults/member-churn.ts'
import { OfficeShaker } from './faults/office-shaker.ts'
import { SyncFailures } from './faults/sync-failures.ts'
import { Nemesis } from './faults/nemesis.ts'
import { Operator } from './operator.ts'
import { drawLeases, drawOutbox, drawSwarm, type Swarm } from './swarm.ts'
import { SimulatedCluster } from './world/simulated-cluster.ts'
import type { SimulatedNode } from './world/simulated-node.ts'

/** Streams of one seed's randomness, one per purpose (faults.md §1). */
const PURPOSE = {
  swarm: 1,
  network: 2,
  nemesis: 3,
  clients: 4,
  channels: 5,
  requests: 6,
  rings: 7,
  handling: 8,
  replacements: 9,
  hunts: 12,
  hunter: 13,
  office: 41,
  churns: 33,
  churn: 34,
  rots: 35,
  rot: 36,
  reads: 31,
  reader: 32,
  absences: 115,
  absent: 116,
  leases: 91,
  choices: 92,
  operators: 121,
  operator: 122,
  outboxes: 123,
  syncs: 141,
  sync: 142,
  fills: 151,
  fill: 152,
}

/** Longest election timeout, in microseconds: the unit of the liveness bound. */
const ELECTION_MICROS = 600_000
/** After healing, a leader exists within 20 election timeouts; the clients' retries may take some more. */
const LEADER_WITHIN = 20 * ELECTION_MICROS
const DONE_WITHIN = 200 * ELECTION_MICROS

/** What one seed did; `failure` is null when every invariant held. */
export interface SeedResult {
  readonly seed: number
  readonly failure: string | null
  readonly events: number
  readonly simSeconds: number
  readonly acks: number
  readonly elections: number
  readonly snapshots: number
  /** Snapshots that a follower pulled and went on from. */
  readonly installs: number
  /** Hash of everything that happened, in order: equal for equal seeds. */
  readonly hash: string
}

/** The same of a world with readers, and whose members change. */
export interface ReadSeedResult extends SeedResult {
  /** Linearizable reads that were answered. */
  readonly reads: number
  /** Of these, by a new leader that did not know what was committed; and how many had to wait until it did. */
  readonly answeredInLimbo: number
  readonly waitedForLimbo: number
  /** Entries that were applied where somebody had been told which rows they may write. */
  readonly limboCompared: number
  /** Members that lost their place to another disk, or that were removed or added, by command. */
  readonly memberChanges: number
  /** Starts of a node whose log, or snapshot, had rotted so that it owed something. */
  readonly repairs: number
  /** Changes of limits that operators made, and sessions that they ended. */
  readonly operatorDeeds: number
  /** How often a node stopped because a sync of its disk had failed. */
  readonly failedSyncs: number
  /** How often a disk was short of room, and a node stopped, or did not come up, for want of it. */
  readonly fillings: number
  readonly fullStops: number
  /** Server requests that were dropped for want of room, as their clients were told. */
  readonly leftOut: number
}

/** Runs one seed's world to its end, with those faults. Deterministic: equal seeds give equal results, the hash included. */
export function runSeed(seed: number, trace?: (line: string) => void, faults = new FaultSchedule()): ReadSeedResult {
  return runTracedSeed(seed, undefined, faults, trace)
}

/** The same; `steps` is given what the core of each node does. */
export function runTracedSeed(
  seed: number,
  steps?: WriteTrace,
  faults = new FaultSchedule(),
  trace?: (line: string) => void,
): ReadSeedResult {
  const world = new World(seed, faults, steps, trace)
  return world.result(failureOf(world, trace))
}

class World {
  private readonly seed: number
  private readonly steps: WriteTrace | undefined
  private readonly swarm: Swarm
  private readonly leases: LeaseTerms | null
  /** Most server requests of an outbox, where that is few. */
  private readonly outboxMax: number | null
  private readonly cluster: SimulatedCluster
  private readonly watch: ClusterWatch
  private readonly clients: readonly (SimulatedClient | SdkClient)[]
  private readonly nemesis: Nemesis
  private readonly hunter: LeaderHunter | null
  private readonly shaker: OfficeShaker
  private readonly churn: MemberChurn | null
  private readonly rot: DiskRot | null
  private readonly operator: Operator | null
  private readonly reader: Reader | null
  private readonly syncFailures: SyncFailures | null
  private readonly filling: DiskFilling | null
  private events = 0

  constructor(seed: number, faults: FaultSchedule, steps?: WriteTrace, trace?: (line: string) => void) {
    this.seed = seed
    this.steps = steps
    this.watch = new ClusterWatch(trace)
    this.swarm = faults.kept(drawSwarm((purpose) => new Random(seed, PURPOSE[purpose])))
    const { swarm } = this
    this.leases = drawLeases(new Random(seed, PURPOSE.leases))
    this.outboxMax = drawOutbox(new Random(seed, PURPOSE.outboxes))
    this.cluster = this.createCluster()
    this.clients = this.createClients()
    const random = new Random(seed, PURPOSE.nemesis)
    const replacements = new Random(seed, PURPOSE.replacements)
    const absences = new Random(seed, PURPOSE.absent)
    const { scheduler, network, nodes } = this.cluster
    this.nemesis = new Nemesis({ swarm, random, replacements, absences, scheduler, network, nodes, faults })
    const hunting = new Random(seed, PURPOSE.hunter)
    this.reader = this.createReader()
    this.shaker = new OfficeShaker({ random: new Random(seed, PURPOSE.office), scheduler, network, nodes })
    this.hunter = swarm.hunt ? new LeaderHunter({ random: hunting, scheduler, network, nodes }) : null
    // A disk that the nemesis replaces may be a voter's that nobody replaces by command.
    const churns = nodes.length > 1 && !this.nemesis.replaces && new Random(seed, PURPOSE.churns).chance(0.25)
    this.churn = churns ? new MemberChurn({ random: new Random(seed, PURPOSE.churn), scheduler, nodes }) : null
    // What rots is on the disks of a majority besides, and no disk of a member is away for good.
    const rots = nodes.length > 2 && !this.nemesis.replaces && !churns && new Random(seed, PURPOSE.rots).chance(0.3)
    this.rot = rots ? new DiskRot({ random: new Random(seed, PURPOSE.rot), scheduler, nodes }) : null
    const failing = new Random(seed, PURPOSE.syncs).chance(0.2)
    this.syncFailures = failing ? new SyncFailures({ random: new Random(seed, PURPOSE.sync), scheduler, nodes }) : null
    const { segmentBytes } = swarm
    const fills = new Random(seed, PURPOSE.fills).chance(0.2)
    const filler = new Random(seed, PURPOSE.fill)
    this.filling = fills ? new DiskFilling({ random: filler, scheduler, nodes, segmentBytes }) : null
    for (const witness of this.watch.witnesses.values())
      witness.explains = (id, fault) =>
        this.filling?.explains(id, fault) === true || (this.syncFailures?.explains(id) ?? false)
    const operates = new Random(seed, PURPOSE.operators).chance(0.2)
    this.operator = operates ? new Operator({ random: new Random(seed, PURPOSE.operator), scheduler, nodes }) : null
  }

  private createCluster(): SimulatedCluster {
    const { seed, swarm, outboxMax } = this
    const { snapshotBytes, segmentBytes, appendEntriesMax, requests } = swarm
    const { credit, ackTimeoutMs, ackTimeoutMaxMs } = requests
    // No request may die for want of an ack: what was emitted must be delivered.
    const attemptsMax = Number.MAX_SAFE_INTEGER
    const { outboxCountMax } = DEFAULT_LIMITS
    const waits = { ackTimeoutMs, ackTimeoutMaxMs, attemptsMax, outboxCountMax: outboxMax ?? outboxCountMax }
    const limits = { ...DEFAULT_LIMITS, snapshotBytes, ...waits }
    const nodes = swarm.disks.map((disk, at) => {
      const clock = swarm.clocks[at]
      if (clock === undefined) throw new Violation('every node has a disk and a clock', { at })
      return { disk, clock }
    })
    return new SimulatedCluster({
      seed,
      nodes,
      network: swarm.network,
      limits,
      credit,
      appendEntriesMax,
      segmentBytes,
      leases: this.leases,
      trace: this.steps,
      mount: () => mountMachines(outboxMax !== null),
      generator: (purpose) => new Random(seed, PURPOSE[purpose]),
      observe: (id) => this.watch.witness(id),
      check: (previous, next) => {
        checkState(next)
        checkTransition(previous, next)
      },
    })
  }

  private createClients(): readonly (SimulatedClient | SdkClient)[] {
    const { seed, swarm } = this
    const { scheduler, network, channels, nodes } = this.cluster
    const { requests: weather, commandsPerClient: increments, pipeline } = swarm
    const mounted = mountMachines(this.outboxMax !== null)
    return Array.from({ length: swarm.clients }, (_, at) => {
      const random = new Random(seed, PURPOSE.clients, at)
      const counts = { increments, rings: weather.ringsPerClient }
      const commands = drawCommands(mounted, counts, new Random(seed, PURPOSE.rings, at))
      const narrow = this.outboxMax !== null
      const requests = { weather, random: new Random(seed, PURPOSE.handling, at), narrow }
      const shared = { name: `c${at}`, scheduler, channels, random, commands, pipeline, requests }
      // Every other client is the SDK over streams; the rest speak to the log themselves, with every copy of a frame.
      if (at % 2 === 0) return new SdkClient({ ...shared, endpoints: nodes.map((node) => node.address) })
      return new SimulatedClient({ ...shared, network, nodes })
    })
  }

  /** Null in worlds without reads. */
  private createReader(): Reader | null {
    const everyMicros = drawReadEvery(new Random(this.seed, PURPOSE.reads), this.leases !== null)
    if (everyMicros === 0) return null
    const { scheduler, nodes } = this.cluster
    const watch = new ReadWatch({
      committedIndex: () => this.watch.invariants.committedIndex,
      acknowledged: (counted) => Math.max(0, ...this.clients.flatMap((client) => resultsOf(client, counted))),
    })
    return new Reader({
      random: new Random(this.seed, PURPOSE.reader),
      choice: new Random(this.seed, PURPOSE.choices),
      scheduler,
      nodes,
      watch,
      triedInLimbo: (id, machine, limbo) => {
        const log = this.watch.witnesses.get(id)?.log ?? null
        if (log !== null) this.watch.limbo.predicted(id, machine, { limbo, log })
      },
      everyMicros,
    })
  }

  run(): void {
    this.watch.transcript.add(0, JSON.stringify(this.swarm))
    for (const node of this.cluster.nodes) node.start()
    for (const client of this.clients) client.start()
    this.nemesis.start()
    this.shaker.start()
    this.churn?.start()
    this.rot?.start()
    this.syncFailures?.start()
    this.filling?.start()
    this.operator?.start()
    this.reader?.start()
    this.runUntil(() => this.cluster.scheduler.now >= this.swarm.faultMicros)
    this.hunter?.stop()
    this.shaker.stop()
    this.churn?.stop()
    this.rot?.stop()
    this.syncFailures?.stop()
    this.filling?.stop()
    this.operator?.stop()
    // Whoever owes something does not vote, and who has changed its disk may be none: then all of them run.
    const all = this.churn !== null || this.rot !== null
    const healed = this.nemesis.heal(this.watch.invariants.committedIndex > 0 && !all)
    this.cluster.channels.reset()
    const healedAt = this.cluster.scheduler.now
    // A disk that was replaced before the first Configuration may be a voter's, and lead.
    const led = (): boolean => this.cluster.leader !== null
    this.runUntil(() => led() || this.cluster.scheduler.now > healedAt + LEADER_WITHIN)
    if (!led()) {
      throw new Violation('a healed quorum elects a leader within 20 election timeouts', { healedAt })
    }
    const alive = this.churn === null ? healed : this.voters(this.churn, healedAt)
    const read = (): boolean => this.reader?.servedSince(healedAt, alive) ?? true
    const done = (): boolean => this.settled(alive) && read()
    this.runUntil(() => done() || this.cluster.scheduler.now > healedAt + DONE_WITHIN)
    this.checkEnd(alive)
    if (!read()) throw new Violation('every node that runs answers reads after healing', { healedAt })
  }

  /** The voters, once the change that was under way is over. */
  private voters(churn: MemberChurn, healedAt: number): readonly SimulatedNode[] {
    this.runUntil(() => churn.settled() !== null || this.cluster.scheduler.now > healedAt + DONE_WITHIN)
    const voters = churn.settled()
    if (voters === null) throw new Violation('a healed cluster ends the change of its members', { healedAt })
    return voters
  }

  result(failure: string | null): ReadSeedResult {
    return {
      seed: this.seed,
      failure,
      events: this.events,
      simSeconds: this.cluster.scheduler.now / 1_000_000,
      acks: this.clients.reduce((sum, client) => sum + client.acks, 0),
      elections: this.watch.invariants.elections,
      snapshots: this.cluster.nodes.reduce((sum, node) => sum + node.snapshotsWritten, 0),
      reads: this.reader?.served ?? 0,
      answeredInLimbo: this.reader?.answeredInLimbo ?? 0,
      waitedForLimbo: this.reader?.waitedForLimbo ?? 0,
      limboCompared: this.watch.limbo.compared,
      memberChanges: this.churn?.changes ?? 0,
      operatorDeeds: this.operator?.deeds ?? 0,
      failedSyncs: this.syncFailures?.stops ?? 0,
      fillings: this.filling?.fillings ?? 0,
      fullStops: this.filling?.stops ?? 0,
      leftOut: this.clients.reduce((sum, client) => sum + client.ledger.leftOut, 0),
      repairs: this.cluster.nodes.reduce((sum, node) => sum + node.repairs, 0),
      installs: this.cluster.nodes.reduce((sum, node) => sum + node.snapshotsInstalled, 0),
      hash: this.watch.transcript.hash(),
    }
  }

  private runUntil(end: () => boolean): void {
    while (!end() && this.cluster.scheduler.next()) {
      this.events += 1
      this.watch.look(this.cluster)
      this.hunter?.look()
    }
  }

  private settled(alive: readonly SimulatedNode[]): boolean {
    if (!this.clients.every((client) => client.done)) return false
    const applied = alive.map((node) => node.machine?.appliedIndex ?? 0)
    if (!applied.every((index) => index === applied[0] && index >= this.watch.invariants.committedIndex)) return false
    return this.clients.every((client) => {
      const facts = this.factsOf(client, alive[0])
      return facts !== null && facts.acknowledged === facts.lastServerRequestId
    })
  }

  private factsOf(client: { session: number | null }, node: SimulatedNode | undefined): SessionFacts | null {
    return client.session === null ? null : (node?.machine?.sessionFacts(client.session) ?? null)
  }

  /**
   * Exactly once: the shared counter's results are 1 … N and the bell's 1 … M, each seen by one request, N is what every
   * replica holds, and every session has handled and acknowledged all that was emitted to it.
   */
  private checkEnd(alive: readonly SimulatedNode[]): void {
    const unfinished = this.clients.filter((client) => !client.done).map((client) => client.name)
    if (unfinished.length > 0) throw new Violation('every operation completes after healing', { unfinished })
    const increments = this.resultsOf(this.clients, 'counter')
    for (const node of alive) {
      const answer = node.machine?.query({ machine: 'counter', query: 'value', input: SHARED, session: null })
      if (answer?.kind !== 'value' || answer.value !== increments.length) {
        throw new Violation('every replica holds each command once', {
          node: node.id,
          answer,
          expected: increments.length,
        })
      }
    }
    const strokes = this.resultsOf(this.clients, 'bell').length
    for (const client of this.clients) {
      const run = { increments: resultsOf(client, 'counter'), strokes }
      client.ledger.checkComplete(this.factsOf(client, alive[0]), run)
    }
    this.operator?.checkEnd(alive[0]?.machine ?? null)
    if (!this.settled(alive))
      throw new Violation('replicas converge after healing', { applied: this.watch.invariants.committedIndex })
  }

  /** What the commands of one machine returned, in order; they must be 1, 2, 3, … */
  private resultsOf(clients: World['clients'], machine: string): readonly number[] {
    const results = clients.flatMap((client) => resultsOf(client, machine)).sort((a, b) => a - b)
    const wrong = results.findIndex((value, position) => value !== position + 1)
    if (wrong >= 0) throw new Violation('exactly once', { machine, position: wrong + 1, value: results[wrong] })
    return results
  }
}

/** What one client's commands of one machine returned. */
function resultsOf(client: SimulatedClient | SdkClient, machine: string): readonly number[] {
  return [...client.results]
    .filter(([at]) => client.commands[at]?.machine === machine)
    .map(([, value]) => Number(value))
}
