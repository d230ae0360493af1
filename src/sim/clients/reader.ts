import type { NodeId } from '../../base/brand.ts'
import type { Random } from '../../base/random.ts'
import type { ReadSink } from '../../node/api.ts'
import type { ReadWatch } from '../checkers/read-watch.ts'
import type { Scheduler } from '../world/scheduler.ts'
import type { SimulatedNode } from '../world/simulated-node.ts'
import { SHARED } from './workload.ts'

/** A read gives up after this long; the nodes' own alarm tells it. */
const WAIT_MS = 5000
/** Reads that begin together, now and then. */
const BURST_MAX = 4

export interface ReaderOptions {
  readonly random: Random
  readonly scheduler: Scheduler
  readonly nodes: readonly SimulatedNode[]
  readonly watch: ReadWatch
  /** Mean time between reads, µs. */
  readonly everyMicros: number
}

/** What a seed's world has of reads: the mean time between two, µs; 0: none at all. */
export function drawReadEvery(random: Random): number {
  return random.chance(0.5) ? random.pick([10_000, 50_000, 200_000]) : 0
}

/** Reads the shared counter at any node, all the time, and has each answer checked. */
export class Reader {
  /** Reads that were answered. */
  served = 0
  private readonly options: ReaderOptions
  /** When the newest answered read of each node was asked, µs. */
  private readonly lastServed = new Map<NodeId, number>()

  constructor(options: ReaderOptions) {
    this.options = options
  }

  start(): void {
    const { random, scheduler, everyMicros, nodes } = this.options
    scheduler.after(random.below(2 * everyMicros), () => {
      const count = random.chance(0.2) ? random.between(2, BURST_MAX) : 1
      const node = random.pick(nodes)
      for (let read = 0; read < count; read += 1) this.ask(node)
      this.start()
    })
  }

  /** True when a read was answered at each of these nodes that was asked after that moment. */
  servedSince(micros: number, nodes: readonly SimulatedNode[]): boolean {
    return nodes.every((node) => (this.lastServed.get(node.id) ?? -1) > micros)
  }

  private ask(node: SimulatedNode): void {
    const { driver, machine } = node
    if (driver === null || machine === null) return
    const { scheduler, watch } = this.options
    const askedAt = scheduler.now
    const seen = watch.seen()
    const sink: ReadSink = {
      begun: () => undefined,
      ready: () => {
        this.served += 1
        this.lastServed.set(node.id, Math.max(askedAt, this.lastServed.get(node.id) ?? 0))
        const answer = machine.query({ machine: 'counter', query: 'value', input: SHARED, session: null })
        watch.answered(seen, { node: node.id, index: machine.appliedIndex, answer })
      },
      readyInLimbo: () => ({ answered: 0, waiting: 1 }),
      failed: () => undefined,
    }
    driver.read(sink, WAIT_MS)
  }
}
