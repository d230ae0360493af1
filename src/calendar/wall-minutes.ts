import type { Cron } from './cron.ts'

const DAY = 24 * 60
/** A leap day may be eight years off, and one in them has it. */
const DAYS_SEARCHED = 366 * 9

/**
 * The first wall time in [from, until) that fits, or null. A wall time is the number of minutes from 1970-01-01T00:00 on the
 * clock that hangs there, as if it were never put forward or back. `until` is brought within nine years of `from`: an
 * expression that `readCron` reads has a time in them.
 */
export function nextWallMinute(cron: Cron, from: number, until = Number.POSITIVE_INFINITY): number | null {
  const firstDay = Math.floor(from / DAY)
  for (let day = firstDay; day < firstDay + DAYS_SEARCHED && day * DAY < until; day += 1) {
    if (!fitsDay(cron, day)) continue
    const minute = nextOfDay(cron, day === firstDay ? from - day * DAY : 0)
    if (minute === null) continue
    const wall = day * DAY + minute
    return wall < until ? wall : null
  }
  return null
}

/** How many wall times in [from, until) fit. PERF: some 100 ns for each day between them. */
export function countWallMinutes(cron: Cron, from: number, until: number): number {
  if (until <= from) return 0
  const [firstDay, lastDay] = [Math.floor(from / DAY), Math.floor((until - 1) / DAY)]
  const ofDay = cron.hours.length * cron.minutes.length
  let count = 0
  for (let day = firstDay; day <= lastDay; day += 1) if (fitsDay(cron, day)) count += ofDay
  // Of the first and the last day a part is not in the range.
  if (fitsDay(cron, firstDay)) count -= countOfDay(cron, from - firstDay * DAY)
  if (fitsDay(cron, lastDay)) count -= ofDay - countOfDay(cron, until - lastDay * DAY)
  return count
}

/** Times of a day that fit, before that minute of it. */
function countOfDay({ hours, minutes }: Cron, until: number): number {
  const before = (values: readonly number[], bound: number): number => values.filter((value) => value < bound).length
  const hour = Math.floor(until / 60)
  return before(hours, hour) * minutes.length + (hours.includes(hour) ? before(minutes, until % 60) : 0)
}

function nextOfDay({ hours, minutes }: Cron, from: number): number | null {
  for (const hour of hours) {
    const minute = minutes.find((value) => hour * 60 + value >= from)
    if (minute !== undefined) return hour * 60 + minute
  }
  return null
}

function fitsDay(cron: Cron, day: number): boolean {
  const { month, dayOfMonth } = dateOf(day)
  if (!cron.months.includes(month)) return false
  // 1970-01-01 was a Thursday.
  const onWeekday = (): boolean => cron.weekdays.includes((((day + 4) % 7) + 7) % 7)
  switch (cron.dayRule) {
    case 'every':
      return true
    case 'day':
      return cron.days.includes(dayOfMonth)
    case 'weekday':
      return onWeekday()
    case 'either':
      return cron.days.includes(dayOfMonth) || onWeekday()
  }
}

/** Gregorian date of a day counted from 1970-01-01: years that begin in March have their leap day at the end. */
function dateOf(day: number): { readonly month: number; readonly dayOfMonth: number } {
  const shifted = day + 719_468
  const ofEra = shifted - Math.floor(shifted / 146_097) * 146_097
  const year = Math.floor(
    (ofEra - Math.floor(ofEra / 1460) + Math.floor(ofEra / 36_524) - Math.floor(ofEra / 146_096)) / 365,
  )
  const ofYear = ofEra - (365 * year + Math.floor(year / 4) - Math.floor(year / 100))
  const fromMarch = Math.floor((5 * ofYear + 2) / 153)
  const dayOfMonth = ofYear - Math.floor((153 * fromMarch + 2) / 5) + 1
  return { month: fromMarch < 10 ? fromMarch + 3 : fromMarch - 9, dayOfMonth }
}
