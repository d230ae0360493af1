import { Random } from '../../base/random.ts'
import { type ClientEnvironment, type ClientSession, connect, type ConnectOptions } from '../../client/index.ts'
import { DEFAULT_LIMITS } from '../../codec/entry/default-limits.ts'
import type { Limits } from '../../codec/entry/payload.ts'
import { sessionCodec } from '../../codec/session-codec.ts'
import { mount, type Mount } from '../../machine/index.ts'
import type { NodeStatus } from '../../node/api.ts'
import { environmentOf } from '../../sim/world/client-environment.ts'
import { WALL_START_MS } from '../../sim/world/simulated-clock.ts'
import { SimulatedCluster } from '../../sim/world/simulated-cluster.ts'
import type { SimulatedNode } from '../../sim/world/simulated-node.ts'
import { guardedMount } from '../../assembly/development/guarded-mount.ts'
import { checkKitOptions, checkMachines } from '../check-options.ts'
import { type Duration, durationMs } from '../duration.ts'
import type { TypedMachines } from '../machines.ts'
import { ClusterWatch, type NodeFailure } from './cluster-watch.ts'
import { driving } from './driving-session.ts'
import { telling } from './telling-environment.ts'
import { VirtualRun } from './virtual-run.ts'

/** How a test cluster differs from a single node with the product's limits. */
export interface TestClusterOptions {
  /** Voters, an odd number from 1 to 7, named n1, n2, … Default 1. */
  readonly nodes?: number
  /** Equal seeds, and equal tests, give equal runs. An integer from 0 to 2^32 − 1. Default 1. */
  readonly seed?: number
  /** Limits that are not the product's, such as `snapshotBytes` or `ackTimeoutMs`. */
  readonly limits?: Partial<Limits>
  /** The wall clock at the start, ms since the Unix epoch. Default 1,700,000,000,000 (14 November 2023). */
  readonly startAtMs?: number
  /** What a machine may not use throws, with the `ctx` member to use instead. Default true. */
  readonly guard?: boolean
}

/** What a test may know of one node. */
export interface TestNode {
  /** n1, n2, … */
  readonly id: string
  readonly running: boolean
  /** It leads and may answer. */
  readonly leading: boolean
  /** Null while it does not run, or opens its log. */
  status(): NodeStatus | null
}

/** Bounds of waits that a healthy cluster meets within a second or two, ms of its own time. */
const WAIT_MS = 60_000
const CLOSE_MS = 1_000
const NODES_MAX = 7

/** Frames take 0.1 to 0.5 ms, a sync of the disk as long: a local network, and nothing is lost. */
const NETWORK = { loss: 0, duplication: 0, delayMin: 100, delayMax: 500, straggler: 0, stragglerDelay: 0 }
const DISK = { operationMax: 50, syncMin: 100, syncMax: 500, stallChance: 0, stall: 0 }
const SEGMENT_BYTES = 1 << 20

/** Streams of the seed's randomness, one per purpose; clients have theirs from 100 on. */
const PURPOSE = { network: 1, channels: 2 }
const CLIENTS_FROM = 100

/**
 * A cluster in memory, with the product's own code and a time of its own, for tests of machines (machines.md §6): no timer, no
 * socket, no file. It leads already. Time stands still until something is waited for: a call of a session runs the
 * world until its outcome is there, `advance` for a span. Throws for options that cannot be used.
 */
export function testCluster<const Machines extends TypedMachines>(
  machines: Machines,
  options: TestClusterOptions = {},
): TestCluster<Machines> {
  return new TestCluster(machines, options)
}

/** Made by `testCluster`. What runs the world returns a promise; everything else happens at once. */
export class TestCluster<Machines extends TypedMachines> {
  readonly machines: Machines
  /** What makes this run what it is. */
  readonly seed: number
  private readonly watch = new ClusterWatch()
  private readonly cluster: SimulatedCluster
  private readonly run: VirtualRun
  private readonly startAtMs: number
  private readonly sessions: ClientSession<Machines>[] = []
  private clients = 0

