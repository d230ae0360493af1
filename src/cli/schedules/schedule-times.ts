import { readCalendar, wallTime } from '../../calendar/occurrences.ts'
import type { ScheduleDetails, ScheduleLine } from '../../client/operator/schedules.ts'

/** Occurrences of a range that are counted: some 100 µs each. */
const COUNTED_MAX = 10_000

type When = Pick<ScheduleLine, 'cron' | 'zone'>

/** A time for a person: by the clock of the schedule's zone with its offset, and in UTC where this computer lacks the zone. */
export function clockTime(unixMs: number, zone: string): string {
  return wallTime(unixMs, zone) ?? new Date(unixMs).toISOString()
}

/** Whether it runs: `awaited` is one whose next occurrence is not computed yet. */
export function stateOf({ paused, stop, nextMs }: Pick<ScheduleLine, 'paused' | 'stop' | 'nextMs'>) {
  if (paused) return 'paused'
  if (stop !== '') return 'stopped'
  return nextMs === 0 ? 'awaited' : 'scheduled'
}

/**
 * At most `count` occurrences to come, the leader's own first; those behind it are what this computer's zone data says. None of
 * a schedule that is paused or has stopped.
 */
export function upcoming({ schedule, nowMs }: Pick<ScheduleDetails, 'schedule' | 'nowMs'>, count: number): number[] {
  const found = schedule.nextMs === 0 ? [] : [schedule.nextMs]
  const next = schedule.paused || schedule.stop !== '' ? null : occurrencesOf(schedule)
  while (next !== null && found.length < count) {
    const following = next(found.at(-1) ?? nowMs)
    if (following === null) break
    found.push(following)
  }
  return found.slice(0, count)
}

/** The occurrences in [from, to) as this computer's zone data says; null: it cannot tell. */
export function occurrencesIn(
  when: When,
  { fromMs, toMs }: { readonly fromMs: number; readonly toMs: number },
): { readonly count: number; readonly more: boolean; readonly firstMs: number; readonly lastMs: number } | null {
  const next = occurrencesOf(when)
  if (next === null) return null
  let [count, firstMs, lastMs] = [0, 0, 0]
  for (let at = next(fromMs - 1); at !== null && at < toMs; at = next(at)) {
    if (count === COUNTED_MAX) return { count, more: true, firstMs, lastMs }
    if (count === 0) firstMs = at
    lastMs = at
    count += 1
  }
  return { count, more: false, firstMs, lastMs }
}

function occurrencesOf({ cron, zone }: When): ((after: number) => number | null) | null {
  const calendar = readCalendar(cron, zone)
  return typeof calendar === 'string' ? null : (after) => calendar.next(after)
}
