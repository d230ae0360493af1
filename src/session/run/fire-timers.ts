import { fireSchedule } from '../schedules/fire-schedule.ts'
import { SCHEDULE_TIMER, scheduleOf } from '../schedules/schedule-rows.ts'
import { foldTimer } from '../state/fold.ts'
import type { ReplicatedState } from '../state/replicated-state.ts'
import { TASK_MACHINE } from '../tables/tasks.ts'
import { WAIT_TIMER } from '../tables/wait-rows.ts'
import type { FiringTimer } from '../tables/timers.ts'
import { runTaskFallbacks, runWaitEnds } from './hooks.ts'
import type { MachineRunner } from './machine-runner.ts'
import { fireTaskTimer } from './task-assignment.ts'

/**
 * Fires every timer due by `until`, in (due, id) order, each at its own logical time and in its own transaction (sessions.md
 * §8). A timer may arm further ones that fall due in the same pass. Its row goes first, outside the rollback, so that a
 * timer which throws does not fire again.
 */
export function fireTimers(state: ReplicatedState, runner: MachineRunner, until: number): void {
  for (let more = true; more; ) more = fireNext(state, runner, until)
}

/** As `fireTimers`, a step for each: any number may be due at once. */
export function* fireTimersInSteps(
  state: ReplicatedState,
  runner: MachineRunner,
  until: number,
): Generator<void, void> {
  while (fireNext(state, runner, until)) yield
}

/** False when none is due. */
function fireNext(state: ReplicatedState, runner: MachineRunner, until: number): boolean {
  const timer = state.timers.takeDue(until)
  if (timer === null) return false
  state.now = Math.max(state.now, timer.row.dueAt)
  fire(state, runner, { timer, until })
  runWaitEnds(state, runner)
  return true
}

function fire(
  state: ReplicatedState,
  runner: MachineRunner,
  { timer, until }: { readonly timer: FiringTimer; readonly until: number },
): void {
  const { machine, name, payload } = timer.row
  foldTimer(state, timer.key)
  if (machine !== TASK_MACHINE) {
    const part = { machine, kind: 'timer', name } as const
    runner.runHook({ part, label: `timer ${machine}/${name}`, session: null }, (context) =>
      runner.user.onTimer?.(context, { machine, name, payload }),
    )
    return
  }
  if (name.startsWith(WAIT_TIMER)) {
    state.waits.timeOut(name.slice(WAIT_TIMER.length))
    return
  }
  if (name.startsWith(SCHEDULE_TIMER)) {
    fireSchedule(state, runner, { ...scheduleOf(payload), until })
    return
  }
  const failed = fireTaskTimer(state, name)
  if (failed !== null) runTaskFallbacks(runner, [failed])
}
