import type { SessionRecord } from '../clients/session-record.ts'
import type { OutboxRow } from '../rows/session-rows.ts'
import type { MachineRunner } from './machine-runner.ts'
import type { ReplicatedState } from '../state/replicated-state.ts'
import { type FailedTask, fireTaskTimer } from './task-assignment.ts'
import { TASK_MACHINE } from '../tables/tasks.ts'
import type { FiringTimer } from '../tables/timers.ts'

/** Runs the fallback of every task that failed for good, each in its own transaction. */
export function runTaskFallbacks(runner: MachineRunner, failed: readonly FailedTask[]): void {
  for (const { task, reason } of failed) {
    runner.hook(`task ${task.taskId}`, null, (context) => runner.user.onTaskFailed?.(context, task, reason))
  }
}

/** Tells the machine of a server request that nobody acknowledged in time. */
export function runDeadLetter(runner: MachineRunner, session: SessionRecord, request: OutboxRow): void {
  runner.hook('onDeadLetter', null, (context) => runner.user.onDeadLetter?.(context, request, session.row.info))
}

/**
 * Fires every timer due by `until`, in (due, id) order, each at its own logical time and in its own transaction (sessions.md
 * §8). A timer may arm further ones that fall due in the same pass. Its row goes first, outside the rollback, so that a
 * timer which throws does not fire again.
 */
export function fireTimers(state: ReplicatedState, runner: MachineRunner, until: number): void {
  for (let timer = state.timers.takeDue(until); timer !== null; timer = state.timers.takeDue(until)) {
    state.now = Math.max(state.now, timer.row.dueAt)
    fire(state, runner, timer)
  }
}

function fire(state: ReplicatedState, runner: MachineRunner, timer: FiringTimer): void {
  const { machine, name, payload } = timer.row
  state.codec.foldNumber(state.hash, state.now)
  state.codec.foldString(state.hash, timer.key)
  if (machine !== TASK_MACHINE) {
    runner.hook(`timer ${machine}/${name}`, null, (context) =>
      runner.user.onTimer?.(context, { machine, name, payload }),
    )
    return
  }
  const failed = fireTaskTimer(state, name)
  if (failed !== null) runTaskFallbacks(runner, [failed])
}
