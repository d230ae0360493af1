import type { NodeId } from '../../base/brand.ts'
import { Random } from '../../base/random.ts'
import { DEFAULT_LIMITS } from '../../codec/entry/default-limits.ts'
import { sessionCodec } from '../../codec/session-codec.ts'
import { mount, type Mount } from '../../machine/index.ts'
import { payments, type Totals } from '../../machines/index.ts'
import { ReplicaWatch } from '../checkers/replica-watch.ts'
import { Violation } from '../checkers/violation.ts'
import { failureOf } from '../failure-of.ts'
import { Nemesis } from '../nemesis.ts'
import type { SeedResult } from '../run-seed.ts'
import { drawSwarm, type Swarm } from '../swarm.ts'
import type { NodeObserver } from '../world/node-observer.ts'
import { SimulatedCluster } from '../world/simulated-cluster.ts'
import type { SimulatedNode } from '../world/simulated-node.ts'
import { booksOf, checkConservation } from './conservation.ts'
import { Market } from './market.ts'
import { checkStatement } from './statement-check.ts'

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
  market: 21,
  answers: 22,
}

/** Seeds whose provider contradicts its answers: a query comes after five minutes, which take long to simulate. */
const CONTRADICTED = 0.1

/**
 * The machine runs at version 2, which is switched on when every voter has said what it is built of (sessions.md §10). Within
 * this time after healing they have, if they ever can. In microseconds.
 */
const ACTIVE_WITHIN = 60_000_000
/**
 * After healing, all money has settled: tasks are leased for 30 s and tried three times, by the clock of machines. It stands
 * still after a leader whose wall clock is ahead: two are up to 1,200 s apart (`swarm.ts`), and run at nine tenths at the
 * slowest, so 600 s for the tasks and 1,400 s for the clock. In microseconds.
 */
const SETTLED_WITHIN = 2_000_000_000

/**
 * One seed's world in which a misbehaving payment provider, clients, therapists, workers and an administrator use the machine
 * payments while nodes crash. At every index that a replica applies first, the money of each transaction is conserved to the
 * cent; in the end the cluster's receipts and refunds are compared with the provider's own statement. Deterministic.
 */
export function runPaymentsSeed(seed: number, trace?: (line: string) => void): PaymentsSeedResult {
  const world = new PaymentsWorld(seed, trace)
  return world.result(failureOf(world, trace))
}

/** What one seed did, and where the money was in the end. */
export interface PaymentsSeedResult extends SeedResult {
  /** In minor units; null when the seed did not get so far. */
  readonly money: Totals['money'] | null
  /** Payments that nobody told the cluster of: only the provider's statement has them. */
  readonly untold: number
  /** Pushes of which a callback told the contrary of what the provider had answered to a query, by what it had answered. */
  readonly contradicted: { readonly saidFailedThenPaid: number; readonly saidPaidThenFailed: number }
}

function mountPayments(): Mount {
  return mount([payments], sessionCodec)
}

