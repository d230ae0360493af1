import type { Value } from '../../../src/codec/value/value.ts'
import type { Outcome } from '../../../src/session/user-machine.ts'
import type { ModelParts } from './parts.ts'
import type { Everything, Session } from './types.ts'
import { TASKS } from './versions.ts'

/** The one kind of task of the property machine. */
export const TASK_KIND = { kind: 'k', role: 'r', leaseMs: 20_000, maxAttempts: 2, backoffMs: [5000] }

/** A session is a worker, of the role of that kind, or none. */
export const isWorker = (who: number): boolean => who % 2 === 0

/** Commands that are about tasks; the first four are the machine's, the others the session layer's. */
export const TASK_COMMANDS = ['ask', 'askTwice', 'unask', 'asked', 'complete', 'fail']

/** What a worker says of task `n`: of one of its attempts, and what the machine makes of it, by whatever `to` is. */
export const saysOfTask = (command: string): boolean => command === 'complete' || command === 'fail'
export function wordOf(command: string, n: number, to: number): { [field: string]: Value } {
  const named = { taskId: `1-task-${n}`, attempt: 1 + (to % 2) }
  return command === 'fail' ? { ...named, reason: 'x' } : { ...named, result: resultOf(n, to) }
}
const resultOf = (n: number, to: number): { n: number; odd: boolean } => ({ n, odd: to % 2 === 1 })
const VERDICTS = ['done', 'cancels', 'invalid', 'throws'] as const
export const verdictOf = ({ n, odd }: { n: number; odd: boolean }): (typeof VERDICTS)[number] =>
  odd ? (VERDICTS[n] ?? 'done') : 'done'

/** A task as the model has it. */
export interface ModelTask {
  number: number
  ref: string
  payload: Value
  attempt: number
  status: 'QUEUED' | 'LEASED' | 'DONE' | 'FAILED' | 'CANCELLED'
  /** Session that it is leased to, and until when. */
  worker: number | null
  leaseUntil: number
  /** Whether anybody was ever given it. */
  given: boolean
  /** QUEUED: when it fails for want of a worker. */
  failsAt: number
  /** QUEUED: it waits for this before it may be leased again. */
  backoffUntil: number | null
  createdAt: number
  closedAt: number | null
  /** The accepted answer, and whose it is. */
  answer: { by: string; result: string } | null
}

export interface ModelTasks {
  next: number
  all: ModelTask[]
}

export const noTasks = (): ModelTasks => ({ next: 1, all: [] })

export const taskIdOf = ({ number }: Pick<ModelTask, 'number'>): string => `1-task-${number}`

export const isOpenTask = ({ status }: ModelTask): boolean => status === 'QUEUED' || status === 'LEASED'

/** What tasks do to the rest of the model. */
export interface ModelTaskHost {
  all: Everything
  readonly parts: ModelParts
  readonly now: number
  readonly index: number
  readonly limits: { readonly outboxCountMax: number; readonly taskLeasesMax: number; readonly taskQueueMs: number }
  append(to: number, type: string, payload: Value): void
  hook(label: string, body: () => boolean): boolean
}

const find = (host: ModelTaskHost, id: Value): ModelTask | undefined =>
  host.all.tasks.all.find((task) => taskIdOf(task) === id)

/** What falls due of tasks, as timers of the session layer. */
export function dueTasks({ all }: ModelTasks): { name: string; dueAt: number }[] {
  return all.flatMap((task) => {
    const id = taskIdOf(task)
    if (task.status === 'LEASED') return [{ name: `lease:${id}`, dueAt: task.leaseUntil }]
    if (task.status !== 'QUEUED') return []
    const queue = { name: `queue:${id}`, dueAt: task.failsAt }
    return task.backoffUntil === null ? [queue] : [queue, { name: `backoff:${id}`, dueAt: task.backoffUntil }]
  })
}

