import type { NodeId } from '../../base/brand.ts'
import { Random } from '../../base/random.ts'
import { sessionCodec } from '../../codec/session-codec.ts'
import { mount, type Mount } from '../../machine/index.ts'
import { OWED_OCCURRENCES_SINCE } from '../../session/own-versions.ts'
import type { SessionStateMachine } from '../../session/session-state-machine.ts'
import type { Applied } from '../../session/state-machine.ts'
import { Violation } from '../checkers/violation.ts'
import { failureOf } from '../failure-of.ts'
import { FaultyWorld, type WorkloadParts } from '../faulty-world.ts'
import { OfficeShaker } from '../faults/office-shaker.ts'
import type { SeedResult } from '../run-seed.ts'
import { WALL_START_MS } from '../world/simulated-clock.ts'
import { ClockLeaper } from './clock-leaper.ts'
import { planMachine, PLANS } from './plan-machine.ts'
import { PlanOperator } from './plan-operator.ts'
import { PlanRecorder } from './plan-recorder.ts'
import { Planners } from './planners.ts'
import { type AppliedEntry, PlanWitness } from './plan-witness.ts'
import type { ScheduleCounts, Timetable } from './schedule-model.ts'
import { type Expression, MOMENTS, Occurrences, PACES, ZONES } from './wall-clocks.ts'

/** Streams of the seed's randomness that this workload has besides. */
const PURPOSE = { office: 41, times: 151, leaps: 152, planners: 153, operator: 154 }

/** After healing, all that was due has run. In microseconds. */
const SETTLED_WITHIN = 400_000_000
/** Occurrences are looked for from so many of the longest leaps before it all begins: ranges of backfills begin later. */
const LEAPS_BEFORE = 10

/**
 * One seed's world in which schedules of all overlaps and zones are made, paused, filled and cancelled while clocks go
 * forward by leaps, past days on which they are put forward or back, and nodes crash. A model that reads the clock on the wall
 * follows the log: each occurrence runs once, or is left out for a reason that is stated. Deterministic.
 */
export function runSchedulesSeed(seed: number, trace?: (line: string) => void): SchedulesSeedResult {
  const world = new SchedulesWorld(seed, trace)
  return world.result(failureOf(world, trace))
}

/** What one seed did. */
export interface SchedulesSeedResult extends SeedResult {
  readonly schedules: ScheduleCounts & { readonly leaps: number; readonly steps: number }
}

class SchedulesWorld {
  private readonly world: FaultyWorld
  private readonly leaper: ClockLeaper
  private readonly planners: Planners
  private readonly operator: PlanOperator
  private readonly shaker: OfficeShaker
  private readonly witness: PlanWitness
  /** Of each node's running process. */
  private readonly recorders = new Map<NodeId, PlanRecorder>()
  /** The log's clock, of the newest entry that somebody has applied. */
  private now: number

  constructor(seed: number, trace?: (line: string) => void) {
    const generator = (purpose: keyof typeof PURPOSE): Random => new Random(seed, PURPOSE[purpose])
    const times = generator('times')
    const { expressions, leapMs } = times.pick(PACES)
    this.now = times.pick(MOMENTS) - times.below(4 * leapMs[1])
    const tables = timetables(expressions, this.now - LEAPS_BEFORE * leapMs[1])
    this.witness = new PlanWitness((cron, zone) => tables.get(`${zone} ${cron}`) ?? stopOf(cron, expressions))
    this.world = new FaultyWorld(seed, () => this.parts(), { trace })
    const { cluster, sessions } = this.world
    const { scheduler, network, nodes } = cluster
    const aheadMs = this.now - WALL_START_MS
    const held = (): boolean => !this.planners.complete
    this.leaper = new ClockLeaper({ random: generator('leaps'), scheduler, leapMs, aheadMs, held })
    const now = (): number => this.now
    const random = generator('planners')
    this.planners = new Planners({ random, world: sessions, expressions, leapMs: leapMs[1], now })
    const { planners, witness } = this
    this.operator = new PlanOperator({ random: generator('operator'), scheduler, nodes, planners, witness })
    this.shaker = new OfficeShaker({ random: generator('office'), scheduler, network, nodes })
  }

  private parts(): WorkloadParts {
    return {
      mount: (_work, id) => this.mount(id),
      clock: (drawn) => ({ ...drawn, leaptMs: () => this.leaper.leaptMs }),
      observe: (id) => ({
        composed: ({ driver, gateway, machine }) => {
          this.world.watch.listen(id, driver, (index, first, entry) => {
            const events = this.recorders.get(id)?.take(index) ?? []
            // Of what other replicas do at this index the state's hash tells whether it is the same.
            if (first) this.applied(machine, entry, events)
          })
          return gateway
        },
      }),
    }
  }

  private mount(id: NodeId): Mount {
    const recorder = new PlanRecorder()
    this.recorders.set(id, recorder)
    return mount([planMachine(recorder)], sessionCodec)
  }

  private applied(machine: SessionStateMachine, { reply }: Applied, events: AppliedEntry['events']): void {
    const clock = machine.query({ machine: PLANS, query: 'now', input: null, session: null })
    // Before the machine is switched on it answers nothing.
    if (clock.kind !== 'value') return
    this.now = Number(clock.value)
    const { schedules } = machine
    const { activated, own } = machine
    // A log that names no versions does all that its build does.
    const keepsOwed = !activated || own.active >= OWED_OCCURRENCES_SINCE
    this.witness.applied(this.now, { events, stepped: reply.kind === 'scheduled', schedules, keepsOwed })
  }

  run(): void {
    const { world, planners, operator, leaper, shaker, witness } = this
    world.suffer(planners, [world.nemesis, leaper, operator, shaker])
    for (const fault of [shaker, leaper, operator]) fault.stop()
    const alive = world.heal()
    planners.tidyUp()
    if (!world.canRun(alive)) return
    const settled = (): boolean => planners.quiet && world.agree(alive) && witness.isDone
    world.runFor(SETTLED_WITHIN, settled)
    if (!settled()) {
      const { behind } = witness
      throw new Violation('all that is due has run after healing', { behind, quiet: planners.quiet, now: this.now })
    }
    for (const { machine } of alive) machine?.checkInvariants()
  }

  result(failure: string | null): SchedulesSeedResult {
    const { counts, steps } = this.witness
    const schedules = { ...counts, leaps: this.leaper.leaps, steps }
    return { ...this.world.result(failure, this.planners.acks), schedules }
  }
}

/** By zone and expression. */
function timetables(
  expressions: (typeof PACES)[number]['expressions'],
  from: number,
): ReadonlyMap<string, Occurrences> {
  const each = ZONES.flatMap((zone) => expressions.map((expression) => ({ zone, expression })))
  return new Map(
    each.map(({ zone, expression }) => [`${zone} ${expression.cron}`, new Occurrences({ expression, zone, from })]),
  )
}

/** An expression is read before a zone is looked for. */
function stopOf(cron: string, expressions: readonly Expression[]): Timetable {
  return expressions.some((known) => known.cron === cron) ? 'unknownZone' : 'badCron'
}
