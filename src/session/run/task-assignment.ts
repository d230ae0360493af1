import type { SessionRecord } from '../clients/session-record.ts'
import { appendRequest, hasRoom, REQUEST_OVERHEAD_BYTES } from '../clients/outbox.ts'
import { foldLease } from '../state/fold.ts'
import type { ReplicatedState } from '../state/replicated-state.ts'
import { TASKS_FOLLOW_ROOM_SINCE } from '../own-versions.ts'
import { isOpen, TASK_MACHINE, type TaskRow } from '../tables/tasks.ts'

/** Server request type that carries a task; its payload is {taskId, kind, payload, attempt}. */
const TASK_REQUEST = 'task'

/** What a timer of the session layer is for; its name is `<purpose>:<taskId>`. */
type TaskTimer = 'lease' | 'backoff' | 'queue'

/** Leases that one change of the limits gives out; the workers' acks of these bring what is left. */
const LEASES_PER_CHANGE = 4096

/** A task whose last attempt failed: its owner's fallback is to run, in a transaction of its own. */
export interface FailedTask {
  readonly task: TaskRow
  readonly reason: string
}

/**
 * Puts a new task into the table, and arms its queue deadline unless it is assigned at once. PERF: with a free worker and
 * nobody before it in the queue it is written once, as it is then, and no timer is armed to be removed again.
 */
export function createTask(state: ReplicatedState, task: TaskRow): void {
  const worker = state.tasks.firstWaiting(task.role) === null ? pickWorker(state, task) : null
  if (worker !== null) {
    lease(state, task, worker)
    return
  }
  state.tasks.put(task)
  arm(state, task, 'queue', state.now + state.limits.taskQueueMs)
  assignWaiting(state, task.role)
}

/**
 * Assigns the role's waiting tasks, oldest first, while there are workers with a free lease and room in their outbox, at most
 * `most` of them. Returns how many.
 */
function assignWaiting(state: ReplicatedState, role: string, most = Number.POSITIVE_INFINITY): number {
  let assigned = 0
  for (; assigned < most; assigned += 1) {
    const task = state.tasks.firstWaiting(role)
    const worker = task === null ? null : pickWorker(state, task)
    if (task === null || worker === null) break
    lease(state, task, worker)
  }
  return assigned
}

/** Assigns what waits for any role of this session: it is new, or it has room again. */
export function assignToRolesOf(state: ReplicatedState, session: SessionRecord): void {
  for (const role of session.row.info.roles) assignWaiting(state, role)
}

/** The session's outbox has room again, though nobody has acknowledged anything. */
export function assignToRoomOf(state: ReplicatedState, session: SessionRecord): void {
  if (state.versions.hasOwn(TASKS_FOLLOW_ROOM_SINCE)) assignToRolesOf(state, session)
}

/** Limits may have been raised: any task that waits may have its worker now. */
export function assignAll(state: ReplicatedState): void {
  if (!state.versions.hasOwn(TASKS_FOLLOW_ROOM_SINCE)) return
  let most = LEASES_PER_CHANGE
  for (const role of state.tasks.waitingRoles()) most -= assignWaiting(state, role, most)
}

/** A lease was given back: a task of that role takes it, or one of any other role of the worker, whom it had. */
function assignAfter(state: ReplicatedState, task: TaskRow): void {
  assignWaiting(state, task.role)
  const worker = task.status !== 'LEASED' || task.assignedTo === null ? null : state.sessions.findById(task.assignedTo)
  if (worker !== null && worker.row.info.roles.length > 1) assignToRoomOf(state, worker)
}

/**
 * Ends an attempt: back to the queue after the kind's backoff, or FAILED after the last one (returned, so that the
 * caller runs the fallback).
 */
export function failAttempt(state: ReplicatedState, task: TaskRow, reason: string): FailedTask | null {
  if (task.attempt >= task.maxAttempts) return failTask(state, task, reason)
  release(state, task)
  const wait = task.backoffMs[Math.min(task.attempt - 1, task.backoffMs.length - 1)] ?? 0
  const queued: TaskRow = {
    ...task,
    attempt: task.attempt + 1,
    status: 'QUEUED',
    assignedTo: null,
    leaseUntil: null,
    backingOff: wait > 0,
  }
  state.tasks.put(queued)
  if (wait > 0) arm(state, queued, 'backoff', state.now + wait)
  // Its worker may have been the last one that there ever is: without this it would wait for ever, and its owner with it.
  arm(state, queued, 'queue', state.now + wait + state.limits.taskQueueMs)
  assignAfter(state, task)
  return null
}

