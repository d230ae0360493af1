import type { SessionRecord } from '../clients/session-record.ts'
import type { OutboxRow } from '../rows/session-rows.ts'
import { hookCall, type MachineRunner } from './machine-runner.ts'
import type { FailedTask } from './task-assignment.ts'

/** Runs the fallback of every task that failed for good, each in its own transaction. */
export function runTaskFallbacks(runner: MachineRunner, failed: readonly FailedTask[]): void {
  for (const { task, reason } of failed) {
    const call = { ...hookCall('onTaskFailed', null, task.machine), label: `task ${task.taskId}` }
    runner.runHook(call, (context) => runner.user.onTaskFailed?.(context, task, reason))
  }
}

/** Tells the machine of a server request that nobody acknowledged in time. */
export function runDeadLetter(runner: MachineRunner, session: SessionRecord, request: OutboxRow): void {
  runner.runHook(hookCall('onDeadLetter', null), (context) =>
    runner.user.onDeadLetter?.(context, request, session.row.info),
  )
}
