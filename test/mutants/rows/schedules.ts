import type { Catcher, Mutant } from '../mutant.ts'

const UNIT: Catcher = { kind: 'tests', files: ['test/session/schedules/schedules.test.ts'] }
const OVERLAP: Catcher = { kind: 'tests', files: ['test/session/schedules/overlap.test.ts'] }
const CALENDAR: Catcher = { kind: 'tests', files: ['test/calendar/occurrences.test.ts'] }

/** Found among schedules that are made, changed and filled while clocks leap and leaders die. */
const LEAPING: Catcher = { kind: 'simulator', seeds: 60, workload: 'schedules' }

/** Schedules that run too often, too late, or at other times than the clock of their zone says. */
export const SCHEDULES: readonly Mutant[] = [
  {
    id: 'schedules/missed-is-run',
    breaks: 'an occurrence older than the schedule catches up with is run all the same',
    file: 'src/session/schedules/fire-schedule.ts',
    find: "if (until - scheduledAt > catchUpMs) return 'missed'",
    replace: "if (until < scheduledAt) return 'missed'",
    caughtBy: UNIT,
  },
  {
    id: 'schedules/stale-proposal-taken',
    breaks: 'what was computed of an expression that the schedule has no more is taken',
    file: 'src/session/schedules/schedule-next.ts',
    find: "awaitedOf(row) !== 'next' || step.revision !== row.revision || step.after !== row.after",
    replace: "awaitedOf(row) !== 'next' || step.after !== row.after",
    caughtBy: UNIT,
  },
  {
    id: 'schedules/proposer-misses',
    breaks: 'a proposer whose clock is ahead has occurrences missed that are within the window',
    file: 'src/session/schedules/schedule-next.ts',
    find: 'if (upTo > row.after && upTo > now - row.catchUpMs) return null',
    replace: 'if (upTo < row.after) return null',
    caughtBy: UNIT,
  },
  {
    id: 'schedules/waiting-runs-beside',
    breaks: 'what waits for an open run does not wait for its end',
    file: 'src/session/schedules/schedule-rows.ts',
    find: "return open.length === 0 || overlap === 'cancelOther'",
    replace: 'return open.length >= 0',
    caughtBy: OVERLAP,
  },
  {
    id: 'schedules/asked-in-an-entry',
    breaks: 'what was computed in the middle of an entry is taken for what a later part of it has put',
    file: 'src/node/propose/leader-duties.ts',
    find: "if (this.inFlight.has('ScheduleNext') || machine.underway) return",
    replace: "if (this.inFlight.has('ScheduleNext')) return",
    caughtBy: { kind: 'tests', files: ['test/node/propose/leader-duties.test.ts'] },
  },
  {
    id: 'schedules/asked-for-ever',
    breaks: 'a backfill in a zone that the proposer lacks is asked for without end',
    file: 'src/session/schedules/schedule-next.ts',
    find: "if (step.stop !== '') return step.upTo === oldest.after ? { ...row, stop: step.stop } : null",
    replace: "if (step.stop !== '') return null",
    caughtBy: OVERLAP,
  },
  {
    id: 'schedules/no-turns',
    breaks: 'schedules with much to count keep others from their next occurrence',
    file: 'src/session/schedules/schedules.ts',
    find: '    this.awaiting.delete(key)\n    if (awaitedOf(row) !== null) this.awaiting.add(key)',
    replace: '    if (awaitedOf(row) === null) this.awaiting.delete(key)\n    else this.awaiting.add(key)',
    caughtBy: OVERLAP,
  },
  {
    id: 'schedules/backfilled-twice',
    breaks: 'an operator’s backfill that is sent again runs again',
    file: 'src/session/schedules/schedule-next.ts',
    find: 'return row === null ? null : { ...row, revision }',
    replace: 'return row === null || revision < 0 ? null : row',
    caughtBy: { kind: 'tests', files: ['test/cli/schedules/schedules.test.ts'] },
  },
  {
    id: 'schedules/failed-run-cancels',
    breaks: 'a run that fails puts out those that were open, of which the machine has not heard',
    file: 'src/session/schedules/fire-schedule.ts',
    find: '{ ...after, open: row.open, failed: after.failed + 1 }',
    replace: '{ ...after, failed: after.failed + 1 }',
    caughtBy: OVERLAP,
  },
  {
    id: 'schedules/backfill-unbounded',
    breaks: 'a backfill runs beside what is open without a bound',
    file: 'src/session/schedules/schedule-rows.ts',
    find: "if (overlap === 'allowAll') return open.length < SCHEDULE_RUNS_MAX",
    replace: "if (overlap === 'allowAll') return true",
    caughtBy: OVERLAP,
  },
  {
    id: 'schedules/second-of-two',
    breaks: 'a time that the clock shows twice runs the second time, and one that it skips an hour late',
    file: 'src/calendar/occurrences.ts',
    find: "{ disambiguation: 'earlier' }",
    replace: "{ disambiguation: 'later' }",
    caughtBy: CALENDAR,
  },
  {
    id: 'schedules/resumed-from-the-past',
    breaks: 'what passed while a schedule was paused is run when it is resumed',
    file: 'src/session/schedules/schedule-changes.ts',
    find: 'paused: false, revision: index, after: now, next: null',
    replace: 'paused: false, revision: index, after: Math.min(row.after, now), next: null',
    caughtBy: LEAPING,
  },
  {
    id: 'schedules/changed-by-nothing',
    breaks: 'a put of the expression that a schedule has begins it anew, so that what is due is lost',
    file: 'src/session/schedules/schedule-calls.ts',
    find: 'there.cron === cron && there.zone === zone && there.stop === null',
    replace: 'there.cron === cron && there.zone === zone && there.stop !== null',
    caughtBy: LEAPING,
  },
  {
    id: 'schedules/runs-again-after-a-failure',
    breaks: 'a run whose hook failed gives its number back',
    file: 'src/session/schedules/fire-schedule.ts',
    find: 'state.schedules.put({ ...after, open: row.open, failed: after.failed + 1 })',
    replace: 'state.schedules.put({ ...row, failed: after.failed + 1 })',
    caughtBy: LEAPING,
  },
  {
    id: 'schedules/cancelled-stay-open',
    breaks: 'a run whose place was taken is open for ever',
    file: 'src/session/schedules/fire-schedule.ts',
    find: "const open = overlap === 'cancelOther' ? [] : row.open",
    replace: "const open = overlap === 'cancelOther' ? row.open.slice(-1) : row.open",
    caughtBy: LEAPING,
  },
  {
    id: 'schedules/backfill-skips-one',
    breaks: 'the occurrences of a backfill go on one after where the batch before ended',
    file: 'src/node/propose/schedule-plans.ts',
    find: 'for (let at = after; times.length',
    replace: 'for (let at = after + 60_000; times.length',
    caughtBy: LEAPING,
  },
  {
    id: 'schedules/waits-past-its-end',
    breaks: 'the end of an open run does not let the next one run that waits',
    file: 'src/session/schedules/schedule-rows.ts',
    find: '  if (mayRunWaiting(row)) return now + 1\n',
    replace: '  if (mayRunWaiting(row) && row.next === null) return now + 1\n',
    caughtBy: LEAPING,
  },
]
