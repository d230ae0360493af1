import type { Catcher, Mutant } from '../mutant.ts'

const UNIT: Catcher = { kind: 'tests', files: ['test/session/schedules/schedules.test.ts'] }
const OVERLAP: Catcher = { kind: 'tests', files: ['test/session/schedules/overlap.test.ts'] }
const CALENDAR: Catcher = { kind: 'tests', files: ['test/calendar/occurrences.test.ts'] }

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
    find: "return open.length === 0 || overlap === 'allowAll' || overlap === 'cancelOther'",
    replace: 'return open.length >= 0',
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
]
