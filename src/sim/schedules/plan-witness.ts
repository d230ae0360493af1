import { unreachable } from '../../base/assert.ts'
import type { Millis } from '../../base/brand.ts'
import type { ScheduleReader, ScheduleStatus, StoredSchedule } from '../../session/schedule.ts'
import { Violation } from '../checkers/violation.ts'
import { PLANS } from './plan-machine.ts'
import type { PlanEvent } from './plan-recorder.ts'
import { type ScheduleCounts, ScheduleModel, type Timetable } from './schedule-model.ts'

/** What operators do to schedules, by a step of an entry. */
export type Verb = 'pause' | 'resume' | 'backfill' | 'cancel' | 'end'

/** Times of which a schedule owes what they bring, as its proposers are told. */
type Owed = NonNullable<StoredSchedule['owed']>

/** An entry that was applied, and what stands after it. */
export interface AppliedEntry {
  readonly events: readonly PlanEvent[]
  /** It is about schedules alone. */
  readonly stepped: boolean
  readonly schedules: ScheduleReader
  /** The log is at a version of the session layer that passes over nothing of what is owed. */
  readonly keepsOwed: boolean
}

/**
 * Follows the log with a model of each schedule: by what the machine did and was told of, and, where an entry changed one
 * otherwise, by what it changed, which must be what a proposer or an operator may. After each entry both stand equal.
 */
export class PlanWitness {
  readonly counts: ScheduleCounts = {
    ran: 0,
    waited: 0,
    backfilled: 0,
    failed: 0,
    skipped: 0,
    missed: 0,
    cancelled: 0,
  }
  /** Steps of operators that came to something. */
  steps = 0
  private readonly models = new Map<string, ScheduleModel>()
  private readonly timetableOf: (cron: string, zone: string) => Timetable
  /** What operators have asked for, as `verb name`. */
  private readonly asked = new Set<string>()
  private now: Millis = 0
  private keepsOwed = false

  constructor(timetableOf: (cron: string, zone: string) => Timetable) {
    this.timetableOf = timetableOf
  }

  /** An operator asks for that, which may reach the log at any time from now on, or never. */
  asks(verb: Verb, name: string): void {
    this.asked.add(`${verb} ${name}`)
  }

  /** All that was due has run, and nothing waits. */
  get isDone(): boolean {
    return [...this.models.values()].every((model) => model.isDone(this.now))
  }

  /** Names of schedules that are not done. */
  get behind(): readonly string[] {
    return [...this.models.values()].filter((model) => !model.isDone(this.now)).map(({ name }) => name)
  }

  /** The entry before which it was `until` has been applied. */
  applied(until: Millis, entry: AppliedEntry): void {
    const { events, stepped, schedules } = entry
    this.now = until
    this.keepsOwed = entry.keepsOwed
    const runs = events.filter(isRun)
    const stranger = runs.find(({ run }) => !this.models.has(run.name))
    if (stranger !== undefined) throw new Violation('a run is of a schedule that is there', { ...stranger })
    for (const [name, model] of this.models)
      model.fire(
        until,
        runs.filter(({ run }) => run.name === name),
      )
    for (const event of events) this.follow(event)
    const found = new Map(schedules.listAfter(null, Number.MAX_SAFE_INTEGER).map((status) => [status.name, status]))
    for (const model of [...this.models.values()]) {
      const status = found.get(model.name) ?? null
      if (stepped) this.step(model, status, schedules.find(PLANS, model.name)?.owed ?? [])
      if (this.models.has(model.name)) this.compare(model, status)
      found.delete(model.name)
    }
    for (const name of found.keys()) throw new Violation('a schedule is one that was put', { name })
  }

  private follow(event: PlanEvent): void {
    if (event.kind === 'run') return
    const { name, now } = event
    const model = this.models.get(name)
    if (event.kind === 'put') {
      const timetable = this.timetableOf(event.definition.cron, event.definition.zone)
      if (model === undefined) this.models.set(name, new ScheduleModel(event, timetable, this.counts))
      else model.put(event, timetable, this.keepsOwed)
      return
    }
    const done = model !== undefined && this.change(model, event, now)
    if (done !== event.done)
      throw new Violation('a call says whether it changed something', { ...event, expected: done })
  }

