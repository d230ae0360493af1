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
