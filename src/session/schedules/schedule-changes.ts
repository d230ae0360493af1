import type { Millis } from '../../base/brand.ts'
import { OWED_OCCURRENCES_SINCE } from '../own-versions.ts'
import type { ScheduleDefinition, ScheduleStatus } from '../schedule.ts'
import type { ReplicatedState } from '../state/replicated-state.ts'
import { type OwedTimes, SCHEDULE_BACKFILLS_MAX, SCHEDULE_OWED_MAX, type ScheduleRow } from './schedule-rows.ts'

/*
 * What machines and operators may do to a schedule, as functions from row to row; null: nothing changes. An entry computes
 * nothing of a calendar: where the occurrences to come change, `next` is open until a proposer has said it.
 */

type ScheduleName = Pick<ScheduleStatus, 'machine' | 'name'>

/** The entry that makes the change, and its time. */
interface At {
  readonly index: number
  readonly now: Millis
  /** Whether what is owed is kept: since a version of the session layer. */
  readonly keepsOwed: boolean
}

/** The entry of this state that makes a change. */
export function changeAt({ index, now, versions }: ReplicatedState): At {
  return { index, now, keepsOwed: versions.hasOwn(OWED_OCCURRENCES_SINCE) }
}

/** A schedule whose occurrences after now are to come. */
export function newSchedule(given: Required<ScheduleDefinition> & ScheduleName, { index, now }: At): ScheduleRow {
  const counters = { runs: 0, failed: 0, missed: 0, skipped: 0 }
  const lists = { open: [], waiting: [], filling: [], backfills: [] }
  const times = { revision: index, after: now, next: null, stop: null, last: null }
  return { ...given, paused: false, ...times, ...counters, ...lists }
}

/** What it owes by then stays owed, and waits until it is resumed. */
export function paused(row: ScheduleRow, at: At): ScheduleRow | null {
  return row.paused ? null : { ...owing(row, at), paused: true, next: null }
}

/**
 * The schedule with the occurrences up to now among those that it owes, if nobody has computed them: then it is done with that
 * time. Where the next one is known there are none before it.
 */
export function owing(row: ScheduleRow, { now, keepsOwed }: At): ScheduleRow {
  const { after, next, stop, cron, zone, paused: pausedBefore, owed = [] } = row
  const computed = pausedBefore || next !== null || stop !== null || after >= now
  if (computed || !keepsOwed || owed.length >= SCHEDULE_OWED_MAX) return row
  return { ...row, after: now, owed: [...owed, { after, upTo: now, cron, zone }] }
}

/** The schedule with that left of what it owes. */
export function owingStill({ owed: _, ...row }: ScheduleRow, left: readonly OwedTimes[]): ScheduleRow {
  return left.length === 0 ? row : { ...row, owed: left }
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
