import { Random } from '../../base/random.ts'
import type { Value } from '../../codec/value/value.ts'
import { CommandSession, type GivenTask, type SessionWorld } from '../clients/command-session.ts'
import type { MountedChart } from './mounted-charts.ts'

const MILLISECOND = 1000
const WORKERS = 2

/** What an entity is used for, until its clients have had enough of it. */
interface Used {
  readonly chart: MountedChart
  readonly id: string
  readonly client: CommandSession
}

/** Everybody who uses the charts of one seed: clients that send events at random, and workers that do as they like. */
export class Crowd {
  private readonly random: Random
  private readonly world: SessionWorld
  private readonly charts: readonly MountedChart[]
  private readonly sessions: CommandSession[] = []
  private readonly used: Used[] = []
  /** Steps that somebody will take later. */
  private planned = 0
  private leaving = false

  constructor(parts: { random: Random; world: SessionWorld; charts: readonly MountedChart[] }) {
    this.random = parts.random
    this.world = parts.world
    this.charts = parts.charts
  }

  /** Nobody waits for an answer, and nobody will do anything more. */
  get quiet(): boolean {
    return this.planned === 0 && this.sessions.every(({ pending }) => pending === 0)
  }

  get acks(): number {
    return this.sessions.reduce((sum, { acks }) => sum + acks, 0)
  }

  facts(): { readonly [name: string]: number } {
    return { planned: this.planned, pending: this.sessions.reduce((sum, { pending }) => sum + pending, 0) }
  }

  open(): void {
    for (let number = 1; number <= WORKERS; number += 1) this.openWorker(number)
    for (const chart of this.charts) {
      const entities = this.random.between(1, 2)
      for (let number = 1; number <= entities; number += 1) this.openClient(chart, `e${number}`)
    }
  }

  /** Takes all entities out, with whatever waits in them. */
  leave(): void {
    this.leaving = true
    for (const used of this.used) this.takeOut(used)
  }

  /** Last of all: commands have no order among them, and one that is under way may make the entity anew (seed 6373). */
  private takeOut(used: Used): void {
    const { chart, id, client } = used
    if (client.pending === 0) client.send(chart.machine.id, 'remove', { id })
    else this.after(MILLISECOND, () => this.takeOut(used))
  }

  private openWorker(number: number): void {
    this.planned += 1
    const session: CommandSession = this.session(
      `worker:${number}`,
      ['worker'],
      () => {
        this.planned -= 1
      },
      (task) => this.work(session, task),
    )
  }

  /** A worker gives a result, fails, or forgets the task: then its lease ends. */
  private work(session: CommandSession, { taskId, kind, attempt }: GivenTask): void {
    const { random } = this
    if (random.chance(0.15)) return
    const failed = random.chance(0.25)
    const outputs = this.charts.flatMap(({ definition, outputs = [] }) => {
      return Object.hasOwn(definition.schema.tasks ?? {}, kind) ? outputs : []
    })
    const result = outputs.length === 0 ? null : random.pick(outputs)
    this.later(random.pick([1, 60, 400, 2_500]), () => {
      // What comes too late, or for a task that was cancelled, is refused.
      if (failed) session.send('task', 'fail', { taskId, attempt, reason: 'failed' })
      else session.send('task', 'complete', { taskId, attempt, result })
    })
  }

  private openClient(chart: MountedChart, id: string): void {
    this.planned += 1
    const client = this.session(`user:${chart.machine.id}-${id}`, [], () => {
      this.planned -= 1
      // One whose session opens when everybody leaves makes nothing that nobody would take out.
      if (this.leaving) return
      this.used.push({ chart, id, client })
      this.create({ chart, id, client })
      this.next({ chart, id, client })
    })
  }

  private create({ chart, id, client }: Used): void {
    const input = chart.input === undefined ? {} : { input: chart.input as Value }
    client.send(chart.machine.id, 'create', { id, watch: this.random.chance(0.3), ...input })
  }

  private next(used: Used): void {
    this.later(this.random.pick([5, 30, 120, 500]), () => {
      if (this.leaving) return
      const { chart, id, client } = used
      // One that is taken out and made again has the numbers of timers and actors again.
      if (this.random.chance(0.04)) {
        client.send(chart.machine.id, 'remove', { id })
        this.create(used)
      } else {
        const event = this.random.pick(chart.events)
        client.send(chart.machine.id, 'send', { id, event: event as Value })
      }
      this.next(used)
    })
  }

  private session(
    principal: string,
    roles: readonly string[],
    ready: () => void,
    onTask?: (task: GivenTask) => void,
  ): CommandSession {
    const random = new Random(this.random.uint32())
    const options = { principal, roles, random, ready, ...(onTask === undefined ? {} : { onTask }) }
    const session = new CommandSession(this.world, options)
    this.sessions.push(session)
    return session
  }

  private later(withinMs: number, act: () => void): void {
    this.after(this.random.between(1, withinMs) * MILLISECOND, act)
  }

  private after(micros: number, act: () => void): void {
    this.planned += 1
    this.world.scheduler.after(micros, () => {
      this.planned -= 1
      act()
    })
  }
}
