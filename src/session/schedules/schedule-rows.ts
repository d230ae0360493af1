import type { Millis } from '../../base/brand.ts'
import type { Value } from '../../codec/value/value.ts'
import type { ScheduleStatus } from '../schedule.ts'

/** Schedules of a group. Each is one row, one timer and one object of memory; 10,000 are some 10 MB. */
export const SCHEDULES_MAX = 10_000
/** Occurrences that may wait for an open run under `bufferAll`, and runs that may be open under `allowAll`. */
export const SCHEDULE_RUNS_MAX = 100
/** Occurrences of backfills that one entry brings: they are to run before there are more. */
export const SCHEDULE_FILL_MAX = 100
/** Backfills of a schedule that are not done. */
export const SCHEDULE_BACKFILLS_MAX = 16
/** Times that a schedule owes; what further pauses would add before a leader has looked is passed over. */
export const SCHEDULE_OWED_MAX = 16
/** Longest expression and name of a zone, UTF-16 units. */
export const CRON_CHARS_MAX = 256
export const ZONE_CHARS_MAX = 64
/** Leaders look for what is due some twenty times a second, and there may be none for some seconds. */
export const CATCH_UP_MS_MIN = 10_000
export const CATCH_UP_MS_DEFAULT = 24 * 3_600_000

/**
 * Name of the session layer's own timer of a schedule, under TASK_MACHINE, begins with this; its payload names the schedule.
 */
export const SCHEDULE_TIMER = 'schedule:'

/** Times before a pause, or before another expression, whose occurrences nobody has computed yet: those in (after, upTo]. */
export type OwedTimes = {
  readonly after: Millis
  readonly upTo: Millis
  /** As the schedule was then. */
  readonly cron: string
  readonly zone: string
}

/** A stored schedule (docs/decisions/schedules.md). A row is never changed: a change is another row. */
export type ScheduleRow = ScheduleStatus & {
  /** Entry that last changed what its occurrences are, or an operator's last backfill: what was computed before is stale. */
  readonly revision: number
  /** Occurrences up to this have run, wait, or are counted; those after it are to come. */
  readonly after: Millis
  /** What it owes from before `after`, oldest first, all of it later than what waits. Absent: nothing, and never empty. */
  readonly owed?: readonly OwedTimes[]
}

/** The schedule that such a timer's payload names. A cast: the table has armed it. */
export function scheduleOf(payload: Value): { readonly machine: string; readonly name: string } {
  return payload as { readonly machine: string; readonly name: string }
}

/** Whether an occurrence that waits may run; it does so before the next one of the clock. */
export function mayRunWaiting({ paused, overlap, open, waiting, filling }: ScheduleRow): boolean {
  if (paused || waiting.length + filling.length === 0) return false
  if (overlap === 'allowAll') return open.length < SCHEDULE_RUNS_MAX
  return open.length === 0 || overlap === 'cancelOther'
}

/** When its timer is to fire, later than `now`; null: it has none. */
export function dueOf(row: ScheduleRow, now: Millis): Millis | null {
  if (row.paused) return null
  if (mayRunWaiting(row)) return now + 1
  return row.next === null ? null : Math.max(row.next, now + 1)
}

/**
 * What a proposer is to compute of it; null: nothing. What it owes comes before its next occurrence, also while it is paused,
 * and this before those of backfills.
 */
export function awaitedOf(row: ScheduleRow): 'owed' | 'next' | 'fill' | null {
  const { paused, stop, next, backfills, filling, owed } = row
  if (stop !== null) return null
  if (owed !== undefined) return 'owed'
  if (paused) return null
  if (next === null) return 'next'
  return backfills.length > 0 && filling.length === 0 ? 'fill' : null
}