  constructor(machines: Machines, given: TestClusterOptions) {
    const options = checkKitOptions(given, ['seed', 'limits', 'startAtMs', 'guard'])
    checkMachines(machines)
    const { nodes = 1, seed = 1, limits = {}, startAtMs = WALL_START_MS, guard = true } = options
    if (!Number.isSafeInteger(nodes) || nodes < 1 || nodes > NODES_MAX || nodes % 2 === 0)
      throw new TypeError(`nodes is ${String(nodes)}: give an odd number from 1 to ${NODES_MAX}`)
    this.machines = machines
    this.seed = seed
    this.startAtMs = startAtMs
    const nature = { disk: DISK, clock: { ratePpm: 1_000_000, wallOffsetMs: startAtMs - WALL_START_MS } }
    this.cluster = new SimulatedCluster({
      seed,
      nodes: Array.from({ length: nodes }, () => nature),
      network: NETWORK,
      limits: { ...DEFAULT_LIMITS, ...limits },
      credit: null,
      appendEntriesMax: null,
      development: guard,
      segmentBytes: SEGMENT_BYTES,
      mount: () => mounted(machines, guard),
      generator: (purpose) => new Random(seed, PURPOSE[purpose]),
      observe: (id) => this.watch.observerOf(id),
    })
    this.run = new VirtualRun(this.cluster.scheduler, seed)
    for (const node of this.cluster.nodes) node.start()
    if (!this.run.runNow(() => this.cluster.leader !== null, WAIT_MS)) throw new Error('no leader was elected')
  }

  /** The wall clock, ms since the Unix epoch. */
  get now(): number {
    return this.startAtMs + this.cluster.scheduler.now / 1000
  }

  /** What machines threw, or did that counts as thrown, with the node that says so; the oldest first. */
  get failures(): readonly NodeFailure[] {
    return this.watch.failures
  }

  /** Id of the node that leads; null while there is none. */
  get leader(): string | null {
    return this.cluster.leader?.id ?? null
  }

  get nodes(): readonly TestNode[] {
    return this.cluster.nodes.map((node) => ({
      id: node.id,
      running: node.running,
      leading: node.driver?.leading === true,
      status: () => node.driver?.status() ?? null,
    }))
  }

  /** A session of that principal (`user:alice`), by the product's own client, with types; rejects as `connect` does. */
  async session(principal: string, options: Partial<ConnectOptions<Machines>> = {}): Promise<ClientSession<Machines>> {
    const session = await this.run.awaited(
      connect<Machines>({
        endpoints: this.cluster.nodes.map((node) => node.address),
        environment: this.environment(),
        principal,
        machines: this.machines,
        ...options,
      } as ConnectOptions<Machines>),
    )
    const { index } = session.token ?? { index: 0 }
    this.sessions.push(session)
    return driving(session, this.run, () => this.undelivered(index))
  }

  /** Lets that much time pass, timers and all. */
  advance(duration: Duration): Promise<void> {
    return this.run.advance(durationMs(duration))
  }

  /**
   * Runs the world until the promise settles, and gives what it does, or until the condition holds. Rejects when that takes
   * more than `within` (default a minute) of the cluster's time.
   */
  async until<Result>(
    awaited: Promise<Result> | (() => boolean),
    options: { readonly within?: Duration } = {},
  ): Promise<Result | undefined> {
    const withinMs = durationMs(options.within ?? WAIT_MS)
    let settled = false
    const end = (): void => {
      settled = true
    }
    if (typeof awaited !== 'function') awaited.then(end, end)
    const held = await this.run.until(typeof awaited === 'function' ? awaited : () => settled, withinMs)
    if (!held) throw new Error(`it has not come true within ${withinMs} ms (seed ${this.seed})`)
    return typeof awaited === 'function' ? undefined : awaited
  }

