import type { Millis } from '../base/brand.ts'
import type { ScheduleStop } from '../codec/entry/payload.ts'
import type { Value } from '../codec/value/value.ts'

/**
 * What happens when a schedule is due while a run of it is open: it is left out, one waits (the first), all of them wait, it
 * runs beside, or it takes the place of the open ones, of which the hook is told.
 */
export type ScheduleOverlap = 'skip' | 'bufferOne' | 'bufferAll' | 'allowAll' | 'cancelOther'

/** What a schedule is (docs/concepts/schedules.md). */
export interface ScheduleDefinition {
  /** Five fields: minute, hour, day of month, month, day of week; at most 256 UTF-16 units. Read by the proposer, not here. */
  readonly cron: string
  /** Name of the IANA database (`Europe/Berlin`, `UTC`) or an offset (`+05:30`), at most 64 UTF-16 units. */
  readonly zone: string
  /** Default skip. */
  readonly overlap?: ScheduleOverlap
  /**
   * An occurrence that is found so much later is missed: counted and not run. At least 10 s, at most ten years. Default 24 h.
   */
  readonly catchUpMs?: Millis
  /** What each run is told. Default null. */
  readonly payload?: Value
}

/** One run of a schedule, as `onSchedule` is told. */
export interface ScheduleRun {
  readonly machine: string
  readonly name: string
  /** From 1 on, over the life of the schedule. */
  readonly run: number
  /** The occurrence that it is for. `now` is later by what it waited for an entry, or for the run before. */
  readonly scheduledAt: Millis
  readonly payload: Value
  /** It is of a backfill. */
  readonly backfilled: boolean
  /** Runs that were open and are so no more, because this one takes their place (`cancelOther`); rising. */
  readonly cancelled: readonly number[]
}

/** A run that goes on. */
export type OpenRun = {
  readonly run: number
  readonly scheduledAt: Millis
}

/** A schedule as it stands. Counters rise over its life. */
export interface ScheduleStatus {
  readonly machine: string
  readonly name: string
  readonly cron: string
  readonly zone: string
  readonly overlap: ScheduleOverlap
  readonly catchUpMs: Millis
  readonly payload: Value
  readonly paused: boolean
  /** The next occurrence; null: none is computed yet, or it is paused or has stopped (what was computed still runs). */
  readonly next: Millis | null
  /** Why no more are computed, neither next ones nor those of backfills, until it is resumed or put again; null: they are. */
  readonly stop: ScheduleStop | null
  /** The occurrence that ran last; null: none has. */
  readonly last: Millis | null
  /** Runs begun; it is the number of the last one. */
  readonly runs: number
  /** Of them, those whose hook failed: rolled back, recorded and alerted. */
  readonly failed: number
  /** Occurrences older than `catchUpMs` when they were found. */
  readonly missed: number
  /** Occurrences that were left out because a run was open and no more may wait, or run beside. */
  readonly skipped: number
  /** Runs that go on, rising. */
  readonly open: readonly OpenRun[]
  /** Occurrences that wait for an open run; rising. */
  readonly waiting: readonly Millis[]
  /** Occurrences of a backfill that are to run; rising. */
  readonly filling: readonly Millis[]
  /** Backfills of which occurrences are still to be computed: those in (after, upTo], oldest first. */
  readonly backfills: readonly { readonly after: Millis; readonly upTo: Millis }[]
}

/** What a machine does with its schedules. Each call is of a machine and a name; those that answer false change nothing. */
export interface ScheduleCalls {
  /**
   * Makes a schedule, or gives the one of that name another definition. Its occurrences after now are run; with the expression
   * and zone that it has, it goes on as it was, so that a repeated call changes nothing (but asks again for one that stopped).
   * Runs that are open or wait stay. False: there are as many schedules as a cluster has room for.
   */
  put(machine: string, name: string, definition: ScheduleDefinition): boolean
  /** Nothing of it runs until it is resumed: occurrences pass, what waits and backfills wait. False: none, or it was paused. */
  pause(machine: string, name: string): boolean
  /** Its occurrences after now are run again. It also asks once more for one that stopped. False: none, or it goes on. */
  resume(machine: string, name: string): boolean
  /**
   * Runs the occurrences in [from, to) as well, those before now, one after the other, whatever its overlap says of those that
   * come by the clock. False: there is no such schedule, no such time, or it has 16 backfills that are not done.
   */
  backfill(machine: string, name: string, range: { readonly from: Millis; readonly to: Millis }): boolean
  /** Removes it, with all that waits and is open. False: there is no such schedule. */
  cancel(machine: string, name: string): boolean
  /** A run that went on is over. False: it is not open. */
  end(machine: string, name: string, run: number): boolean
  /** As it stands in this transaction; null: there is no such schedule. */
  find(machine: string, name: string): ScheduleStatus | null
}

/** A schedule that a command would put, change or cancel, if it was not only tried. */
export interface TriedSchedule {
  readonly machine: string
  readonly name: string
  /** As it would be; null: cancelled. */
  readonly after: ScheduleStatus | null
}

/** The schedules as the entry applied last left them, for the leader's duties and for operators. */
export interface ScheduleReader {
  /**
   * At most `limit` of which a proposer is to compute something; those that it has come to last stand behind the others.
   * PERF: a comparison when there are none.
   */
  awaited(limit: number): readonly StoredSchedule[]
  /** At most `limit` in the order of machines and names, after the one that is named, which need not be there. */
  listAfter(after: { readonly machine: string; readonly name: string } | null, limit: number): readonly ScheduleStatus[]
  /** Null: there is no such schedule. */
  find(machine: string, name: string): StoredSchedule | null
}

/**
 * A schedule with what steps name of it. Of one that is awaited, what it owes is to be computed where it owes something; else
 * its next occurrence when `next` is null, else those of its oldest backfill.
 */
export interface StoredSchedule extends ScheduleStatus {
  /** Entry that last said which its occurrences are. */
  readonly revision: number
  /** The occurrence to come is the first one after it. */
  readonly after: Millis
  /** Times before that whose occurrences, in (after, upTo], are still to be computed. Absent: none. */
  readonly owed?: readonly {
    readonly after: Millis
    readonly upTo: Millis
    readonly cron: string
    readonly zone: string
  }[]
}
