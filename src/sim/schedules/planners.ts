import { Random } from '../../base/random.ts'
import type { ScheduleDefinition } from '../../session/schedule.ts'
import { CommandSession, type SessionWorld } from '../clients/command-session.ts'
import { inputOf, PLANS, type PlanInput } from './plan-machine.ts'
import { type Expression, ZONES } from './wall-clocks.ts'

const MILLISECOND = 1000
/** Between two commands of a planner, microseconds. */
const EVERY = [1 * MILLISECOND, 400 * MILLISECOND] as const
/** Between two looks at what is left, when the faults are over, microseconds. */
const TIDY_EVERY = 500 * MILLISECOND
const OVERLAPS = ['skip', 'bufferOne', 'bufferAll', 'allowAll', 'cancelOther'] as const
/** What no clock or reader knows. */
const BAD_CRON = 'when it rains'
const BAD_ZONE = 'Nowhere/Land'

/** Everybody who makes, changes and ends schedules in one seed, by commands. */
export class Planners {
  readonly names: readonly string[]
  private readonly random: Random
  private readonly world: SessionWorld
  private readonly expressions: readonly Expression[]
  /** The log's clock, as far as somebody knows it, ms. */
  private readonly now: () => number
  private readonly leapMs: number
  private readonly sessions: CommandSession[] = []
  private ready = 0
  private tidying = false

  constructor(parts: {
    readonly random: Random
    readonly world: SessionWorld
    readonly expressions: readonly Expression[]
    readonly leapMs: number
    readonly now: () => number
  }) {
    const { random, world, expressions, now, leapMs } = parts
    this.random = random
    this.world = world
    this.expressions = expressions
    this.now = now
    this.leapMs = leapMs
    this.names = Array.from({ length: random.between(1, 4) }, (_, at) => `plan-${at}`)
  }

  /** Everybody's session is there. */
  get complete(): boolean {
    return this.ready === this.sessions.length
  }

  /** Everybody is there, and nothing is without an answer. */
  get quiet(): boolean {
    return this.complete && this.sessions.every(({ pending }) => pending === 0)
  }

  get acks(): number {
    return this.sessions.reduce((sum, { acks }) => sum + acks, 0)
  }

  open(): void {
    for (let count = this.random.between(1, 3); count > 0; count -= 1) this.join()
  }

  /** From now on nothing is begun, all runs end, and what was paused goes on. */
  tidyUp(): void {
    this.tidying = true
  }

  /** A range that ends about now; some have nothing in them, and some end after now. */
  range(random: Random): { readonly from: number; readonly to: number } {
    const now = this.now()
    const from = now - random.between(-this.leapMs, 6 * this.leapMs)
    return { from: Math.max(1, from), to: Math.max(1, from + random.between(0, 5 * this.leapMs)) }
  }

  private join(): void {
    const random = new Random(this.random.uint32())
    const session = new CommandSession(this.world, {
      principal: `user:planner-${this.sessions.length + 1}`,
      roles: [],
      random: new Random(this.random.uint32()),
      ready: () => {
        this.ready += 1
        for (const name of this.names) this.send(session, 'put', { random, name })
        this.later(session, random)
      },
    })
    this.sessions.push(session)
  }

  private later(session: CommandSession, random: Random): void {
    const { scheduler } = this.world
    scheduler.after(this.tidying ? TIDY_EVERY : random.between(...EVERY), () => {
      if (this.tidying) this.tidy(session, random)
      else if (session.pending < 8) this.send(session, drawn(random), { random, name: random.pick(this.names) })
      this.later(session, random)
    })
  }

  private tidy(session: CommandSession, random: Random): void {
    // One at a time: of many that are sent again the last would be the first to change something.
    if (session !== this.sessions[0] || session.pending > 0) return
    this.send(session, 'calm', { random, name: '' })
    for (const name of this.names) {
      this.send(session, 'resume', { random, name })
      this.send(session, 'endAll', { random, name })
    }
  }

  private send(session: CommandSession, command: string, { random, name }: { random: Random; name: string }): void {
    const plan: PlanInput = { name, definition: this.definition(random), ...this.range(random) }
    session.send(PLANS, command, inputOf(plan))
  }

  private definition(random: Random): Required<ScheduleDefinition> {
    const { cron } = random.pick(this.expressions)
    const payload = { openEvery: random.pick([0, 1, 1, 2, 3]), failEvery: random.pick([0, 0, 0, 2, 5]) }
    return {
      cron: random.chance(0.04) ? BAD_CRON : cron,
      zone: random.chance(0.04) ? BAD_ZONE : random.pick(ZONES),
      overlap: random.pick(OVERLAPS),
      catchUpMs: random.pick([1, this.leapMs, 4 * this.leapMs, 40 * this.leapMs, 40 * this.leapMs]),
      payload,
    }
  }
}

function drawn(random: Random): string {
  const chance = random.below(100)
  if (chance < 7) return 'put'
  if (chance < 10) return 'pause'
  if (chance < 30) return 'resume'
  if (chance < 40) return 'backfill'
  if (chance < 41) return 'cancel'
  if (chance < 78) return 'endOne'
  return chance < 90 ? 'endAll' : 'regret'
}
