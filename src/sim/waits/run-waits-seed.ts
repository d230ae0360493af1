import type { NodeId } from '../../base/brand.ts'
import { Random } from '../../base/random.ts'
import { sessionCodec } from '../../codec/session-codec.ts'
import { mount, type Mount } from '../../machine/index.ts'
import { Violation } from '../checkers/violation.ts'
import { failureOf } from '../failure-of.ts'
import { FaultyWorld, type WorkloadParts } from '../faulty-world.ts'
import type { SeedResult } from '../run-seed.ts'
import type { SimulatedNode } from '../world/simulated-node.ts'
import { Racers } from './racers.ts'
import { waitMachine } from './wait-machine.ts'
import { type WaitCounts, WaitModel } from './wait-model.ts'
import { WaitRecorder } from './wait-recorder.ts'

/** Stream of the seed's randomness by which racers act. */
const RACERS = 131

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
  private readonly world: FaultyWorld
  private readonly racers: Racers
  private readonly model = new WaitModel()
  /** Of each node's running process. */
  private readonly recorders = new Map<NodeId, WaitRecorder>()

  constructor(seed: number, trace?: (line: string) => void) {
    const mount = (_work: unknown, id: NodeId): Mount => this.mount(id)
    this.world = new FaultyWorld(seed, () => ({ mount, observe: (id) => this.observer(id) }), { trace })
    this.racers = new Racers({ random: new Random(seed, RACERS), world: this.world.sessions })
  }

  private mount(id: NodeId): Mount {
    const recorder = new WaitRecorder()
    this.recorders.set(id, recorder)
    return mount([waitMachine(recorder)], sessionCodec)
  }

  private observer(id: NodeId): ReturnType<WorkloadParts['observe']> {
    return {
      composed: ({ driver, gateway }) => {
        this.world.watch.listen(id, driver, (index, first) => {
          const events = this.recorders.get(id)?.take(index) ?? []
          // Of what other replicas do at this index the state's hash tells whether it is the same.
          if (first) this.model.applied(index, events)
        })
        return gateway
      },
    }
  }

  run(): void {
    const { world, racers } = this
    world.suffer(racers, [world.nemesis])
    const alive = world.heal()
    if (!world.canRun(alive)) return
    const settled = (): boolean => racers.quiet && world.agree(alive)
    world.runFor(SETTLED_WITHIN, settled)
    if (!settled()) throw new Violation('all is answered and applied after healing', racers.facts())
    for (const node of alive) this.checkEnd(node)
  }

  result(failure: string | null): WaitsSeedResult {
    return { ...this.world.result(failure, this.racers.acks), waits: this.model.counts }
  }

  /** What a replica still has is what the model has: no timer of a wait that is over, and none that is missing. */
  private checkEnd({ machine, id }: SimulatedNode): void {
    machine?.checkInvariants()
    const timers = machine?.counts.timers ?? -1
    if (timers === this.model.timed) return
    throw new Violation('the waits that are left are those of the model', { node: id, timers, model: this.model.timed })
  }
}