/** FAILED for good. */
function failTask(state: ReplicatedState, task: TaskRow, reason: string): FailedTask {
  return { task: closeTask(state, task, { status: 'FAILED', result: null }), reason }
}

/** Closes a task and gives its worker's lease to the next one. */
export function closeTask(state: ReplicatedState, task: TaskRow, end: Pick<TaskRow, 'status' | 'result'>): TaskRow {
  release(state, task)
  if (task.backingOff) disarm(state, task, 'backoff')
  if (task.status === 'QUEUED') disarm(state, task, 'queue')
  const closed: TaskRow = {
    ...task,
    ...end,
    assignedTo: null,
    leaseUntil: null,
    backingOff: false,
    closedAt: state.now,
    until: state.now + state.limits.retentionMs,
  }
  state.tasks.put(closed)
  assignAfter(state, task)
  return closed
}

/** The worker expired or closed: its attempts end at once. */
export function releaseTasksOf(state: ReplicatedState, session: SessionRecord): FailedTask[] {
  const failed: FailedTask[] = []
  for (const task of state.tasks.leasedTo(session.row.info.id)) {
    const outcome = failAttempt(state, task, 'WORKER_LOST')
    if (outcome !== null) failed.push(outcome)
  }
  return failed
}

/** A timer of the session layer fired. */
export function fireTaskTimer(state: ReplicatedState, name: string): FailedTask | null {
  const colon = name.indexOf(':')
  const purpose = name.slice(0, colon) as TaskTimer
  const task = state.tasks.find(name.slice(colon + 1))
  if (task === null || !isOpen(task)) return null
  if (purpose === 'lease') return failAttempt(state, task, 'LEASE_EXPIRED')
  if (purpose === 'queue') return task.status === 'QUEUED' ? failTask(state, task, 'QUEUE_DEADLINE') : null
  state.tasks.put({ ...task, backingOff: false })
  assignWaiting(state, task.role)
  return null
}

/** Fewest open tasks, then lowest session id (domain.md §0.7), with room in its outbox. */
function pickWorker(state: ReplicatedState, task: TaskRow): SessionRecord | null {
  const bytes = requestBytes(task)
  return state.sessions.workers.pick(task.role, state.limits.taskLeasesMax, (worker) =>
    hasRoom(state, worker, 1, bytes),
  )
}

function lease(state: ReplicatedState, task: TaskRow, worker: SessionRecord): void {
  const { taskId, kind, payload, attempt } = task
  const leaseUntil = state.now + task.leaseMs
  const leased: TaskRow = {
    ...task,
    status: 'LEASED',
    assignedTo: worker.row.info.id,
    leaseUntil,
    everLeased: true,
  }
  state.sessions.workers.lease(worker, 1)
  if (state.tasks.find(taskId) !== null) disarm(state, task, 'queue')
  state.tasks.put(leased)
  arm(state, task, 'lease', leaseUntil)
  appendRequest(state, worker, {
    type: TASK_REQUEST,
    payload: Object.freeze({ taskId, kind, payload, attempt }),
    bytes: requestBytes(task),
    overflow: 'reject',
    key: null,
    attemptsMax: state.limits.attemptsMax,
    deadlineAt: null,
  })
  foldLease(state, taskId, worker)
}

/** Takes the lease from whoever holds it; the row is rewritten by the caller. */
function release(state: ReplicatedState, task: TaskRow): void {
  if (task.status !== 'LEASED') return
  disarm(state, task, 'lease')
  const worker = task.assignedTo === null ? null : state.sessions.findById(task.assignedTo)
  if (worker !== null) state.sessions.workers.lease(worker, -1)
}

function arm(state: ReplicatedState, task: TaskRow, purpose: TaskTimer, dueAt: number): void {
  const name = `${purpose}:${task.taskId}`
  state.timers.put({ machine: TASK_MACHINE, name, dueAt: Math.max(dueAt, state.now + 1), payload: null })
}

function disarm(state: ReplicatedState, task: TaskRow, purpose: TaskTimer): void {
  state.timers.remove(TASK_MACHINE, `${purpose}:${task.taskId}`)
}

function requestBytes(task: TaskRow): number {
  return task.bytes + task.taskId.length + task.kind.length + TASK_REQUEST.length + REQUEST_OVERHEAD_BYTES
}
