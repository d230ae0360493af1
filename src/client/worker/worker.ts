import { unreachable } from '../../base/assert.ts'
import type { Value } from '../../codec/value/value.ts'
import type { CallOptions, CommandOutcome } from '../calls/call.ts'
import { checkDeadlineOf } from '../check/check-call.ts'
import { orThrow, sentenceOf } from '../check/invalid-argument.ts'
import type { ClientClock } from '../connection/ports.ts'
import type { Callbacks } from '../session/callbacks.ts'
import type { TaskAssignment } from '../session/typed-requests.ts'
import { TaskAttempt } from './task-attempt.ts'
import type { WorkerKind } from './worker-kinds.ts'
import type { CheckedWorkerOptions, TaskProblem } from './worker-options.ts'

/** What a worker needs of its session. */
export interface WorkerParts extends CheckedWorkerOptions {
  readonly kinds: ReadonlyMap<string, WorkerKind>
  readonly clock: ClientClock
  readonly callbacks: Callbacks
  /** `task.complete` or `task.fail`; never rejects. */
  tell(command: 'complete' | 'fail', input: Value, options: CallOptions): Promise<CommandOutcome>
  /** Ends a command that was `unknown`: whoever has the task next is not waited for. */
  abandon(requestId: number): void
  /** Default deadline of commands, ms. */
  readonly deadlineMs: number
}

type Problem = Pick<TaskProblem, 'code'> & Partial<Pick<TaskProblem, 'details' | 'error'>>

/** A reason of a failure goes into the log of the cluster. */
const REASON_CHARS_MAX = 200
/** Refusals after which the attempt is over at the server. */
const ENDED: readonly string[] = ['STALE_TASK', 'VALIDATION_ERROR']
/** Before the log: the result itself cannot be told, however often. */
const UNSENDABLE: readonly string[] = ['INVALID', 'VALIDATION_ERROR', 'COMMAND_TOO_LARGE']

/**
 * Takes the tasks that are assigned to its session (domain.md §0.7), a bounded number at once, and tells the server what became
 * of each. A task is acknowledged when it arrives; from then on its lease and its session guard it, so that a worker that is
 * killed costs one attempt, if its lease is longer than its session lives on. Made by `session.worker`.
 */
export class Worker {
  private readonly parts: WorkerParts
  /** Assigned and not begun, oldest first. */
  private readonly queue: TaskAttempt[] = []
  /** Begun, and their end not told yet. */
  private readonly active = new Set<TaskAttempt>()
  /** Failures that are being told. */
  private telling = 0
  private stopping: Promise<boolean> | null = null
  private ended = false
  private idle: () => void = () => undefined

  constructor(parts: WorkerParts) {
    this.parts = parts
  }

  /** Attempts that run. */
  get running(): number {
    return this.active.size
  }

  /** Attempts that wait for one of those to end. */
  get waiting(): number {
    return this.queue.length
  }

  /**
   * Takes an attempt; the session calls it. Acknowledged at once: a handler may take longer than other requests should wait.
   */
  readonly receive = (assignment: TaskAssignment): void => {
    const { taskId, kind: name, attempt: number } = assignment
    if (this.ended) return
    // The server gave the task anew, so the earlier attempt is over.
    for (const earlier of [...this.queue, ...this.active]) {
      if (earlier.assignment.taskId === taskId && earlier.assignment.attempt < number) this.expire(earlier)
    }
    const kind = this.parts.kinds.get(name)
    if (kind === undefined) return this.giveBack(assignment, { code: 'UNHANDLED_TASK' })
    if (this.stopping !== null) return this.giveBack(assignment, { code: 'WORKER_STOPPED' })
    const attempt: TaskAttempt = new TaskAttempt(assignment, kind, this.parts.clock, () => this.expire(attempt))
    this.queue.push(attempt)
    this.begin()
  }

  /**
   * Takes no more: what waits is given back, as a failed attempt, and what runs is waited for until the deadline (default 30
   * s); then it is aborted and given back too. True: all that ran has ended by itself. The session stays open, and tasks that
   * it is given are given back until it is closed. Rejects with InvalidArgument for a deadline that cannot be used.
   */
  async stop(options: { readonly deadlineMs?: number } = {}): Promise<boolean> {
    const deadlineMs = orThrow('options', () => checkDeadlineOf(options, STOP_DEADLINE_MS))
    this.stopping ??= this.stopNow(deadlineMs)
    return this.stopping
  }

  /** The session is over: nothing can be told any more. */
  readonly sessionEnded = (): void => {
    if (this.ended) return
    this.ended = true
    for (const attempt of [...this.queue.splice(0), ...this.active]) attempt.abort('WORKER_LOST')
    this.idle()
  }