class PaymentsWorld {
  private readonly seed: number
  private readonly swarm: Swarm
  private readonly cluster: SimulatedCluster
  private readonly nemesis: Nemesis
  private readonly market: Market
  private readonly watch: ReplicaWatch
  /** Index at which refunds were on their way when the books were asked last. */
  private unsettledAt = -1
  private money: Totals['money'] | null = null
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
      mount: mountPayments,
      generator,
      observe: (id) => this.observer(id),
    })
    this.watch = new ReplicaWatch(this.cluster, trace)
    const { scheduler, network, nodes, channels } = this.cluster
    const endpoints = nodes.map((node) => node.address)
    const contradicts = generator('answers').chance(CONTRADICTED)
    this.market = new Market({ random: generator('market'), contradicts, world: { scheduler, channels, endpoints } })
    const [random, replacements, absences] = [generator('nemesis'), generator('replacements'), generator('absent')]
    this.nemesis = new Nemesis({ swarm, random, replacements, absences, scheduler, network, nodes })
  }

  private observer(id: NodeId): NodeObserver {
    return {
      composed: ({ driver, gateway }) => {
        this.watch.listen(id, driver, (index, first) => this.applied(id, { index, first }))
        return gateway
      },
      logOpened: (store, _recovered, done) => done(store),
      persisted: () => undefined,
      sending: () => undefined,
      diskReplaced: () => undefined,
    }
  }

  private applied(id: NodeId, { index, first }: { readonly index: number; readonly first: boolean }): void {
    const { auditor } = this.market
    if (!first || auditor === null) return
    const machine = this.cluster.nodes.find((node) => node.id === id)?.machine ?? null
    const books = machine === null ? null : booksOf(machine, auditor)
    if (books !== null) checkConservation(index, books)
  }

  run(): void {
    const { cluster, swarm, market } = this
    for (const node of cluster.nodes) node.start()
    market.open()
    this.nemesis.start()
    this.runUntil(() => cluster.scheduler.now >= swarm.faultMicros)
    const alive = this.nemesis.heal(this.watch.highest > 0)
    cluster.channels.reset()
    const healedAt = cluster.scheduler.now
    if (alive.length < cluster.nodes.length) {
      const inTime = healedAt + ACTIVE_WITHIN
      this.runUntil(() => this.activated(alive) || cluster.scheduler.now > inTime)
      // A disk was lost, or a node, before its voter had said so: no command can run, and there is no money to look for.
      if (!this.activated(alive)) return this.checkIdle()
    }
    this.runUntil(() => this.settled(alive) || cluster.scheduler.now > healedAt + SETTLED_WITHIN)
    if (!this.settled(alive)) throw new Violation('all money settles after healing', this.market.facts())
    for (const node of alive) this.checkEnd(node)
  }

  result(failure: string | null): PaymentsSeedResult {
    return {
      seed: this.seed,
      failure,
      events: this.events,
      simSeconds: this.cluster.scheduler.now / 1_000_000,
      acks: this.market.acks,
      elections: this.watch.elections,
      snapshots: this.cluster.nodes.reduce((sum, node) => sum + node.snapshotsWritten, 0),
      installs: this.cluster.nodes.reduce((sum, node) => sum + node.snapshotsInstalled, 0),
      hash: this.watch.hash(),
      money: this.money,
      untold: this.market.provider.lost.size,
      contradicted: { ...this.market.provider.contradicted },
    }
  }

  private runUntil(end: () => boolean): void {
    while (!end() && this.cluster.scheduler.next()) this.events += 1
  }

  private activated(alive: readonly SimulatedNode[]): boolean {
    return alive.some((node) => node.machine?.activated === true)
  }

  private checkIdle(): void {
    const { acks } = this.market
    if (acks > 0) throw new Violation('a machine that is not switched on executes nothing', { acks })
  }

  private settled(alive: readonly SimulatedNode[]): boolean {
    if (!this.market.quiet) return false
    if (!alive.every((node) => node.machine?.appliedIndex === this.watch.highest)) return false
    // PERF: asked after every event, and only an entry can change the answer: a sixth of all time went into asking again.
    if (this.unsettledAt === this.watch.highest) return false
    const { auditor } = this.market
    const machine = alive[0]?.machine ?? null
    const books = auditor === null || machine === null ? null : booksOf(machine, auditor)
    if (books !== null && !books.refunds.some(({ status }) => status === 'QUEUED' || status === 'SENT')) return true
    this.unsettledAt = this.watch.highest
    return false
  }

  private checkEnd(node: SimulatedNode): void {
    const { auditor, provider } = this.market
    const books = auditor === null || node.machine === null ? null : booksOf(node.machine, auditor)
    if (books === null) throw new Violation('a healed replica answers', { node: node.id })
    checkConservation(this.watch.highest, books)
    checkStatement(provider, books)
    this.money = books.totals.money
  }
}