/** A command of the machine: what `ctx.task` and its like do. */
export function runTaskCommand(host: ModelTaskHost, command: string, n: number): Value {
  const open = host.all.tasks.all.filter(isOpenTask)
  if (command === 'ask') return ask(host, '')
  if (command === 'unask') return cancel(host, `1-task-${n}`)
  if (command === 'asked') return open.map((task) => ({ taskId: taskIdOf(task), ref: task.ref, given: task.given }))
  const ref = `r${n % 2}`
  const [one, two] = [ask(host, ref), ask(host, ref)]
  return [one, two, cancel(host, one), open.filter((task) => task.ref === ref).length]
}

function ask(host: ModelTaskHost, ref: string): string {
  const { tasks } = host.all
  const task: ModelTask = {
    number: tasks.next,
    ref,
    payload: host.index,
    attempt: 1,
    status: 'QUEUED',
    worker: null,
    leaseUntil: 0,
    given: false,
    failsAt: host.now + host.limits.taskQueueMs,
    backoffUntil: null,
    createdAt: host.now,
    closedAt: null,
    answer: null,
  }
  tasks.next += 1
  tasks.all.push(task)
  lend(host)
  return taskIdOf(task)
}

function cancel(host: ModelTaskHost, id: string): boolean {
  const task = find(host, id)
  if (task === undefined || !isOpenTask(task)) return false
  close(host, task, 'CANCELLED')
  return true
}

/** Gives the oldest task that waits to the worker with the fewest, the oldest of those, while one has room for it. */
export function lend(host: ModelTaskHost): void {
  for (;;) {
    const { tasks, sessions } = host.all
    const task = tasks.all.find(({ status, backoffUntil }) => status === 'QUEUED' && backoffUntil === null)
    if (task === undefined) return
    const leases = (session: number) => tasks.all.filter(({ worker }) => worker === session).length
    const { outboxCountMax, taskLeasesMax } = host.limits
    const [worker] = [...sessions.values()]
      .filter(({ who, outbox }) => isWorker(Number(who)) && outbox.length < outboxCountMax)
      .filter(({ index }) => leases(index) < taskLeasesMax)
      .sort((one, other) => leases(one.index) - leases(other.index) || one.index - other.index)
    if (worker === undefined) return
    const leaseUntil = host.now + TASK_KIND.leaseMs
    Object.assign(task, { status: 'LEASED', worker: worker.index, leaseUntil, given: true })
    const { payload, attempt } = task
    host.append(worker.index, 'task', { taskId: taskIdOf(task), kind: 'k', payload, attempt })
  }
}

function close(host: ModelTaskHost, task: ModelTask, status: ModelTask['status']): void {
  Object.assign(task, { status, worker: null, backoffUntil: null, closedAt: host.now })
  lend(host)
}

/** True: that was the last attempt, and the machine is to be told. */
function endAttempt(host: ModelTaskHost, task: ModelTask): boolean {
  if (task.attempt >= TASK_KIND.maxAttempts) {
    close(host, task, 'FAILED')
    return true
  }
  const backoffUntil = host.now + (TASK_KIND.backoffMs[0] as number)
  const failsAt = backoffUntil + host.limits.taskQueueMs
  Object.assign(task, { attempt: task.attempt + 1, status: 'QUEUED', worker: null, backoffUntil, failsAt })
  lend(host)
  return false
}

function tellFailed(host: ModelTaskHost, task: ModelTask, reason: string): void {
  const id = taskIdOf(task)
  host.hook(`task ${id}`, () => {
    host.all.user.set(`failed/${id}`, reason)
    return reason !== 'LEASE_EXPIRED'
  })
}

/** What was due of a task has come. */
export function fireTask(host: ModelTaskHost, name: string): void {
  const [purpose, id] = name.split(':') as [string, string]
  const task = find(host, id) as ModelTask
  if (purpose === 'lease') {
    if (endAttempt(host, task)) tellFailed(host, task, 'LEASE_EXPIRED')
  } else if (purpose === 'queue') {
    close(host, task, 'FAILED')
    tellFailed(host, task, 'QUEUE_DEADLINE')
  } else {
    task.backoffUntil = null
    lend(host)
  }
}

