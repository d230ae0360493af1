import type { ScheduleStep } from '../../../src/codec/entry/payload.ts'
import type { Value } from '../../../src/codec/value/value.ts'
import { CATCH_UP_MS, cronOf, FILL_MAX, overlapOf, PLANNING, RUN_VERBS } from '../planning.ts'

/** A schedule as the model has it: all that is visible of it, and what a proposer is told. */
export interface ModelSchedule {
  name: string
  cron: string
  overlap: string
  payload: Value
  paused: boolean
  /** The occurrence that is known. */
  next: number | null
  stop: string | null
  last: number | null
  runs: number
  failed: number
  missed: number
  skipped: number
  open: { run: number; scheduledAt: number }[]
  waiting: number[]
  filling: number[]
  backfills: { after: number; upTo: number }[]
  /** Times before a pause or another expression that no leader has looked at, with the expression. */
  owed: { after: number; upTo: number; cron: string }[]
  /** Entry since which its occurrences are what they are. */
  revision: number
  /** Occurrences up to this are done with. */
  after: number
  /** When anything of it was changed last: what waits runs a millisecond later. */
  changedAt: number
}

/** All that schedules do to the rest of the model. */
export interface ModelScheduleHost {
  readonly all: { schedules: Map<string, ModelSchedule>; user: Map<string, Value> }
  readonly now: number
  readonly index: number
  /** Whether what is owed is kept. */
  readonly versions: { readonly owes: boolean }
  /** Runs a function of the machine; false: it was skipped, or failed, and nothing of it stays. */
  hook(label: string, body: () => boolean): boolean
  alert(kind: string): void
}

/** Whether what waits runs now: nothing is open, or it may be beside it. */
function mayRunNow({ paused, open, overlap, waiting, filling }: ModelSchedule): boolean {
  if (paused || (waiting.length === 0 && filling.length === 0)) return false
  return open.length === 0 || overlap === 'cancelOther' || (overlap === 'allowAll' && open.length < 100)
}

/** When something of it is to happen by itself; null: never, as it stands. */
export function dueOf(schedule: ModelSchedule): number | null {
  const { paused, next, changedAt } = schedule
  if (mayRunNow(schedule)) return changedAt + 1
  return paused || next === null ? null : Math.max(next, changedAt + 1)
}

/** Those of which a leader is to compute something, as it is told. */
export function awaitedOf(schedules: Iterable<ModelSchedule>): ModelSchedule[] {
  return [...schedules].filter((schedule) => owes(schedule) || waitsForNext(schedule) || waitsForFill(schedule))
}

const owes = ({ stop, owed }: ModelSchedule): boolean => stop === null && owed.length > 0

const waitsForNext = ({ paused, stop, next, owed }: ModelSchedule): boolean =>
  !paused && stop === null && next === null && owed.length === 0

const waitsForFill = ({ paused, stop, next, backfills, filling, owed }: ModelSchedule): boolean =>
  !paused && stop === null && next !== null && backfills.length > 0 && filling.length === 0 && owed.length === 0

/** The time of a schedule has come; `until`: that of the entry before which it has. */
export function fireSchedule(host: ModelScheduleHost, name: string, until: number): void {
  const schedule = host.all.schedules.get(name)
  if (schedule === undefined) throw new Error('what fires is there')
  schedule.changedAt = host.now
  if (mayRunNow(schedule)) {
    const clock = schedule.waiting.shift()
    run(host, schedule, clock ?? (schedule.filling.shift() as number), clock === undefined)
    return
  }
  const occurrence = schedule.next as number
  schedule.after = occurrence
  schedule.next = null
  const { overlap, open, waiting } = schedule
  const room = { skip: 0, bufferOne: 1, bufferAll: 100 }[overlap]
  if (until - occurrence > CATCH_UP_MS) schedule.missed += 1
  else if (open.length === 0 || overlap === 'cancelOther') run(host, schedule, occurrence, false)
  else if (room !== undefined && waiting.length < room) waiting.push(occurrence)
  else if (overlap === 'allowAll' && open.length < 100) run(host, schedule, occurrence, false)
  else schedule.skipped += 1
}

