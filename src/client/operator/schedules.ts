import type { Value } from '../../codec/value/value.ts'
import { askLeader } from './ask-leader.ts'
import { paged } from './paged.ts'
import { type AnsweredBy, decoded } from './sessions.ts'

/** A schedule. Times are Unix ms of the log's clock; 0: none. Counters are those of its life. */
export interface ScheduleLine {
  readonly machine: string
  readonly name: string
  readonly cron: string
  readonly zone: string
  readonly overlap: 'skip' | 'bufferOne' | 'bufferAll' | 'allowAll' | 'cancelOther'
  readonly catchUpMs: number
  readonly paused: boolean
  /** Its next occurrence; 0: none is computed yet, or it is paused or has stopped. */
  readonly nextMs: number
  /** Why it has stopped; '': it has not. */
  readonly stop: '' | 'badCron' | 'unknownZone' | 'never'
  /** The occurrence that ran last. */
  readonly lastMs: number
  /** Runs begun, and those of them that failed. */
  readonly runs: number
  readonly failed: number
  /** Occurrences that were too old when they were found, and those left out because a run was open. */
  readonly missed: number
  readonly skipped: number
  /** Runs that go on, occurrences that wait for one, and occurrences of backfills that are to run. */
  readonly open: number
  readonly waiting: number
  readonly filling: number
  /** Backfills of which occurrences are still to be computed. */
  readonly backfills: number
}

/** All that the leader knows of a schedule. */
export interface ScheduleDetails {
  readonly by: AnsweredBy
  readonly schedule: ScheduleLine
  /** What a change of it names, so that it is made once, and of this schedule alone. */
  readonly revision: number
  /** The log's clock at the leader. */
  readonly nowMs: number
  /** What its runs are told; undefined unless payloads were asked for. */
  readonly payload: Value | undefined
  readonly open: readonly { readonly run: number; readonly scheduledMs: number }[]
  readonly waitingMs: readonly number[]
  readonly fillingMs: readonly number[]
  /** Their occurrences in [from, to) are still to be computed. */
  readonly backfills: readonly { readonly fromMs: number; readonly toMs: number }[]
}

/** What an operator wants of a schedule. */
export type ScheduleChange = {
  readonly machine: string
  readonly name: string
  /** Of the ScheduleDetails by which it was decided; 0: of whichever there is. */
  readonly basedOn: number
} & (
  | { readonly change: 'pause' | 'resume' | 'cancel' }
  /** Runs the occurrences in [fromMs, toMs), those before now, as well. */
  | { readonly change: 'backfill'; readonly fromMs: number; readonly toMs: number }
  /** The open run of that number is over. */
  | { readonly change: 'end'; readonly run: number }
)

/** What came of a change. */
export interface ChangedSchedule {
  readonly by: AnsweredBy
  /** Of the entry. */
  readonly index: number
  /** False: it was paused, or went on, or no such run was open, before. */
  readonly changed: boolean
}

const FIRST = { afterMachine: '', afterName: '' }

/** At most `limit` schedules, of one machine or of all (''), in the order of machines and names. Rejects with OperatorError. */
export async function fetchSchedules(
  endpoints: readonly string[],
  { limit, machine = '' }: { readonly limit: number; readonly machine?: string },
): Promise<{ readonly schedules: readonly ScheduleLine[]; readonly more: boolean }> {
  const pages = { limit, filtered: machine !== '' }
  const { items, more } = await paged(pages, async (after: typeof FIRST | null, size) => {
    const request = { ...(after ?? FIRST), limit: size, machine }
    const page = (await askLeader(endpoints, { method: 'Schedules', request })) as SchedulesPage
    const { nextMachine, nextName } = page
    const next = nextMachine === '' ? null : { afterMachine: nextMachine, afterName: nextName }
    return { items: page.schedules, next }
  })
  return { schedules: items, more }
}

/** One schedule. Rejects with OperatorError: SCHEDULE_UNKNOWN when there is none of that machine and name. */
export async function fetchSchedule(
  endpoints: readonly string[],
  request: { readonly machine: string; readonly name: string; readonly payloads: boolean },
): Promise<ScheduleDetails> {
  const found = (await askLeader(endpoints, { method: 'Schedule', request })) as ScheduleFound
  return { ...found, payload: decoded(found.payload) }
}

/**
 * Changes a schedule. One that names a revision is made once, however often it is repeated: where an answer was lost it may be
 * SCHEDULE_CHANGED. Rejects with OperatorError: SCHEDULE_UNKNOWN, SCHEDULE_CHANGED, BACKFILL_REFUSED,
 * NOT_YET_SUPPORTED.
 */
export async function changeSchedule(endpoints: readonly string[], change: ScheduleChange): Promise<ChangedSchedule> {
  const request = { fromMs: 0, toMs: 0, run: 0, ...change }
  return (await askLeader(endpoints, { method: 'ChangeSchedule', request })) as ChangedSchedule
}

interface SchedulesPage {
  readonly schedules: readonly ScheduleLine[]
  readonly nextMachine: string
  readonly nextName: string
}

type ScheduleFound = Omit<ScheduleDetails, 'payload'> & { readonly payload: Uint8Array }
