import type { NodeId } from '../../base/brand.ts'
import { Random } from '../../base/random.ts'
import { sessionCodec } from '../../codec/session-codec.ts'
import { mount, type Mount } from '../../machine/index.ts'
import { payments, type Totals } from '../../machines/index.ts'
import { Violation } from '../checkers/violation.ts'
import { failureOf } from '../failure-of.ts'
import { FaultyWorld, type WorkloadParts } from '../faulty-world.ts'
import type { SeedResult } from '../run-seed.ts'
import type { SimulatedNode } from '../world/simulated-node.ts'
import { booksOf, checkConservation } from './conservation.ts'
import { Market } from './market.ts'
import { checkStatement } from './statement-check.ts'

/** Streams of the seed's randomness that this workload has besides. */
const PURPOSE = { market: 21, answers: 22 }

/** Seeds whose provider contradicts its answers: a query comes after five minutes, which take long to simulate. */
const CONTRADICTED = 0.1

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
  private readonly world: FaultyWorld
  private readonly market: Market
  /** Index at which refunds were on their way when the books were asked last. */
  private unsettledAt = -1
  private money: Totals['money'] | null = null

  constructor(seed: number, trace?: (line: string) => void) {
    const parts = { mount: mountPayments, observe: (id: NodeId) => this.observer(id) }
    this.world = new FaultyWorld(seed, () => parts, { trace })
    const contradicts = new Random(seed, PURPOSE.answers).chance(CONTRADICTED)
    this.market = new Market({ random: new Random(seed, PURPOSE.market), contradicts, world: this.world.sessions })
  }

  private observer(id: NodeId): ReturnType<WorkloadParts['observe']> {
    return {
      composed: ({ driver, gateway }) => {
        this.world.watch.listen(id, driver, (index, first) => this.applied(id, { index, first }))
        return gateway
      },
    }
  }

  private applied(id: NodeId, { index, first }: { readonly index: number; readonly first: boolean }): void {
    const { auditor } = this.market
    if (!first || auditor === null) return
    const machine = this.world.cluster.nodes.find((node) => node.id === id)?.machine ?? null
    const books = machine === null ? null : booksOf(machine, auditor)
    if (books !== null) checkConservation(index, books)
  }

  run(): void {
    const { world, market } = this
    world.suffer(market, [world.nemesis])
    const alive = world.heal()
    // No command can run, and there is no money to look for.
    if (!world.canRun(alive)) return this.checkIdle()
    const settled = (): boolean => this.settled(alive)
    world.runFor(SETTLED_WITHIN, settled)
    if (!settled()) throw new Violation('all money settles after healing', market.facts())
    for (const node of alive) this.checkEnd(node)
  }

  result(failure: string | null): PaymentsSeedResult {
    const { provider } = this.market
    return {
      ...this.world.result(failure, this.market.acks),
      money: this.money,
      untold: provider.lost.size,
      contradicted: { ...provider.contradicted },
    }
  }

  private checkIdle(): void {
    const { acks } = this.market
    if (acks > 0) throw new Violation('a machine that is not switched on executes nothing', { acks })
  }

  private settled(alive: readonly SimulatedNode[]): boolean {
    if (!this.market.quiet) return false
    const { highest } = this.world.watch
    if (!this.world.agree(alive)) return false
    // PERF: asked after every event, and only an entry can change the answer: a sixth of all time went into asking again.
    if (this.unsettledAt === highest) return false
    const { auditor } = this.market
    const machine = alive[0]?.machine ?? null
    const books = auditor === null || machine === null ? null : booksOf(machine, auditor)
    if (books !== null && !books.refunds.some(({ status }) => status === 'QUEUED' || status === 'SENT')) return true
    this.unsettledAt = highest
    return false
  }

  private checkEnd(node: SimulatedNode): void {
    const { auditor, provider } = this.market
    const books = auditor === null || node.machine === null ? null : booksOf(node.machine, auditor)
    if (books === null) throw new Violation('a healed replica answers', { node: node.id })
    checkConservation(this.world.watch.highest, books)
    checkStatement(provider, books)
    this.money = books.totals.money
  }
}
