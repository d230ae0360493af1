import type { Value } from '../../codec/value/value.ts'
import type { SessionRecord } from '../clients/session-record.ts'
import { runTaskFallbacks } from '../run/hooks.ts'
import { hookCall, type Executed, type MachineRunner } from '../run/machine-runner.ts'
import type { ReplicatedState } from '../state/replicated-state.ts'
import { closeTask, failAttempt } from '../run/task-assignment.ts'
import { isOpen, TASK_MACHINE, type TaskRow } from '../tables/tasks.ts'
import type { Outcome } from '../user-machine.ts'

interface TaskInput {
  readonly taskId: string
  readonly attempt: number
  /** `result` of complete, `reason` of fail. */
  readonly answer: Value
}

/**
 * `task.complete {taskId, attempt, result}` and `task.fail {taskId, attempt, reason}` (domain.md §0.7), in the order of
 * domain.md §0.5. The first valid result for an open task wins, whatever its attempt. A failure, or an invalid result,
 * ends the attempt it names only while that attempt holds the lease: a late word about an old attempt must not end the
 * new one.
 */
export function applyTaskCommand(
  state: ReplicatedState,
  runner: MachineRunner,
  session: SessionRecord,
  request: { readonly command: string; readonly input: Value },
): Executed {
  const { command } = request
  if (command !== 'complete' && command !== 'fail')
    return answer(runner, session, reject('UNKNOWN_COMMAND', { command }))
  const input = parse(request.input, command === 'complete' ? 'result' : 'reason')
  if (input === null) return answer(runner, session, reject('VALIDATION_ERROR', { command }))
  const task = state.tasks.find(input.taskId)
  if (task === null) return answer(runner, session, reject('STALE_TASK', { status: null }))
  if (!session.row.info.roles.includes(task.role))
    return answer(runner, session, reject('FORBIDDEN', { role: task.role }))
  if (command === 'fail') return fail(state, runner, session, { task, input })
  const given = { by: session.row.info.principal, hash: hashOf(state, input.answer) }
  if (!isOpen(task)) {
    const same = task.result !== null && task.result.by === given.by && task.result.hash === given.hash
    return answer(runner, session, same ? value({ duplicate: true }) : reject('STALE_TASK', { status: task.status }))
  }
  return complete(state, runner, session, { task, input, given })
}

interface Completion {
  readonly task: TaskRow
  readonly input: TaskInput
  readonly given: { readonly by: string; readonly hash: string }
}

function complete(
  state: ReplicatedState,
  runner: MachineRunner,
  session: SessionRecord,
  { task, input, given }: Completion,
): Executed {
  let invalid = false
  const call = { ...hookCall('onTaskResult', session, task.machine), label: task.machine }
  const executed = runner.runInternal(call, (context) => {
    const verdict = runner.user.onTaskResult?.(context, task, runner.given(input.answer)) ?? {
      kind: 'done',
      value: null,
    }
    if (verdict.kind === 'done') return value(verdict.value)
    invalid = true
    return reject('VALIDATION_ERROR', verdict.details)
  })
  // Read the row again: the machine may have cancelled the task itself.
  const after = state.tasks.find(task.taskId)
  if (executed.outcome.kind === 'value') {
    if (after !== null && isOpen(after)) closeTask(state, after, { status: 'DONE', result: given })
  } else if (invalid && executed.outcome.code === 'VALIDATION_ERROR' && after !== null) {
    endAttempt(state, runner, after, { attempt: input.attempt, reason: 'INVALID_RESULT' })
  }
  return executed
}

function fail(
  state: ReplicatedState,
  runner: MachineRunner,
  session: SessionRecord,
  { task, input }: { task: TaskRow; input: TaskInput },
): Executed {
  if (!holdsLease(task, input.attempt)) return answer(runner, session, reject('STALE_TASK', { status: task.status }))
  const reason = typeof input.answer === 'string' ? input.answer : 'FAILED'
  endAttempt(state, runner, task, { attempt: input.attempt, reason })
  return answer(runner, session, value({ status: state.tasks.find(task.taskId)?.status ?? task.status }))
}

function endAttempt(
  state: ReplicatedState,
  runner: MachineRunner,
  task: TaskRow,
  { attempt, reason }: { attempt: number; reason: string },
): void {
  if (!holdsLease(task, attempt)) return
  const failed = failAttempt(state, task, reason)
  if (failed !== null) runTaskFallbacks(runner, [failed])
}

function holdsLease(task: TaskRow, attempt: number): boolean {
  return task.status === 'LEASED' && task.attempt === attempt
}

function answer(runner: MachineRunner, session: SessionRecord, outcome: Outcome): Executed {
  return runner.runInternal(hookCall(TASK_MACHINE, session, TASK_MACHINE), () => outcome)
}

const value = (result: Value): Outcome => ({ kind: 'value', value: result })
const reject = (code: string, details: Value): Outcome => ({ kind: 'reject', code, details })

function parse(input: Value, field: 'result' | 'reason'): TaskInput | null {
  if (typeof input !== 'object' || input === null || Array.isArray(input) || input instanceof Uint8Array) return null
  const record = input as { readonly [key: string]: Value }
  const { taskId, attempt } = record
  const given = record[field]
  if (typeof taskId !== 'string' || typeof attempt !== 'number' || given === undefined) return null
  return { taskId, attempt, answer: given }
}

/** SHA-256 of a result, in hex. What was decoded from a command's input is a value: it needs no second proof. */
function hashOf(state: ReplicatedState, result: Value): string {
  let text = ''
  for (const byte of state.codec.sha256(state.codec.encodeWalked(result))) text += HEX[byte]
  return text
}

const HEX: readonly string[] = Array.from({ length: 256 }, (_, byte) => byte.toString(16).padStart(2, '0'))