  private change(model: ScheduleModel, event: Exclude<PlanEvent, { kind: 'run' | 'put' }>, now: Millis): boolean {
    switch (event.kind) {
      case 'pause':
        return model.pause(now, this.keepsOwed)
      case 'resume':
        return model.resume(now)
      case 'backfill':
        return model.backfill(now, event)
      case 'cancel':
        return this.models.delete(model.name)
      case 'end':
        return model.end(now, event.run)
      default:
        return unreachable(event)
    }
  }

  /** What a step of this entry has done to a schedule, as far as can be seen. */
  private step(model: ScheduleModel, status: ScheduleStatus | null, owed: Owed): void {
    const { now } = this
    if (status === null) {
      this.operates('cancel', model)
      this.models.delete(model.name)
      return
    }
    if (status.paused && !model.paused) {
      this.operates('pause', model)
      model.pause(now, this.keepsOwed)
    } else if ((!status.paused && model.paused) || (status.stop === null && model.stop !== null)) {
      this.operates('resume', model)
      model.resume(now)
    } else if (status.backfills.length > model.backfills.length) {
      this.operates('backfill', model)
      const { after = 0, upTo = 0 } = status.backfills.at(-1) ?? {}
      model.backfill(now, { from: after + 1, to: upTo + 1 })
    } else if (status.open.length < model.open.length) {
      this.operates('end', model)
      const gone = model.open.find(({ run }) => !status.open.some((open) => open.run === run))
      model.end(now, gone?.run ?? 0)
    } else if (model.owed.length > 0) this.proposedOwed(model, status, owed)
    else this.proposed(model, status)
  }

  private proposedOwed(model: ScheduleModel, status: ScheduleStatus, left: Owed): void {
    const [oldest] = model.owed
    const [first] = left
    if (status.stop !== model.stop) return model.owesUnreadable(this.now, status.stop)
    const fewer = left.length < model.owed.length
    if (oldest === undefined || (!fewer && first?.after === oldest.after)) return
    if (typeof oldest.timetable === 'string') return model.owesUnreadable(this.now, null)
    const missed = status.missed - model.numbers.missed
    const times = status.waiting.slice(model.waiting.length)
    model.oweLess(this.now, { missed, times, upTo: fewer || first === undefined ? oldest.upTo : first.after })
  }

  private proposed(model: ScheduleModel, status: ScheduleStatus): void {
    const missed = status.missed - model.numbers.missed
    if (status.next !== model.next || missed !== 0 || status.stop !== model.stop)
      return model.computed(this.now, { next: status.next, missed, stop: status.stop })
    const [oldest] = model.backfills
    const [left] = status.backfills
    if (oldest === undefined || (status.backfills.length === model.backfills.length && left?.after === oldest.after))
      return
    const upTo = status.backfills.length === model.backfills.length && left !== undefined ? left.after : oldest.upTo
    model.filled(this.now, { times: status.filling, upTo })
  }

  private operates(verb: Verb, { name }: ScheduleModel): void {
    this.steps += 1
    if (!this.asked.has(`${verb} ${name}`))
      throw new Violation('a schedule changes as somebody has asked', { verb, name })
  }

  private compare(model: ScheduleModel, status: ScheduleStatus | null): void {
    const { definition, paused, next, stop, last, numbers, open, waiting, filling, backfills } = model
    const times = { paused, next, stop, last, open, waiting, filling, backfills }
    const expected: { readonly [name: string]: unknown } = { ...definition, ...numbers, ...times }
    // Proposers are told more of it than anybody else.
    const found: { readonly [name: string]: unknown } = { ...status }
    for (const name of Object.keys(expected)) {
      const [stands, should] = [found, expected].map((row) => JSON.stringify(row[name]))
      if (stands !== should) throw model.wrong('a schedule stands as its model does', { differs: name, stands, should })
    }
  }
}

const isRun = (event: PlanEvent): event is Extract<PlanEvent, { kind: 'run' }> => event.kind === 'run'