  private begin(): void {
    while (this.active.size < this.parts.concurrency) {
      const attempt = this.queue.shift()
      if (attempt === undefined) return
      this.active.add(attempt)
      void this.run(attempt).then(() => {
        this.active.delete(attempt)
        this.begin()
        this.idle()
      })
    }
  }

  /** Never rejects. */
  private async run(attempt: TaskAttempt): Promise<void> {
    let result: Value | void
    try {
      result = await attempt.kind.handler(attempt.assignment.payload, attempt.task)
      attempt.close()
    } catch (error) {
      attempt.close()
      // What was told when it was aborted is not told again, and its failure concerns nobody.
      if (attempt.abortedBy === null) return this.fail(attempt.assignment, { code: 'HANDLER_FAILED', error })
      return
    }
    const given = attempt.abortedBy
    if (given === 'WORKER_LOST' || given === 'WORKER_STOPPED') return
    await this.complete(attempt, result ?? null)
  }

  /** A result that comes after the lease is told too: it is taken while the task is open. */
  private async complete(attempt: TaskAttempt, result: Value): Promise<void> {
    const { assignment, leftMs } = attempt
    const { taskId, attempt: number } = assignment
    const deadlineMs = Math.max(this.parts.deadlineMs, leftMs)
    const outcome = await this.parts.tell('complete', { taskId, attempt: number, result }, { deadlineMs })
    switch (outcome.kind) {
      case 'ok':
        return
      case 'rejected':
        if (!ENDED.includes(outcome.code)) return this.fail(assignment, outcome)
        return this.problem(assignment, outcome)
      case 'notExecuted':
        if (UNSENDABLE.includes(outcome.code)) return this.fail(assignment, outcome)
        return this.problem(assignment, outcome)
      case 'unknown':
        this.parts.abandon(outcome.requestId)
        return this.problem(assignment, outcome)
      default:
        return unreachable(outcome)
    }
  }

  /** Tells the user and the server that the attempt has failed; whatever becomes of that, the lease ends too. */
  private async fail(assignment: TaskAssignment, problem: Problem): Promise<void> {
    this.problem(assignment, problem)
    if (this.ended) return
    const { taskId, attempt } = assignment
    const reason = reasonOf(problem)
    const outcome = await this.parts.tell('fail', { taskId, attempt, reason }, {})
    if (outcome.kind === 'unknown') this.parts.abandon(outcome.requestId)
  }

  /** The same of an attempt that does not run. */
  private giveBack(assignment: TaskAssignment, problem: Problem): void {
    this.telling += 1
    void this.fail(assignment, problem).then(() => {
      this.telling -= 1
      this.idle()
    })
  }

  private expire(attempt: TaskAttempt): void {
    const at = this.queue.indexOf(attempt)
    if (at >= 0) this.queue.splice(at, 1)
    if (attempt.abort('LEASE_EXPIRED')) this.problem(attempt.assignment, { code: 'LEASE_EXPIRED' })
  }

  private async stopNow(deadlineMs: number): Promise<boolean> {
    const { clock } = this.parts
    for (const attempt of this.queue.splice(0)) {
      attempt.close()
      this.giveBack(attempt.assignment, { code: 'WORKER_STOPPED' })
    }
    let late = false
    const timer = clock.setTimer(deadlineMs, () => {
      late = this.active.size > 0
      for (const attempt of this.active) {
        if (attempt.abort('WORKER_STOPPED')) this.giveBack(attempt.assignment, { code: 'WORKER_STOPPED' })
      }
      this.idle()
    })
    await new Promise<void>((resolve) => {
      this.idle = () => {
        const rests = this.active.size === 0 || late
        if (this.ended || (rests && this.telling === 0)) resolve()
      }
      this.idle()
    })
    timer.cancel()
    return !late && this.active.size === 0
  }

  private problem(assignment: TaskAssignment, { code, details = null, error = null }: Problem): void {
    const { callbacks, onProblem } = this.parts
    const { taskId, kind, attempt } = assignment
    if (onProblem !== null) {
      return callbacks.call('onProblem', () => onProblem({ taskId, kind, attempt, code, details, error }))
    }
    const why = error === null ? '' : `: ${sentenceOf(error)}`
    callbacks.warnOnce(code, `task ${kind}`, `attempt ${attempt} at task ${taskId} (${kind}): ${code}${why}`, error)
  }
}

const STOP_DEADLINE_MS = 30_000

function reasonOf({ code, error }: Problem): string {
  if (error === undefined || error === null) return code
  // A pair that was cut in two could not be told.
  return sentenceOf(error)
    .slice(0, REASON_CHARS_MAX)
    .replaceAll(/\p{Surrogate}/gu, '\ufffd')
}
