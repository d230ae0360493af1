import { appendRequest, hasRoom, REQUEST_OVERHEAD_BYTES } from '../clients/outbox.ts'
import type { SessionRecord } from '../clients/session-record.ts'
import type { OutboxRow } from '../rows/session-rows.ts'
import { hookCall, type MachineRunner } from './machine-runner.ts'
import { foldWaitEnd } from '../state/fold.ts'
import type { ReplicatedState } from '../state/replicated-state.ts'
import type { EndedWait } from '../tables/wait-rows.ts'
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

/**
 * Delivers the ends of waits that the transactions before have brought, and those that their hooks bring: each once, to its
 * owner's outbox or to the machine's hook, in the order in which they came. The wait is gone already, so that a hook that
 * throws does not hear of it again. PERF: as a rule one comparison.
 */
export function runWaitEnds(state: ReplicatedState, runner: MachineRunner): void {
  const { waits } = state
  for (let ended = waits.takeEnd(); ended !== null; ended = waits.takeEnd()) {
    const { waitId, machine, key, owner, deliver } = ended.waiter
    foldWaitEnd(state, ended.waiter, ended.end.kind)
    if (deliver !== null && toldOwner(state, ended, deliver)) continue
    const notice = Object.freeze({ waitId, machine, key, owner, end: ended.end, undelivered: deliver !== null })
    const call = { ...hookCall('onWait', null, machine), label: `wait ${waitId}` }
    waits.depth = ended.depth
    runner.runHook(call, (context) => runner.user.onWait?.(context, notice))
  }
  waits.depth = 0
}

/** False when its owner has ended, or has no room. */
function toldOwner(state: ReplicatedState, { waiter, end }: EndedWait, type: string): boolean {
  const { waitId, key, owner } = waiter
  const session = owner === null ? null : state.sessions.findById(owner)
  if (session === null || !session.live) return false
  const payload = Object.freeze({ waitId, key, end })
  const bytes = state.codec.walkRow(payload, state.hash) + type.length + REQUEST_OVERHEAD_BYTES
  if (!hasRoom(state, session, 1, bytes)) return false
  const { attemptsMax } = state.limits
  appendRequest(state, session, { type, payload, bytes, overflow: 'reject', key: null, attemptsMax, deadlineAt: null })
  return true
}
