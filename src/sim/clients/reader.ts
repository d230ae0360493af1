import type { NodeId } from '../../base/brand.ts'
import type { Random } from '../../base/random.ts'
import type { ReadSink } from '../../node/api.ts'
import type { SessionStateMachine } from '../../session/session-state-machine.ts'
import type { LimboRows, QueryRequest } from '../../session/state-machine.ts'
import type { Counted, ReadWatch } from '../checkers/read-watch.ts'
import type { Scheduler } from '../world/scheduler.ts'
import type { SimulatedNode } from '../world/simulated-node.ts'
import { SHARED } from './workload.ts'

/** A read gives up after this long; the nodes' own alarm tells it. */
const WAIT_MS = 5000
/** Reads that begin together, now and then. */
const BURST_MAX = 4

/** What is read: what every command changes, and what few do. */
const QUERIES: { readonly [Name in Counted]: QueryRequest } = {
  counter: { machine: 'counter', query: 'value', input: SHARED, session: null },
  bell: { machine: 'bell', query: 'strokes', input: null, session: null },
}

export interface ReaderOptions {
  readonly random: Random
  /** Which of the two is read next. */
  readonly choice: Random
  readonly scheduler: Scheduler
  readonly nodes: readonly SimulatedNode[]
  readonly watch: ReadWatch
  /** A read is tried at that node, whose entries up to `limbo.last` may be committed or not. */
  triedInLimbo(node: NodeId, machine: SessionStateMachine, limbo: LimboRows): void
  /** Mean time between reads, µs. */
  readonly everyMicros: number
}

/** Where leaders have leases there are reads in the short time in which one inherits them. */
const LEASED_EVERY = 10_000

/** What a seed's world has of reads: the mean time between two, µs; 0: none at all. */
export function drawReadEvery(random: Random, leased: boolean): number {
  const drawn = random.chance(0.5) ? random.pick([LEASED_EVERY, 50_000, 200_000]) : 0
  return leased ? LEASED_EVERY : drawn
}

/** Reads the shared counter and the bell at any node, all the time, and has each answer checked. */
export class Reader {
  /** Reads that were answered. */
  served = 0
  /** Of these, by a new leader that did not know what was committed; and how many had to wait until it did. */
  answeredInLimbo = 0
  waitedForLimbo = 0
  private readonly options: ReaderOptions
  /** When the newest answered read of each node was asked, µs. */
  private readonly lastServed = new Map<NodeId, number>()

  constructor(options: ReaderOptions) {
    this.options = options
  }

  start(): void {
    const { random, choice, scheduler, everyMicros, nodes } = this.options
    scheduler.after(random.below(2 * everyMicros), () => {
      const count = random.chance(0.2) ? random.between(2, BURST_MAX) : 1
      const node = random.pick(nodes)
      for (let read = 0; read < count; read += 1) this.ask(node, choice.pick(['counter', 'bell'] as const))
      this.start()
    })
  }

  /** True when a read was answered at each of these nodes that was asked after that moment. */
  servedSince(micros: number, nodes: readonly SimulatedNode[]): boolean {
    return nodes.every((node) => (this.lastServed.get(node.id) ?? -1) > micros)
  }

  private ask(node: SimulatedNode, counted: Counted): void {
    const { driver, machine } = node
    if (driver === null || machine === null) return
    const { scheduler, watch, triedInLimbo } = this.options
    const askedAt = scheduler.now
    const seen = watch.seen(counted)
    const answered = (index: number | null, answer: ReturnType<typeof machine.query>): void => {
      this.served += 1
      this.lastServed.set(node.id, Math.max(askedAt, this.lastServed.get(node.id) ?? 0))
      watch.answered(seen, { node: node.id, index, answer })
    }
    const sink: ReadSink = {
      begun: () => undefined,
      ready: () => answered(machine.appliedIndex, machine.query(QUERIES[counted])),
      readyInLimbo: (limbo) => {
        if (limbo !== null) triedInLimbo(node.id, machine, limbo)
        const answer = limbo === null ? null : machine.queryInLimbo(QUERIES[counted], limbo)
        if (answer === null) this.waitedForLimbo += 1
        else {
          this.answeredInLimbo += 1
          answered(null, answer)
        }
        return answer === null ? { answered: 0, waiting: 1 } : { answered: 1, waiting: 0 }
      },
      failed: () => undefined,
    }
    driver.read(sink, WAIT_MS)
  }
}
