import { unreachable } from '../../base/assert.ts'
import type { Millis } from '../../base/brand.ts'
import type { ScheduleStop } from '../../codec/entry/payload.ts'
import type { ScheduleDefinition, ScheduleRun } from '../../session/schedule.ts'
import { Violation } from '../checkers/violation.ts'
import type { PlanEvent } from './plan-recorder.ts'
import type { Occurrences } from './wall-clocks.ts'

/** Runs that wait for an open one, or are open beside each other, at most (docs/concepts/schedules.md). */
const RUNS_MAX = 100
const BACKFILLS_MAX = 16
const OWED_MAX = 16
/** The least that a schedule catches up with. */
const CATCH_UP_MS_MIN = 10_000

/** When a schedule is to run: its occurrences, or why it has none. */
export type Timetable = Occurrences | ScheduleStop

/** What became of the occurrences of a seed. */
export interface ScheduleCounts {
  /** Runs at their time by the clock; of them, after an open one had ended. */
  ran: number
  waited: number
  backfilled: number
  failed: number
  /** Left out, as the overlap says, and as older than what is caught up with. */
  skipped: number
  missed: number
  /** Runs whose place was taken by the next one. */
  cancelled: number
}

type Writable<Row> = { -readonly [Name in keyof Row]: Row[Name] }
type Backfill = { readonly after: Millis; readonly upTo: Millis }
type Run = Extract<PlanEvent, { kind: 'run' }>

/**
 * One schedule as the page of the concepts says that it stands: each occurrence of its timetable runs once, waits, or is left
 * out for a reason that is stated; never before its instant, never after an entry that is later, and in order.
 */
export class ScheduleModel {
  readonly name: string
  timetable: Timetable
  definition: Required<ScheduleDefinition>
  paused = false
  next: Millis | null = null
  stop: ScheduleStop | null = null
  last: Millis | null = null
  readonly numbers = { runs: 0, failed: 0, missed: 0, skipped: 0 }
  open: { readonly run: number; readonly scheduledAt: Millis }[] = []
  waiting: Millis[] = []
  filling: Millis[] = []
  backfills: Backfill[] = []
  /** What it owes from before a pause or another expression, by the timetable that it had. */
  owed: (Backfill & { readonly timetable: Timetable })[] = []
  private readonly counts: ScheduleCounts
  /** Occurrences up to it are accounted for. */
  private after: Millis
  /** Time of the newest change: what is to fire does so later than that. */
  private changedAt: Millis

  constructor(given: Extract<PlanEvent, { kind: 'put' }>, timetable: Timetable, counts: ScheduleCounts) {
    this.name = given.name
    this.definition = withFloor(given.definition)
    this.timetable = timetable
    this.counts = counts
    this.after = given.now
    this.changedAt = given.now
  }

  /** All that was due has run, and nothing waits. */
  isDone(now: Millis): boolean {
    const { paused, stop, next, open, waiting, filling, backfills, owed } = this
    if (stop !== null) return true
    const waits = open.length + waiting.length + filling.length + backfills.length + owed.length
    return !paused && waits === 0 && next !== null && next > now
  }

  /** Before the entry whose time is `until`, the schedule has run so, in this order. */
  fire(until: Millis, runs: readonly Run[]): void {
    for (const run of runs) this.ran(until, run)
    if (this.dueAt() > until) return
    if (this.mayRunWaiting()) throw this.wrong('what waits runs as soon as it may', { until })
    this.leaveOut(until)
    if (this.dueAt() <= until)
      throw this.wrong('an occurrence runs, waits or is left out before any later entry', { until })
  }

  /** `keepsOwed`, here and below: the session layer has a version by then that passes over nothing of what is owed. */
  put(given: Extract<PlanEvent, { kind: 'put' }>, timetable: Timetable, keepsOwed: boolean): void {
    const { cron, zone } = this.definition
    const goesOn = cron === given.definition.cron && zone === given.definition.zone && this.stop === null
    if (!goesOn && keepsOwed) this.owe(given.now)
    this.definition = withFloor(given.definition)
    this.timetable = timetable
    this.changedAt = given.now
    if (!goesOn) this.begin(given.now)
  }

  /** False: nothing changes. */
  pause(now: Millis, keepsOwed: boolean): boolean {
    if (this.paused) return false
    if (keepsOwed) this.owe(now)
    this.paused = true
    this.next = null
    this.changedAt = now
    return true
  }

  resume(now: Millis): boolean {
    if (!this.paused && this.stop === null) return false
    this.paused = false
    this.begin(now)
    return true
  }

  backfill(now: Millis, { from, to }: { readonly from: Millis; readonly to: Millis }): boolean {
    const range = { after: Math.max(from, 1) - 1, upTo: Math.min(to, now) - 1 }
    if (range.after >= range.upTo || this.backfills.length >= BACKFILLS_MAX) return false
    this.backfills.push(range)
    this.changedAt = now
    return true
  }

