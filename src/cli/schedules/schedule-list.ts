import { fetchSchedules, type ScheduleLine } from '../../client/operator/schedules.ts'
import { asked } from '../sessions/asked.ts'
import { type ListingForm, printListing } from '../terminal/listing.ts'
import { say } from '../terminal/output.ts'
import { clockTime, stateOf } from './schedule-times.ts'

/** Which schedules `holdfast schedules list` shows. */
export interface ScheduleListFlags {
  readonly endpoints: readonly string[]
  readonly machine?: string
  readonly limit: number
}

/** `holdfast schedules list`. */
export async function listSchedules(flags: ScheduleListFlags, form: ListingForm): Promise<void> {
  const { schedules, more } = await asked(fetchSchedules(flags.endpoints, flags))
  printListing(form, {
    name: 'schedules',
    lines: schedules.map(plainSchedule),
    columns: {
      machine: (line) => line.machine,
      name: (line) => line.name,
      cron: (line) => line.cron,
      zone: (line) => line.zone,
      state: (line) => (line.state === 'stopped' ? `stopped: ${line.stop}` : line.state),
      next: (line) => line.next,
      last: (line) => line.last,
      runs: (line) => line.runs,
      failed: (line) => line.failed,
      missed: (line) => line.missed,
      skipped: (line) => line.skipped,
      open: (line) => line.open,
      waiting: (line) => line.waiting + line.filling,
    },
  })
  if (more) say(`There are more than these ${schedules.length}; --limit shows more of them.`)
}

/** A schedule as JSON says it: null in place of 0 and '', and times by the clock of its zone beside those in ms. */
export function plainSchedule({ nextMs, lastMs, stop, ...line }: ScheduleLine) {
  const clock = (ms: number): string | null => (ms === 0 ? null : clockTime(ms, line.zone))
  const times = { nextMs: nextMs === 0 ? null : nextMs, next: clock(nextMs) }
  const last = { lastMs: lastMs === 0 ? null : lastMs, last: clock(lastMs) }
  return { ...line, state: stateOf({ ...line, nextMs, stop }), stop: stop === '' ? null : stop, ...times, ...last }
}