  /**
   * `kill -9` and a start on the same disk, of one node until it has opened its log, or of all until one leads. A node that was
   * killed starts.
   */
  async restart(id?: string): Promise<void> {
    const nodes = id === undefined ? this.cluster.nodes : [this.nodeOf(id)]
    for (const node of nodes) node.crash(false)
    for (const node of nodes) node.start()
    this.cluster.channels.reset()
    const up = (): boolean => nodes.every((node) => node.driver !== null)
    await this.until(() => up() && (id !== undefined || this.cluster.leader !== null))
  }

  /** `kill -9` of the node that leads; gives its id. It stays down until `restart(id)`. Throws when none leads. */
  killLeader(): string {
    const { leader } = this.cluster
    if (leader === null) throw new Error('no node leads now: advance the time until one does')
    leader.crash(false)
    this.cluster.channels.reset()
    return leader.id
  }

  /**
   * From now on no frame passes between nodes of different groups, until `heal`. Nodes that no group names are one more group;
   * clients reach them all. Replaces an earlier partition.
   */
  partition(groups: readonly (readonly string[])[]): void {
    const groupOf = new Map<string, number>()
    for (const [position, group] of groups.entries()) {
      for (const id of group) {
        if (groupOf.has(this.nodeOf(id).id)) throw new TypeError(`${id} is named twice`)
        groupOf.set(id, position)
      }
    }
    this.heal()
    for (const { id: from } of this.cluster.nodes) {
      for (const { id: to } of this.cluster.nodes) {
        if (groupOf.get(from) !== groupOf.get(to)) this.cluster.network.setLink(from, to, false)
      }
    }
  }

  /** Ends a partition. */
  heal(): void {
    this.cluster.network.healAll()
  }

  /** Has a snapshot written by every node that runs, and waits until it is durable there. */
  async snapshotNow(): Promise<void> {
    await this.until(() => this.cluster.leader !== null)
    let boundary = 0
    this.cluster.leader?.driver?.submit('Snapshot', new Uint8Array(), {
      settled: (_reply, index) => {
        boundary = index
      },
      refused: (code) => this.run.fail(new Error(`the snapshot was refused: ${code}`)),
      lost: () => this.run.fail(new Error('leadership was lost before the snapshot was committed')),
    })
    const written = ({ driver }: SimulatedNode): boolean => driver === null || driver.status().snapshotIndex >= boundary
    await this.until(() => boundary > 0 && this.cluster.nodes.every(written))
  }

  /** Detaches all sessions and ends every node. What is still waited for is told so. */
  async close(): Promise<void> {
    for (const session of this.sessions) session.detach()
    // What broke the run was told to whoever waited for it; the nodes end all the same.
    await this.run.advance(CLOSE_MS).catch(() => undefined)
    for (const node of this.cluster.nodes) node.crash(false)
    this.run.stop('the test cluster was closed')
  }

  private environment(): ClientEnvironment {
    const { scheduler, channels } = this.cluster
    this.clients += 1
    const random = new Random(this.seed, CLIENTS_FROM + this.clients)
    const environment = environmentOf({ name: `client-${this.clients}`, scheduler, channels, random })
    return {
      ...telling(environment, () => this.run.clientTold()),
      warn: (code, message) => process.emitWarning(message, { type: 'HoldfastWarning', code }),
    }
  }

  private undelivered(session: number): boolean {
    return this.cluster.nodes.some(({ machine }) => {
      const facts = machine?.sessionFacts(session) ?? null
      return facts !== null && facts.acknowledged < facts.lastServerRequestId
    })
  }

  private nodeOf(id: string): SimulatedNode {
    const node = this.cluster.nodes.find((candidate) => candidate.id === id)
    if (node !== undefined) return node
    throw new TypeError(
      `there is no node ${id}: this cluster has ${this.cluster.nodes.map((own) => own.id).join(', ')}`,
    )
  }
}

function mounted(machines: TypedMachines, guard: boolean): Mount {
  const plain = mount(machines, sessionCodec)
  return guard ? guardedMount(plain) : plain
}
