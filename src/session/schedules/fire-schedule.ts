import { assert } from '../../base/assert.ts'
import type { Millis } from '../../base/brand.ts'
import { REJECTED_RUNS_SINCE } from '../own-versions.ts'
import type { MachineRunner } from '../run/machine-runner.ts'
import type { ScheduleRun } from '../schedule.ts'
import { foldScheduleFate } from '../state/fold.ts'
import type { ReplicatedState } from '../state/replicated-state.ts'
import { mayRunWaiting, SCHEDULE_RUNS_MAX, type ScheduleRow } from './schedule-rows.ts'

/** What becomes of an occurrence whose time has come. */
type Fate = 'runs' | 'waits' | 'skipped' | 'missed'

/**
 * The timer of a schedule has fired: an occurrence that waits runs, else the next one has come. `until` is the time of the
 * entry before which it fires: what is older by more than the schedule catches up with is missed. The row goes first, outside
 * the rollback, so that a run whose hook throws is not run again.
 */
export function fireSchedule(
  state: ReplicatedState,
  runner: MachineRunner,
  fired: { readonly machine: string; readonly name: string; readonly until: Millis },
): void {
  const row = state.schedules.find(fired.machine, fired.name)
  assert(row !== null, 'the timer of a schedule has its schedule', { ...fired })
  if (mayRunWaiting(row)) {
    runWaiting(state, runner, row)
    return
  }
  const { next } = row
  assert(next !== null, 'the timer of a schedule fires for an occurrence', { ...fired })
  const passed: ScheduleRow = { ...row, after: next, next: null }
  const fate = fateOf(row, next, fired.until)
  foldScheduleFate(state, fate, next)
  if (fate === 'runs') run(state, runner, { row: passed, scheduledAt: next, backfilled: false })
  else if (fate === 'waits') state.schedules.put({ ...passed, waiting: [...row.waiting, next] })
  else state.schedules.put({ ...passed, [fate]: row[fate] + 1 })
}

function fateOf({ catchUpMs, overlap, open, waiting }: ScheduleRow, scheduledAt: Millis, until: Millis): Fate {
  if (until - scheduledAt > catchUpMs) return 'missed'
  if (open.length === 0 || overlap === 'cancelOther') return 'runs'
  switch (overlap) {
    case 'skip':
      return 'skipped'
    case 'bufferOne':
      return waiting.length < 1 ? 'waits' : 'skipped'
    case 'bufferAll':
      return waiting.length < SCHEDULE_RUNS_MAX ? 'waits' : 'skipped'
    case 'allowAll':
      return open.length < SCHEDULE_RUNS_MAX ? 'runs' : 'skipped'
  }
}

/** Those of the clock before those of a backfill, each list from its oldest. */
function runWaiting(state: ReplicatedState, runner: MachineRunner, row: ScheduleRow): void {
  const [first, ...waiting] = row.waiting
  if (first !== undefined) {
    foldScheduleFate(state, 'runs', first)
    run(state, runner, { row: { ...row, waiting }, scheduledAt: first, backfilled: false })
    return
  }
  const [oldest, ...filling] = row.filling
  assert(oldest !== undefined, 'something waits to be run', { machine: row.machine, name: row.name })
  foldScheduleFate(state, 'runs', oldest)
  run(state, runner, { row: { ...row, filling }, scheduledAt: oldest, backfilled: true })
}

/** Runs the hook; the run is over with it, unless it says that it goes on. */
function run(
  state: ReplicatedState,
  runner: MachineRunner,
  {
    row,
    scheduledAt,
    backfilled,
  }: { readonly row: ScheduleRow; readonly scheduledAt: Millis; readonly backfilled: boolean },
): void {
  const { machine, name, payload, overlap } = row
  const number = row.runs + 1
  const cancelled = overlap === 'cancelOther' ? row.open.map((open) => open.run) : []
  const open = overlap === 'cancelOther' ? [] : row.open
  state.schedules.put({ ...row, open, runs: number, last: scheduledAt })
  const told: ScheduleRun = { machine, name, run: number, scheduledAt, payload, backfilled, cancelled }
  state.codec.walkRow(told, { high: 0, low: 0 })
  const part = { machine, kind: 'hook', name: 'onSchedule' } as const
  let goesOn = false
  const rejectionFails = state.versions.hasOwn(REJECTED_RUNS_SINCE)
  const call = { part, label: `schedule ${machine}/${name}`, session: null, rejectionFails }
  const done = runner.runHook(call, (context) => {
    const returned = runner.user.onSchedule?.(context, told)
    goesOn = returned === 'open'
    return returned
  })
  // The hook may have changed its schedule, or put another one under its name.
  const after = state.schedules.find(machine, name)
  if (after === null || after.runs < number) return
  foldScheduleFate(state, done ? (goesOn ? 'open' : 'over') : 'failed', number)
  // Nothing that it did stands, and the machine has not heard that others are cancelled.
  if (!done) state.schedules.put({ ...after, open: row.open, failed: after.failed + 1 })
  else if (goesOn) state.schedules.put({ ...after, open: [...after.open, { run: number, scheduledAt }] })
}