  end(now: Millis, run: number): boolean {
    const open = this.open.filter((each) => each.run !== run)
    const ended = open.length < this.open.length
    this.open = open
    if (ended) this.changedAt = now
    return ended
  }

  /** A proposer has said what comes next: so many are missed, then comes this one; null: there are more to count, or `stop`. */
  computed(
    now: Millis,
    said: { readonly next: Millis | null; readonly missed: number; readonly stop: ScheduleStop | null },
  ): void {
    const { timetable } = this
    const { next, stop, missed } = said
    if (this.next !== null || this.paused || this.stop !== null || this.owed.length > 0)
      throw this.wrong('the next occurrence was asked for', said)
    if (typeof timetable === 'string' || stop !== null) {
      if (stop !== timetable || next !== null) throw this.wrong('a schedule stops for what is wrong with it', said)
    } else {
      for (let count = 0; count < missed; count += 1) {
        this.after = timetable.after(this.after)
        if (now - this.after < this.definition.catchUpMs) throw this.wrong('what is caught up with is not missed', said)
      }
      this.counts.missed += missed
      if (next !== null && next !== timetable.after(this.after))
        throw this.wrong('the next occurrence is that of the clock', said)
    }
    this.numbers.missed += missed
    this.next = next
    this.stop = stop
    this.changedAt = now
  }

  /** A proposer has said the occurrences of the oldest backfill up to `upTo`. */
  filled(now: Millis, said: { readonly times: readonly Millis[]; readonly upTo: Millis }): void {
    const { timetable, backfills } = this
    const [oldest, ...others] = backfills
    if (oldest === undefined || this.filling.length > 0 || typeof timetable === 'string')
      throw this.wrong('occurrences of a backfill were asked for', said)
    const expected = timetable.between(oldest.after, said.upTo)
    if (JSON.stringify(expected) !== JSON.stringify(said.times))
      throw this.wrong('a backfill is the occurrences of its time', { ...said, expected })
    this.filling = [...said.times]
    this.backfills = said.upTo === oldest.upTo ? others : [{ after: said.upTo, upTo: oldest.upTo }, ...others]
    this.changedAt = now
  }

  /** A proposer has said what it owes up to `upTo`: so many are missed, or these wait, as far as there is room. */
  oweLess(
    now: Millis,
    said: { readonly missed: number; readonly times: readonly Millis[]; readonly upTo: Millis },
  ): void {
    const { waiting, definition, numbers, counts } = this
    const [oldest, ...others] = this.owed
    if (oldest === undefined || this.stop !== null || typeof oldest.timetable === 'string')
      throw this.wrong('what is owed was asked for', said)
    const all = oldest.timetable.between(oldest.after, said.upTo)
    const room = Math.max(RUNS_MAX - waiting.length, 0)
    const wait = said.missed > 0 ? [] : all.slice(0, room)
    const told = { missed: said.missed, times: said.times }
    const expected = { missed: said.missed > 0 ? all.length : 0, times: wait }
    if (JSON.stringify(told) !== JSON.stringify(expected))
      throw this.wrong('what is owed is missed as a whole, or waits', { ...said, expected })
    if (said.missed > 0 && now - said.upTo < definition.catchUpMs)
      throw this.wrong('what is caught up with is not missed', said)
    const skipped = said.missed > 0 ? 0 : all.length - wait.length
    this.waiting = [...waiting, ...wait]
    numbers.missed += said.missed
    numbers.skipped += skipped
    counts.missed += said.missed
    counts.skipped += skipped
    this.owed = said.upTo === oldest.upTo ? others : [{ ...oldest, after: said.upTo }, ...others]
    this.changedAt = now
  }

  /** Nobody can read the expression or zone of what it owes first: it stops, or goes on without where it has others by now. */
  owesUnreadable(now: Millis, stop: ScheduleStop | null): void {
    const [oldest, ...others] = this.owed
    if (oldest === undefined || typeof oldest.timetable !== 'string')
      throw this.wrong('what is owed can be read', { stop })
    if (stop === null) this.owed = others
    else if (stop !== oldest.timetable) throw this.wrong('a schedule stops for what is wrong with it', { stop })
    else this.stop = stop
    this.changedAt = now
  }

  /** What nobody has said of the time up to now stays owed. */
  private owe(now: Millis): void {
    const { after, timetable, owed } = this
    if (this.paused || this.next !== null || this.stop !== null || after >= now || owed.length >= OWED_MAX) return
    owed.push({ after, upTo: now, timetable })
    this.after = now
  }

  private begin(now: Millis): void {
    this.after = now
    this.next = null
    this.stop = null
    this.changedAt = now
  }

