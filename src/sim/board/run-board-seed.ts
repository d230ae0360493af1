import type { NodeId } from '../../base/brand.ts'
import { Random } from '../../base/random.ts'
import { sessionCodec } from '../../codec/session-codec.ts'
import { mount } from '../../machine/index.ts'
import { witnessDeliveries } from '../checkers/delivery-witness.ts'
import { Violation } from '../checkers/violation.ts'
import { failureOf } from '../failure-of.ts'
import { FaultyWorld, type WorkloadParts } from '../faulty-world.ts'
import { OfficeShaker } from '../faults/office-shaker.ts'
import type { SeedResult } from '../run-seed.ts'
import { drawLeases } from '../swarm.ts'
import type { SimulatedNode } from '../world/simulated-node.ts'
import { board } from './board-machine.ts'
import { BoardOperator, drawLimits } from './board-operator.ts'
import type { FateCounts } from './notice-fates.ts'
import { StreamStaller } from './stream-staller.ts'
import { Visitors } from './visitors.ts'
import { Witnesses } from './witnesses.ts'

/** Streams of the seed's randomness that this workload has besides. */
const PURPOSE = { office: 41, leases: 91, visitors: 141, operator: 142, limits: 143, stalls: 144 }

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
  private readonly world: FaultyWorld
  private readonly shaker: OfficeShaker
  private readonly staller: StreamStaller
  private readonly visitors: Visitors
  private readonly operator: BoardOperator
  private readonly witnesses = new Witnesses()

  constructor(seed: number, trace?: (line: string) => void) {
    const generator = (purpose: keyof typeof PURPOSE): Random => new Random(seed, PURPOSE[purpose])
    const { witnesses } = this
    const parts = {
      limits: drawLimits(generator('limits')),
      leases: drawLeases(generator('leases')),
      mount: () => mount([board], sessionCodec),
      observe: (id: NodeId) => this.observer(id),
    }
    this.world = new FaultyWorld(seed, ({ requests }) => ({ ...parts, credit: requests.credit }), { trace })
    const { scheduler, network, nodes, channels } = this.world.cluster
    channels.breakWhole = true
    this.visitors = new Visitors({ random: generator('visitors'), world: this.world.sessions, witnesses })
    const sessions = (): readonly number[] => this.visitors.sessions
    this.operator = new BoardOperator({ random: generator('operator'), scheduler, nodes, witnesses, sessions })
    this.shaker = new OfficeShaker({ random: generator('office'), scheduler, network, nodes })
    this.staller = new StreamStaller({ random: generator('stalls'), scheduler, channels })
  }

  private observer(id: NodeId): ReturnType<WorkloadParts['observe']> {
    return {
      composed: ({ driver, gateway, machine }) => {
        this.world.watch.listen(id, driver, (index, first, entry) => {
          if (!first) return
          this.witnesses.history.applied(index, machine)
          this.witnesses.fates.applied(entry, machine)
        })
        return witnessDeliveries(driver, gateway)
      },
    }
  }

  run(): void {
    const { world, visitors, operator, shaker, staller } = this
    world.suffer(visitors, [operator, world.nemesis, shaker, staller])
    shaker.stop()
    const alive = world.heal()
    operator.heal()
    visitors.wake()
    if (!world.canRun(alive)) return
    const settled = (): boolean => this.settled(alive)
    world.runFor(SETTLED_WITHIN, settled)
    if (!settled()) throw new Violation('all is answered, delivered and told after healing', this.facts())
    for (const { machine } of alive) {
      machine?.checkInvariants()
      if (machine !== null) this.witnesses.fates.checkEnd(machine)
    }
  }

  result(failure: string | null): BoardSeedResult {
    const { values, compacted, answers, lookups, evicted, fates } = this.witnesses
    const { deeds } = this.operator
    const counts = { ...fates.counts, values, compacted, answers, lookups, evicted, deeds }
    return { ...this.world.result(failure, this.visitors.acks), board: counts }
  }

  private settled(alive: readonly SimulatedNode[]): boolean {
    const { visitors, operator, staller, world } = this
    if (!operator.done || !visitors.quiet) return false
    // Until here: a subscription that is held back at the very last change is to hear of it.
    staller.stop()
    return world.agree(alive) && this.delivered && visitors.current
  }

  /** Every notice of whoever is still there has come to its end. */
  private get delivered(): boolean {
    const here = new Set(this.visitors.sessions)
    return this.witnesses.fates.settled((session) => !here.has(session))
  }

  private facts(): { readonly [name: string]: unknown } {
    const { operator, delivered, world } = this
    const applied = world.cluster.nodes.map((node) => node.machine?.appliedIndex ?? -1)
    return { ...this.visitors.facts(), done: operator.done, delivered, highest: world.watch.highest, applied }
  }
}
