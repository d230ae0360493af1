import { unreachable } from '../../base/assert.ts'
import { OperatorError } from '../../client/operator/ask-leader.ts'
import {
  changeSchedule,
  fetchSchedule,
  type ScheduleChange,
  type ScheduleDetails,
} from '../../client/operator/schedules.ts'
import { asked } from '../sessions/asked.ts'
import { CommandError, EXIT } from '../terminal/exit.ts'
import { print, printJson } from '../terminal/output.ts'
import { clockTime, occurrencesIn } from './schedule-times.ts'

/** What an operator wants of which schedule. */
export interface ScheduleChangeFlags {
  readonly endpoints: readonly string[]
  readonly machine: string
  readonly name: string
  readonly change: ScheduleChange['change']
  /** Of a backfill. */
  readonly range?: { readonly fromMs: number; readonly toMs: number }
  /** Of an end. */
  readonly run?: number
  readonly dryRun: boolean
  readonly json: boolean
}

/**
 * `holdfast schedules pause|resume|backfill|cancel|end`. What is refused ends it with exit code 4, and changes nothing; a pause
 * of what is paused, a resume of what goes on, and the end of a run that is over, are told as such and end with 0.
 */
export async function makeChange(flags: ScheduleChangeFlags): Promise<void> {
  const { endpoints, machine, name, change, dryRun } = flags
  const found = await asked(fetchSchedule(endpoints, { machine, name, payloads: false }), EXIT.refused)
  const range = rangeOf(flags, found)
  if (dryRun) return tellTrial(flags, found, range)
  const wanted = wantedChange(flags, found, range)
  const { index, changed } = await asked(changeSchedule(endpoints, wanted).catch(withProblem), EXIT.refused)
  const { basedOn: _, ...asking } = wanted
  if (flags.json) return printJson({ ...asking, changed, index })
  print(`${machine} ${name} ${changed ? doneWords(change, found, range) : SAME[change]}`)
}

/** One that is made twice is named by what was looked at; a pause, a resume or the end of a run changes nothing twice. */
function wantedChange({ machine, name, change, run = 0 }: ScheduleChangeFlags, found: ScheduleDetails, range: Range) {
  const asking = { machine, name, basedOn: found.revision }
  switch (change) {
    case 'pause':
    case 'resume':
      return { ...asking, change, basedOn: 0 }
    case 'end':
      return { ...asking, change, basedOn: 0, run }
    case 'backfill':
      return { ...asking, change, ...range }
    case 'cancel':
      return { ...asking, change }
    default:
      return unreachable(change)
  }
}

const SAME = {
  pause: 'is paused already',
  resume: 'goes on already',
  backfill: 'is as it was',
  cancel: 'is as it was',
  end: 'has no such run open',
} as const

type Range = { readonly fromMs: number; readonly toMs: number }

/** What is backfilled is before now. */
function rangeOf({ range }: ScheduleChangeFlags, { nowMs }: ScheduleDetails): Range {
  const { fromMs = 0, toMs = 0 } = range ?? {}
  return { fromMs, toMs: Math.min(toMs, nowMs) }
}

function doneWords(change: ScheduleChange['change'], { schedule }: ScheduleDetails, range: Range): string {
  switch (change) {
    case 'pause':
      return 'is paused'
    case 'resume':
      return 'goes on'
    case 'cancel':
      return 'is cancelled'
    case 'backfill':
      return `runs what comes ${spanOf(schedule.zone, range)} as well${heldUp(schedule)}`
    case 'end':
      return 'has that run no more'
    default:
      return unreachable(change)
  }
}

/** Of a schedule that is paused or has stopped backfills wait. */
function heldUp({ paused, stop }: ScheduleDetails['schedule']): string {
  return paused || stop !== '' ? ', once it goes on' : ''
}

function spanOf(zone: string, { fromMs, toMs }: Range): string {
  return `from ${clockTime(fromMs, zone)} on and before ${clockTime(toMs, zone)}`
}

/** What a change would do, as far as can be told here. Exit code 4 where it would be refused. */
function tellTrial(flags: ScheduleChangeFlags, found: ScheduleDetails, range: Range): void {
  const { machine, name, change, json } = flags
  const { schedule } = found
  const { zone } = schedule
  const changes = wouldChange(flags, found)
  if (change === 'backfill' && range.fromMs >= range.toMs)
    throw new CommandError(
      EXIT.refused,
      'nothing of the range is before now',
      'Name one that has begun.',
      'BACKFILL_REFUSED',
    )
  const occurrences = change === 'backfill' ? occurrencesIn(schedule, range) : null
  const filled = change === 'backfill' ? { ...range, occurrences } : {}
  if (json) return printJson({ dryRun: true, change, machine, name, changes, ...filled })
  const words =
    change === 'backfill'
      ? `would run ${countOf(occurrences, zone)} as well, ${spanOf(zone, range)}${heldUp(schedule)}`
      : changes
        ? wouldWords(change, schedule)
        : `${SAME[change]}: nothing would change`
  print(`${machine} ${name} ${words}`)
}

function countOf(occurrences: ReturnType<typeof occurrencesIn>, zone: string): string {
  if (occurrences === null) return 'what comes'
  const { count, more, firstMs, lastMs } = occurrences
  if (count === 0) return 'nothing'
  const times = count === 1 && !more ? 'once' : `${count} times${more ? ' at least' : ''}`
  return `${times} (the first for ${clockTime(firstMs, zone)}, the last for ${clockTime(lastMs, zone)})`
}

function wouldChange({ change, run }: ScheduleChangeFlags, { schedule, open }: ScheduleDetails): boolean {
  const { paused, stop } = schedule
  switch (change) {
    case 'pause':
      return !paused
    case 'resume':
      return paused || stop !== ''
    case 'end':
      return open.some((each) => each.run === run)
    case 'backfill':
    case 'cancel':
      return true
    default:
      return unreachable(change)
  }
}

function wouldWords(change: 'pause' | 'resume' | 'cancel' | 'end', schedule: ScheduleDetails['schedule']): string {
  if (change === 'pause') return 'would be paused: nothing of it would run until it is resumed'
  if (change === 'resume') return 'would go on, with what comes after now'
  if (change === 'end') return 'would have that run no more'
  const { open, waiting, filling, backfills } = schedule
  const lost = waiting + filling
  return `would be gone, with ${open} open runs, ${lost} occurrences that wait and ${backfills} backfills not computed`
}

function withProblem(error: unknown): never {
  if (!(error instanceof OperatorError) || error.code !== 'BACKFILL_REFUSED') throw error
  const { problem = '' } = error.details
  throw new CommandError(
    EXIT.refused,
    `nothing is backfilled: ${problem}`,
    'holdfast schedules show tells of backfills.',
    error.code,
  )
}
