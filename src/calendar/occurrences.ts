import type { Millis } from '../base/brand.ts'
import { Temporal } from 'temporal-polyfill'
import { type Cron, readCron } from './cron.ts'
import { countWallMinutes, nextWallMinute } from './wall-minutes.ts'

/** Why a schedule has no next run: its expression or its zone is not understood here, or nothing comes in nine years. */
export type NoRun = 'badCron' | 'unknownZone' | 'never'

const MINUTE = 60_000

/** When a schedule runs: its expression on the wall clock of a zone. */
export interface Calendar {
  /** The first run after `after`, or null: none in nine years. Whole minutes of the zone's clock; ms since the Unix epoch. */
  next(after: Millis): Millis | null
  /** How many runs there are in (after, upTo], without looking at each: those of a year cost some 0.3 ms. */
  count(after: Millis, upTo: Millis): number
}

/**
 * Reads an expression and a zone (a name of the IANA database, or an offset such as `+05:30`). The rule, wherever clocks are
 * put forward or back:
 *
 * - An expression for *times of a day* (its hours do not begin with `*`) runs once for each. A time that the clock skips runs
 *   at the instant after the gap; several that it skips, and one that is there at that instant, are one run. A time that the
 *   clock shows twice runs the first time.
 * - One for *every hour* (they begin with `*`) runs at every instant at which the clock shows a time that fits: the hour that
 *   comes twice has its runs twice, the hour that is skipped has none.
 */
export function readCalendar(expression: string, zone: string): Calendar | Exclude<NoRun, 'never'> {
  const read = readCron(expression)
  if (read.kind === 'refused') return 'badCron'
  const { cron } = read
  if (!knowsZone(zone)) return 'unknownZone'
  return {
    next: (after) => (cron.everyHour ? nextInstant(cron, zone, after) : nextOfDay(cron, zone, after)),
    count: (after, upTo) => (cron.everyHour ? countInstants : countOfDays)(cron, zone, { after, upTo }),
  }
}

/** Whether the zone data of this process has a zone. */
function knowsZone(zone: string): boolean {
  // Temporal also takes the zone out of a time.
  if (!/^(?:[+-]\d{2}(?::?\d{2})?|[A-Za-z][A-Za-z0-9_+/-]*)$/.test(zone)) return false
  try {
    at(0, zone)
    return true
  } catch (error) {
    if (error instanceof RangeError) return false
    throw error
  }
}

/** Wall times in rising order are instants in rising order, but for those that are one run. */
function nextOfDay(cron: Cron, zone: string, after: Millis): Millis | null {
  const searched = wallMinuteOf(at(after, zone))
  for (let wall = nextWallMinute(cron, searched + 1); wall !== null; wall = nextWallMinute(cron, wall + 1)) {
    const instant = instantOf(wall, zone)
    if (instant > after) return instant
  }
  return null
}

/** The instant at which a clock first shows a wall time, or the one after the gap that skips it. */
function instantOf(wall: number, zone: string): Millis {
  const plain = new Temporal.PlainDateTime(1970, 1, 1).add({ minutes: wall })
  // Where it comes twice, `earlier` is the first; in a gap it is an instant before it, by the gap's length.
  const earlier = plain.toZonedDateTime(zone, { disambiguation: 'earlier' })
  if (earlier.toPlainDateTime().equals(plain)) return earlier.epochMilliseconds
  return earlier.getTimeZoneTransition('next')?.epochMilliseconds ?? earlier.epochMilliseconds
}

/** Between two transitions of the zone, instants and wall times differ by a constant. */
function nextInstant(cron: Cron, zone: string, after: Millis): Millis | null {
  let from: Temporal.ZonedDateTime | null = at(after + 1, zone)
  const last = after + YEARS_SEARCHED_MS
  while (from !== null && from.epochMilliseconds <= last) {
    const offset = from.offsetNanoseconds / 1_000_000
    const to: Temporal.ZonedDateTime | null = from.getTimeZoneTransition('next')
    const until = to === null ? undefined : Math.ceil((to.epochMilliseconds + offset) / MINUTE)
    const wall = nextWallMinute(cron, Math.ceil((from.epochMilliseconds + offset) / MINUTE), until)
    if (wall !== null) return wall * MINUTE - offset
    from = to
  }
  return null
}

interface Range {
  readonly after: Millis
  readonly upTo: Millis
}

/** Between two transitions of the zone, as `nextInstant`. */
function countInstants(cron: Cron, zone: string, { after, upTo }: Range): number {
  let count = 0
  let from: Temporal.ZonedDateTime | null = at(after + 1, zone)
  while (from !== null && from.epochMilliseconds <= upTo) {
    const offset = from.offsetNanoseconds / 1_000_000
    const to: Temporal.ZonedDateTime | null = from.getTimeZoneTransition('next')
    const last = Math.min(upTo, (to?.epochMilliseconds ?? Number.POSITIVE_INFINITY) - 1)
    const until = Math.floor((last + offset) / MINUTE) + 1
    count += countWallMinutes(cron, Math.ceil((from.epochMilliseconds + offset) / MINUTE), until)
    from = to
  }
  return count
}

/** Wall times, each once whatever the clock does; those that it skips are one run with that after them. */
function countOfDays(cron: Cron, zone: string, { after, upTo }: Range): number {
  let count = countWallMinutes(cron, wallReached(after, zone) + 1, wallReached(upTo, zone) + 1)
  let change = at(after, zone).getTimeZoneTransition('next')
  while (change !== null && change.epochMilliseconds <= upTo) {
    const before = wallMinuteOf(at(change.epochMilliseconds - 1, zone))
    const together = countWallMinutes(cron, before + 1, wallMinuteOf(change) + 1)
    count -= Math.max(0, together - 1)
    change = change.getTimeZoneTransition('next')
  }
  return count
}

/** The last wall minute whose run has come: what the clock shows, or has shown before it was put back. */
function wallReached(instant: Millis, zone: string): number {
  const now = at(instant, zone)
  const change = at(instant + 1, zone).getTimeZoneTransition('previous')
  if (change === null) return wallMinuteOf(now)
  return Math.max(wallMinuteOf(now), wallMinuteOf(at(change.epochMilliseconds - 1, zone)))
}

/** What a zone's clocks show, to the second and with their offset: `2026-10-26T06:30:00+01:00`. Null: unknown zone. */
export function wallTime(instant: Millis, zone: string): string | null {
  if (!knowsZone(zone)) return null
  return at(instant, zone).toString({ timeZoneName: 'never', smallestUnit: 'second' })
}

/** Some transitions back and forth lie in nine years; more is not looked at. */
const YEARS_SEARCHED_MS = 9 * 366 * 24 * 60 * MINUTE

function at(instant: Millis, zone: string): Temporal.ZonedDateTime {
  return Temporal.Instant.fromEpochMilliseconds(instant).toZonedDateTimeISO(zone)
}

/** The wall minute that a clock shows, without its seconds. */
function wallMinuteOf({ epochMilliseconds, offsetNanoseconds }: Temporal.ZonedDateTime): number {
  return Math.floor((epochMilliseconds + offsetNanoseconds / 1_000_000) / MINUTE)
}
