import { assert } from '../../base/assert.ts'
import type { Millis } from '../../base/brand.ts'
import { type Calendar, type NoRun, readCalendar } from '../../calendar/occurrences.ts'
import type { ScheduleStep } from '../../codec/entry/payload.ts'
import type { StoredSchedule } from '../../session/schedule.ts'
import { SCHEDULE_FILL_MAX } from '../../session/schedules/schedule-rows.ts'

/**
 * Occurrences that are computed at one duty: zone rules cost some 100 µs for each, and nobody is served meanwhile. What is left
 * is done at the next one.
 */
const OCCURRENCES_PER_DUTY = 100

/** How much of what a schedule has missed is counted at one duty: some 0.1 ms for each schedule. */
const COUNTED_MS = 100 * 24 * 3_600_000

/** Expressions and zones whose reading is remembered: more than a cluster has as a rule, and each is small. */
const CALENDARS_MAX = 1024

/** Computes what entries must not: which occurrences schedules have (docs/concepts/schedules.md). */
export class SchedulePlans {
  private readonly calendars = new Map<string, Calendar | Exclude<NoRun, 'never'>>()
  private left = 0

  /**
   * A step of each that is awaited, from where its schedule is as far as there is time for; each has its part of the time, so
   * that one with very much to compute does not hold up the others.
   */
  steps(awaited: readonly StoredSchedule[], now: Millis): readonly ScheduleStep[] {
    const part = Math.max(1, Math.floor(OCCURRENCES_PER_DUTY / awaited.length))
    return awaited.map((schedule) => {
      this.left = part
      const [owed] = schedule.owed ?? []
      if (owed !== undefined) return this.owed(schedule, owed, now)
      const calendar = this.calendar(schedule)
      return schedule.next === null ? this.next(schedule, calendar, now) : this.fill(schedule, calendar)
    })
  }

  private next(schedule: StoredSchedule, calendar: Calendar | Exclude<NoRun, 'never'>, now: Millis): ScheduleStep {
    const { machine, name, revision, after, catchUpMs } = schedule
    const step = { machine, name, kind: 'next', revision, after, upTo: after, missed: 0, times: [], stop: '' } as const
    if (typeof calendar === 'string') return { ...step, stop: calendar }
    // The last time that is missed. What is beyond a step is left to the next one.
    const bound = Math.floor(now - catchUpMs) - 1
    const upTo = Math.max(after, Math.min(bound, after + COUNTED_MS))
    const missed = upTo > after ? calendar.count(after, upTo) : 0
    if (upTo < bound) return { ...step, upTo, missed }
    const next = this.after(calendar, upTo)
    if (next === null) return { ...step, upTo, missed, stop: 'never' }
    return { ...step, upTo, missed, times: [next] }
  }

  /** Whoever computed the next occurrence may know a zone that is not known here. */
  private fill(schedule: StoredSchedule, calendar: Calendar | Exclude<NoRun, 'never'>): ScheduleStep {
    const { machine, name, revision, backfills } = schedule
    const [oldest] = backfills
    assert(oldest !== undefined, 'what is awaited has something to be computed', { machine, name })
    const step = { machine, name, kind: 'fill', revision, after: oldest.after, missed: 0, stop: '' } as const
    if (typeof calendar === 'string') return { ...step, upTo: oldest.after, times: [], stop: calendar }
    return { ...step, ...this.within(calendar, oldest) }
  }

  /** What is older than is caught up with is missed; the others wait for the schedule. */
  private owed(schedule: StoredSchedule, owed: NonNullable<StoredSchedule['owed']>[0], now: Millis): ScheduleStep {
    const { machine, name, revision, catchUpMs } = schedule
    const { after } = owed
    const step = { machine, name, kind: 'owed', revision, after, missed: 0, times: [], stop: '' } as const
    const calendar = this.calendar(owed)
    if (typeof calendar === 'string') return { ...step, upTo: after, stop: calendar }
    const bound = Math.min(Math.floor(now - catchUpMs) - 1, owed.upTo)
    const upTo = Math.min(bound, after + COUNTED_MS)
    const missed = upTo > after ? calendar.count(after, upTo) : 0
    // Only then: time goes on, and with it by a little what would be missed, from step to step.
    if (missed > 0 || upTo < bound) return { ...step, upTo, missed }
    return { ...step, ...this.within(calendar, owed) }
  }

  /** The first occurrences in (after, upTo], and up to when these are all. */
  private within(
    calendar: Calendar,
    { after, upTo }: { readonly after: Millis; readonly upTo: Millis },
  ): { readonly times: readonly Millis[]; readonly upTo: Millis } {
    const times: Millis[] = []
    for (let at = after; times.length < SCHEDULE_FILL_MAX && this.left > 0; ) {
      const next = this.after(calendar, at)
      if (next === null || next > upTo) return { upTo, times }
      times.push(next)
      at = next
    }
    return { upTo: times.at(-1) ?? upTo, times }
  }

  private after(calendar: Calendar, after: Millis): Millis | null {
    this.left -= 1
    return calendar.next(after)
  }

  private calendar({ cron, zone }: Pick<StoredSchedule, 'cron' | 'zone'>): Calendar | Exclude<NoRun, 'never'> {
    // An expression holds no line break that is read.
    const id = `${zone}\n${cron}`
    const known = this.calendars.get(id)
    if (known !== undefined) return known
    const read = readCalendar(cron, zone)
    if (this.calendars.size >= CALENDARS_MAX) this.calendars.clear()
    this.calendars.set(id, read)
    return read
  }
}