/** A worker has gone: its attempts are at an end, oldest first, and those that have failed for good are told of then. */
export function endWorker(host: ModelTaskHost, session: number): void {
  const held = host.all.tasks.all.filter(({ worker }) => worker === session)
  const failed = held.filter((task) => endAttempt(host, task))
  for (const task of failed) tellFailed(host, task, 'WORKER_LOST')
}

const value = (result: Value): Outcome => ({ kind: 'value', value: result })
const reject = (code: string, details: Value): Outcome => ({ kind: 'reject', code, details })
const holds = ({ status, attempt }: ModelTask, named: number): boolean => status === 'LEASED' && attempt === named

/** What a worker has to say of a task. */
interface Word {
  readonly command: string
  readonly input: Value
}

/** `task.complete` and `task.fail` of a session: the answer is a part of the entry, the machine's judgement another. */
export function answerWorker(host: ModelTaskHost, session: Session, word: Word): Outcome {
  const { taskId, attempt, result } = word.input as { taskId: string; attempt: number; result: Result }
  const task = find(host, taskId)
  if (task === undefined || !isWorker(Number(session.who)) || !isOpenTask(task) || word.command === 'fail') {
    const outcome = told(host, session, word, task)
    return host.parts.runs(TASKS) ? outcome : broken(host, TASKS, 'SKIPPED')
  }
  if (!host.parts.runs('test')) return broken(host, 'test', 'SKIPPED')
  const before = structuredClone(host.all)
  const verdict = weigh(host, task, result)
  if (typeof verdict === 'number') {
    if (isOpenTask(task)) {
      task.answer = { by: `user:${session.who}`, result: JSON.stringify(result) }
      close(host, task, 'DONE')
    }
    return value(verdict)
  }
  host.all = before
  if (verdict === undefined) return broken(host, 'test', 'EXCEPTION')
  const after = find(host, taskId) as ModelTask
  if (holds(after, attempt) && endAttempt(host, after)) tellFailed(host, after, 'INVALID_RESULT')
  return reject('VALIDATION_ERROR', 'bad')
}

/** Where the machine is not asked. */
function told(host: ModelTaskHost, session: Session, { command, input }: Word, task: ModelTask | undefined): Outcome {
  if (task === undefined) return reject('STALE_TASK', { status: null })
  if (!isWorker(Number(session.who))) return reject('FORBIDDEN', { role: 'r' })
  const { attempt, result } = input as { attempt: number; result?: Value }
  const { status, answer } = task
  if (command === 'complete') {
    const same = answer?.by === `user:${session.who}` && answer.result === JSON.stringify(result)
    return same ? value({ duplicate: true }) : reject('STALE_TASK', { status })
  }
  if (!holds(task, attempt)) return reject('STALE_TASK', { status })
  if (endAttempt(host, task)) tellFailed(host, task, 'x')
  // It may have failed for good, or be lent again already.
  return value({ status: task.status })
}

const broken = (host: ModelTaskHost, machine: string, reason: string): Outcome =>
  reject('MACHINE_ERROR', { machine, index: host.index, reason })

type Result = ReturnType<typeof resultOf>

/** The machine's function for a result; undefined: it throws. False: the result does not fit. */
function weigh(host: ModelTaskHost, task: ModelTask, result: Result): Value | undefined {
  const verdict = verdictOf(result)
  host.all.user.set(`done/${taskIdOf(task)}`, verdict)
  if (verdict === 'throws') return undefined
  if (verdict === 'cancels') cancel(host, taskIdOf(task))
  return verdict === 'invalid' ? false : task.attempt
}

/** All that is visible of a task in its row. */
export function taskRow(task: ModelTask): Value {
  const { number, ref, payload, attempt, status, worker, leaseUntil, given, backoffUntil, createdAt, closedAt } = task
  return {
    number,
    ref,
    payload,
    attempt,
    status,
    assignedTo: worker === null ? null : `0/1/${worker}`,
    leaseUntil: worker === null ? null : leaseUntil,
    everLeased: given,
    backingOff: backoffUntil !== null,
    createdAt,
    closedAt,
    by: task.answer?.by ?? null,
  }
}
