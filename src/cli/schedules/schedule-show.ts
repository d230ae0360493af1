import { fetchSchedule, type ScheduleDetails } from '../../client/operator/schedules.ts'
import { jsonOfValue } from '../machines/json-value.ts'
import { asked } from '../sessions/asked.ts'
import type { ListingForm } from '../terminal/listing.ts'
import { print, printJson, table } from '../terminal/output.ts'
import { plainSchedule } from './schedule-list.ts'
import { clockTime, upcoming } from './schedule-times.ts'

/** Which schedule `holdfast schedules show` shows, and how many of its occurrences to come. */
export interface ScheduleShowFlags {
  readonly endpoints: readonly string[]
  readonly machine: string
  readonly name: string
  readonly next: number
  readonly payloads: boolean
}

/** Of a stop, what it means for the person who reads it. */
const STOPS = {
  badCron: 'its expression cannot be read: put it with another one',
  unknownZone: "the leader's zone data does not have its zone: correct it, or resume it where a newer build leads",
  never: 'nothing comes in nine years',
} as const

/** `holdfast schedules show`: one object in each form. */
export async function showSchedule(flags: ScheduleShowFlags, form: ListingForm): Promise<void> {
  const found = await asked(fetchSchedule(flags.endpoints, flags))
  const { schedule, payload } = found
  const told = payload === undefined ? {} : { payload: jsonOfValue(payload) }
  const clock = (ms: number): string => clockTime(ms, schedule.zone)
  const coming = upcoming(found, flags.next).map((ms) => ({ ms, at: clock(ms) }))
  if (form !== 'table') {
    const { open, waitingMs, fillingMs, backfills, revision, nowMs, by } = found
    const { open: _, waiting: __, filling: ___, ...line } = plainSchedule(schedule)
    return printJson({ ...line, upcoming: coming, open, waitingMs, fillingMs, backfills, revision, nowMs, ...told, by })
  }
  print(table([...factsOf(found), ...('payload' in told ? [['payload', JSON.stringify(told.payload)]] : [])]))
  const [first, ...others] = coming
  if (first === undefined) return
  print(`\n${table([['next', first.at], ...others.map(({ at }) => ['', at])])}`)
}

function factsOf({ schedule, open, waitingMs, fillingMs, backfills, by }: ScheduleDetails): string[][] {
  const { machine, name, cron, zone, overlap, catchUpMs, stop, runs, failed, missed, skipped } = schedule
  const { state, last } = plainSchedule(schedule)
  const clock = (ms: number): string => clockTime(ms, zone)
  const list = (times: readonly number[]): string => (times.length === 0 ? '-' : times.map(clock).join(', '))
  return [
    ['schedule', `${machine} ${name}`],
    ['state', stop === '' ? state : `${state}, ${stop}: ${STOPS[stop]}`],
    ['expression', `${cron} in ${zone}`],
    ['overlap', overlap],
    ['catches up', `with what is at most ${catchUpMs / 1000} s late`],
    ['runs', `${runs}, ${failed} failed; ${missed} missed, ${skipped} skipped`],
    ['last', last ?? '-'],
    ['open', open.map(({ run, scheduledMs }) => `run ${run} of ${clock(scheduledMs)}`).join(', ') || '-'],
    ['waiting', list(waitingMs)],
    ['of backfills', list(fillingMs)],
    ['backfills', backfills.map(({ fromMs, toMs }) => `from ${clock(fromMs)} to ${clock(toMs)}`).join(', ') || '-'],
    ['told by', `${by.node}, which has applied ${by.appliedIndex}`],
  ]
}
