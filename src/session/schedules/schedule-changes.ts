import type { Millis } from '../../base/brand.ts'
import type { ScheduleDefinition, ScheduleStatus } from '../schedule.ts'
import { SCHEDULE_BACKFILLS_MAX, type ScheduleRow } from './schedule-rows.ts'

/*
 * What machines and operators may do to a schedule, as functions from row to row; null: nothing changes. An entry computes
 * nothing of a calendar: where the occurrences to come change, `next` is open until a proposer has said it.
 */

type ScheduleName = Pick<ScheduleStatus, 'machine' | 'name'>

/** The entry that makes the change, and its time. */
interface At {
  readonly index: number
  readonly now: Millis
}

/** A schedule whose occurrences after now are to come. */
export function newSchedule(given: Required<ScheduleDefinition> & ScheduleName, { index, now }: At): ScheduleRow {
  const counters = { runs: 0, failed: 0, missed: 0, skipped: 0 }
  const lists = { open: [], waiting: [], filling: [], backfills: [] }
  const times = { revision: index, after: now, next: null, stop: null, last: null }
  return { ...given, paused: false, ...times, ...counters, ...lists }
}

export function paused(row: ScheduleRow): ScheduleRow | null {
  return row.paused ? null : { ...row, paused: true, next: null }
}

/** From now on. One that has stopped is asked for again: another proposer may know its zone. */
export function resumed(row: ScheduleRow, { index, now }: At): ScheduleRow | null {
  if (!row.paused && row.stop === null) return null
  return { ...row, paused: false, revision: index, after: now, next: null, stop: null }
}

export function backfilled(
  row: ScheduleRow,
  { from, to }: { readonly from: Millis; readonly to: Millis },
): ScheduleRow | null {
  const first = Math.max(from, 1)
  if (first >= to || row.backfills.length >= SCHEDULE_BACKFILLS_MAX) return null
  return { ...row, backfills: [...row.backfills, { after: first - 1, upTo: to - 1 }] }
}

export function runEnded(row: ScheduleRow, run: number): ScheduleRow | null {
  const open = row.open.filter((each) => each.run !== run)
  return open.length === row.open.length ? null : { ...row, open }
}