function run(host: ModelScheduleHost, schedule: ModelSchedule, scheduledAt: number, backfilled: boolean): void {
  const { name } = schedule
  schedule.runs += 1
  schedule.last = scheduledAt
  const number = schedule.runs
  const before = schedule.open.slice()
  const cancelled = schedule.overlap === 'cancelOther' ? schedule.open.splice(0).map((each) => each.run) : []
  const told = `${name} ${number} ${scheduledAt} ${String(schedule.payload)} ${backfilled} ${cancelled.join()}`
  let goesOn = false
  const done = host.hook(`schedule test/${name}`, () => {
    const { user, schedules } = host.all
    user.set('ran', [...((user.get('ran') ?? []) as Value[]), told].slice(-9))
    const verb = RUN_VERBS[number % RUN_VERBS.length]
    goesOn = verb === 'stay' || verb === 'again'
    if (verb === 'pause') pause(host, schedules.get(name))
    if (verb === 'end') end(host, schedules.get(name), number - 1)
    if (verb === 'again') {
      schedules.delete(name)
      put(host, name, { n: number, overlap: 'skip' })
    }
    return verb !== 'fail'
  })
  // After a failure all of it is a copy; and a hook may have put another one in its place, which has run nothing.
  const after = host.all.schedules.get(name)
  if (after === undefined || after.runs < number) return
  if (!done) Object.assign(after, { failed: after.failed + 1, open: before })
  else if (goesOn) after.open.push({ run: number, scheduledAt })
}

/** What machines and operators do to one; false: it is not there, or nothing changes. */
function put(host: ModelScheduleHost, name: string, { n, overlap }: { n: number; overlap: string }): boolean {
  const cron = cronOf(n)
  const { index, now } = host
  const anew = { cron, next: null, stop: null, revision: index, after: now }
  const there = host.all.schedules.get(name)
  const goesOn = there !== undefined && there.cron === cron && there.stop === null
  const counters = { last: null, runs: 0, failed: 0, missed: 0, skipped: 0 }
  const lists = { open: [], waiting: [], filling: [], backfills: [], owed: [] }
  if (there !== undefined && !goesOn) owe(host, there)
  const row = there ?? { name, paused: false, ...counters, ...lists, ...anew }
  host.all.schedules.set(name, { ...row, ...(goesOn ? {} : anew), overlap, payload: n, changedAt: now })
  return true
}

function pause(host: ModelScheduleHost, schedule: ModelSchedule | undefined): boolean {
  if (schedule === undefined || schedule.paused) return false
  owe(host, schedule)
  return change(host, schedule, { paused: true, next: null })
}

/** Nobody has looked at the time up to now: what it brings stays to be done. */
function owe({ now, versions }: ModelScheduleHost, schedule: ModelSchedule): void {
  const { after, cron, paused, next, stop, owed } = schedule
  if (paused || next !== null || stop !== null || after >= now || !versions.owes || owed.length === 16) return
  schedule.owed = [...owed, { after, upTo: now, cron }]
  schedule.after = now
}

function resume(host: ModelScheduleHost, schedule: ModelSchedule | undefined): boolean {
  if (schedule === undefined || (!schedule.paused && schedule.stop === null)) return false
  return change(host, schedule, { paused: false, next: null, stop: null, revision: host.index, after: host.now })
}

/** Of [from, to), and of what is before now. */
function backfill(host: ModelScheduleHost, schedule: ModelSchedule | undefined, from: number, to: number): boolean {
  const [first, last] = [Math.max(from, 1), Math.min(to, host.now) - 1]
  if (schedule === undefined || first > last || schedule.backfills.length === 16) return false
  return change(host, schedule, { backfills: [...schedule.backfills, { after: first - 1, upTo: last }] })
}

function end(host: ModelScheduleHost, schedule: ModelSchedule | undefined, run: number): boolean {
  if (schedule === undefined || !schedule.open.some((each) => each.run === run)) return false
  return change(host, schedule, { open: schedule.open.filter((each) => each.run !== run) })
}

function change(host: ModelScheduleHost, schedule: ModelSchedule, changes: Partial<ModelSchedule>): true {
  Object.assign(schedule, changes, { changedAt: host.now })
  return true
}

/** A command of the property machine that plans. */
export function runPlanCommand(host: ModelScheduleHost, command: string, n: number): Value {
  const name = `s${n % 2}`
  const found = host.all.schedules.get(name)
  switch (PLANNING[command]) {
    case 'put':
      return put(host, name, { n, overlap: overlapOf(command) })
    case 'pause':
      return pause(host, found)
    case 'resume':
      return resume(host, found)
    case 'backfill':
      return backfill(host, found, host.now - 10_000 * n - 9000, host.now - 2000 * n)
    case 'end':
      return end(host, found, (found?.open[0]?.run ?? 0) + (n > 2 ? 1 : 0))
    case 'cancel':
      return host.all.schedules.delete(name)
    default:
      return found === undefined ? null : visible(found)
  }
}