  private dueAt(): Millis {
    if (this.paused) return Number.POSITIVE_INFINITY
    if (this.mayRunWaiting()) return this.changedAt + 1
    return this.next === null ? Number.POSITIVE_INFINITY : Math.max(this.next, this.changedAt + 1)
  }

  private mayRunWaiting(): boolean {
    const { overlap } = this.definition
    if (this.paused || this.waiting.length + this.filling.length === 0) return false
    if (overlap === 'allowAll') return this.open.length < RUNS_MAX
    return this.open.length === 0 || overlap === 'cancelOther'
  }

  private ran(until: Millis, { run, now, end }: Run): void {
    const { scheduledAt } = run
    const facts = { run: run.run, scheduledAt, now, until, backfilled: run.backfilled }
    if (now < scheduledAt || now < this.dueAt()) throw this.wrong('nothing runs before its instant', facts)
    if (now > until) throw this.wrong('nothing runs later than the entry behind it', facts)
    const expected = this.take(until)
    if (expected.at !== scheduledAt || expected.backfilled !== run.backfilled)
      throw this.wrong('occurrences run in order, each once', { ...facts, expected: expected.at })
    this.number(run, end)
    this.changedAt = now
  }

  /** What is to run now, which is taken from where it waits. */
  private take(until: Millis): { readonly at: Millis | null; readonly backfilled: boolean } {
    if (this.mayRunWaiting()) {
      const [waiting, ...rest] = this.waiting
      if (waiting !== undefined) {
        this.waiting = rest
        this.counts.waited += 1
        this.counts.ran += 1
        return { at: waiting, backfilled: false }
      }
      this.counts.backfilled += 1
      return { at: this.filling.shift() ?? null, backfilled: true }
    }
    const { next } = this
    if (next !== null && this.fateOf(next, until) !== 'runs')
      throw this.wrong('what is left out does not run', { next, until })
    this.pass()
    this.counts.ran += 1
    return { at: next, backfilled: false }
  }

  private number(run: ScheduleRun, end: Run['end']): void {
    const { numbers, definition, counts } = this
    const cancelled = definition.overlap === 'cancelOther' ? this.open.map((open) => open.run) : []
    numbers.runs += 1
    this.last = run.scheduledAt
    const told = { run: run.run, cancelled: run.cancelled, payload: run.payload }
    const expected = { run: numbers.runs, cancelled, payload: definition.payload }
    if (JSON.stringify(told) !== JSON.stringify(expected))
      throw this.wrong('a run is told its number and whose place it takes', { ...told, expected })
    if (end === 'failed') {
      // Nothing that it did stands, so that the place of nobody is taken.
      numbers.failed += 1
      counts.failed += 1
      return
    }
    if (definition.overlap === 'cancelOther') this.open = []
    counts.cancelled += cancelled.length
    if (end === 'open') this.open.push({ run: run.run, scheduledAt: run.scheduledAt })
  }

  /** The next occurrence has come and has not run. */
  private leaveOut(until: Millis): void {
    const { next } = this
    if (next === null) return
    const fate = this.fateOf(next, until)
    if (fate === 'runs') throw this.wrong('what is due runs', { next, until })
    this.changedAt = this.dueAt()
    this.pass()
    if (fate === 'waits') this.waiting.push(next)
    else {
      this.numbers[fate] += 1
      this.counts[fate] += 1
    }
  }

  private pass(): void {
    this.after = this.next ?? this.after
    this.next = null
  }

  private fateOf(scheduledAt: Millis, until: Millis): 'runs' | 'waits' | 'skipped' | 'missed' {
    const { open, waiting } = this
    const { overlap, catchUpMs } = this.definition
    if (until - scheduledAt > catchUpMs) return 'missed'
    if (open.length === 0) return 'runs'
    switch (overlap) {
      case 'skip':
        return 'skipped'
      case 'bufferOne':
        return waiting.length === 0 ? 'waits' : 'skipped'
      case 'bufferAll':
        return waiting.length < RUNS_MAX ? 'waits' : 'skipped'
      case 'allowAll':
        return open.length < RUNS_MAX ? 'runs' : 'skipped'
      case 'cancelOther':
        return 'runs'
      default:
        return unreachable(overlap)
    }
  }

  wrong(sentence: string, facts: { readonly [name: string]: unknown }): Violation {
    const { name, definition, after, next, open, waiting } = this
    const { cron, zone, overlap } = definition
    return new Violation(sentence, { name, cron, zone, overlap, after, next, open, waiting, ...facts })
  }
}

function withFloor(definition: Required<ScheduleDefinition>): Writable<Required<ScheduleDefinition>> {
  return { ...definition, catchUpMs: Math.max(definition.catchUpMs, CATCH_UP_MS_MIN) }
}
