import type { Random } from '../../base/random.ts'
import { encodePayload } from '../../codec/entry/payload-codec.ts'
import { Violation } from '../checkers/violation.ts'
import type { Scheduler } from '../world/scheduler.ts'
import type { SimulatedNode } from '../world/simulated-node.ts'
import { PLANS } from './plan-machine.ts'
import type { PlanWitness } from './plan-witness.ts'
import type { Planners } from './planners.ts'

const MILLISECOND = 1000
/** Between two deeds, microseconds. */
const EVERY = [100 * MILLISECOND, 1500 * MILLISECOND] as const
const VERBS = ['pause', 'resume', 'resume', 'resume', 'backfill', 'backfill', 'cancel', 'end'] as const

/** Operators who pause, resume, backfill and cancel schedules, and end their runs, while faults strike, by steps of entries. */
export class PlanOperator {
  private readonly random: Random
  private readonly scheduler: Scheduler
  private readonly nodes: readonly SimulatedNode[]
  private readonly planners: Planners
  private readonly witness: PlanWitness
  private active = true

  constructor(parts: {
    readonly random: Random
    readonly scheduler: Scheduler
    readonly nodes: readonly SimulatedNode[]
    readonly planners: Planners
    readonly witness: PlanWitness
  }) {
    this.random = parts.random
    this.scheduler = parts.scheduler
    this.nodes = parts.nodes
    this.planners = parts.planners
    this.witness = parts.witness
  }

  start(): void {
    const { random, scheduler } = this
    scheduler.after(random.between(...EVERY), () => {
      if (!this.active) return
      this.act()
      this.start()
    })
  }

  stop(): void {
    this.active = false
  }

  private act(): void {
    const { random, planners, witness } = this
    const { driver = null, machine = null } = this.nodes.find((node) => node.driver?.leading === true) ?? {}
    const kind = random.pick(VERBS)
    const name = random.pick(planners.names)
    const { from, to } = planners.range(random)
    const found = machine?.schedules.find(PLANS, name) ?? null
    const run = kind === 'end' ? (found?.open[0]?.run ?? 1) : 0
    const range = kind === 'backfill' ? { after: from, upTo: to } : { after: run, upTo: 0 }
    // One that names what it was decided by does nothing where that has changed since.
    const revision = random.chance(0.5) ? (found?.revision ?? 0) : 0
    const step = { machine: PLANS, name, kind, revision, ...range, missed: 0, times: [], stop: '' } as const
    if (driver === null) return
    witness.asks(kind, name)
    driver.submit('ScheduleNext', encodePayload('ScheduleNext', { steps: [step] }), {
      settled: (reply) => {
        if (reply.kind !== 'scheduled' || reply.done.length !== 1)
          throw new Violation('an operator hears what became of a step', { kind, name, reply })
      },
      refused: () => undefined,
      lost: () => undefined,
    })
  }
}