/** What everybody may see of it. */
export function visible({ revision: _, after: __, changedAt: ___, owed: ____, ...rest }: ModelSchedule): {
  [key: string]: Value
} {
  return structuredClone({ machine: 'test', zone: 'UTC', catchUpMs: CATCH_UP_MS, ...rest })
}

/** A step of a proposer or an operator: whether it did anything. */
export function takeStep(host: ModelScheduleHost, step: ScheduleStep): boolean {
  const schedule = step.machine === 'test' ? host.all.schedules.get(step.name) : undefined
  if (schedule === undefined) return false
  const computed = step.kind === 'next' || step.kind === 'fill' || step.kind === 'owed'
  // An operator may name none.
  if (step.revision !== schedule.revision && (computed || step.revision !== 0)) return false
  switch (step.kind) {
    case 'pause':
      return pause(host, schedule)
    case 'resume':
      return resume(host, schedule)
    case 'backfill':
      return backfill(host, schedule, step.after, step.upTo) && change(host, schedule, { revision: host.index })
    case 'cancel':
      return host.all.schedules.delete(step.name)
    case 'end':
      return end(host, schedule, step.after)
    case 'owed':
      return takeOwed(host, schedule, step)
    case 'next':
      return takeNext(host, schedule, step)
    case 'fill':
      return takeFill(host, schedule, step)
  }
}

/** All up to `upTo` is done with, the missed ones are old enough for it, and what comes then is one at most. */
function takeNext(
  host: ModelScheduleHost,
  schedule: ModelSchedule,
  { after, upTo, missed, times, stop }: ScheduleStep,
) {
  if (!waitsForNext(schedule) || after !== schedule.after) return false
  const tooNew = upTo > after && host.now - upTo < CATCH_UP_MS
  if (upTo < after || tooNew || times.length > 1 || times.some((time) => time <= upTo)) return false
  const counted = { after: upTo, missed: schedule.missed + missed }
  if (stop === '') return change(host, schedule, { ...counted, next: times[0] ?? null })
  return times.length === 0 && stopped(host, schedule, { ...counted, stop })
}

/** What it owes up to `upTo` is missed, or waits; what finds no room is skipped. */
function takeOwed(
  host: ModelScheduleHost,
  schedule: ModelSchedule,
  { after, upTo, missed, times, stop }: ScheduleStep,
): boolean {
  const [oldest, ...others] = schedule.owed
  if (!owes(schedule) || oldest === undefined || after !== oldest.after) return false
  if (stop !== '') {
    if (upTo !== after) return false
    return oldest.cron === schedule.cron ? stopped(host, schedule, { stop }) : change(host, schedule, { owed: others })
  }
  const rising = [after, ...times, upTo + 1]
  const inOrder = rising.every((time, at) => at === 0 || time > (rising[at - 1] as number))
  if (upTo <= after || upTo > oldest.upTo || !inOrder || times.length > FILL_MAX) return false
  if (missed > 0 && (times.length > 0 || host.now - upTo < CATCH_UP_MS)) return false
  const room = Math.max(100 - schedule.waiting.length, 0)
  return change(host, schedule, {
    waiting: [...schedule.waiting, ...times.slice(0, room)],
    skipped: schedule.skipped + Math.max(times.length - room, 0),
    missed: schedule.missed + missed,
    owed: upTo === oldest.upTo ? others : [{ ...oldest, after: upTo }, ...others],
  })
}

function takeFill(
  host: ModelScheduleHost,
  schedule: ModelSchedule,
  { after, upTo, times, stop }: ScheduleStep,
): boolean {
  const [oldest, ...others] = schedule.backfills
  if (!waitsForFill(schedule) || oldest === undefined || after !== oldest.after) return false
  if (stop !== '') return upTo === after && stopped(host, schedule, { stop })
  const rising = [after, ...times, upTo + 1]
  const inOrder = rising.every((time, at) => at === 0 || time > (rising[at - 1] as number))
  if (upTo <= after || upTo > oldest.upTo || !inOrder || times.length > FILL_MAX) return false
  const backfills = upTo === oldest.upTo ? others : [{ ...oldest, after: upTo }, ...others]
  return change(host, schedule, { filling: [...times], backfills })
}

function stopped(host: ModelScheduleHost, schedule: ModelSchedule, changes: Partial<ModelSchedule>): true {
  host.alert('SCHEDULE_STOPPED')
  return change(host, schedule, changes)
}
