import { describe, expect, test } from 'vitest'
import type { Value } from '../../../src/codec/value/value.ts'
import type { TaskKind, UserStateMachine } from '../../../src/session/user-machine.ts'
import { bareMachine } from '../bare-machine.ts'
import { code, Log, numbers, swapped, value } from '../log.ts'

const KIND: TaskKind = { kind: 'analyze', role: 'analysis', leaseMs: 60_000, maxAttempts: 3, backoffMs: [5000, 15_000] }

const ALL_OF_KIND = { kind: 'analyze', ref: null }

const owner = (hooks: Partial<UserStateMachine> = {}) => {
  const failed: [string, string][] = []
  const user = bareMachine(
    {
      ask: (context, input) => {
        const options = (input ?? {}) as Partial<TaskKind>
        return context.task('test', { ...KIND, ...options }, 'ref', { text: 'x' })
      },
      askAndRefuse: (context) => {
        context.task('test', KIND, 'ref', null)
        return { kind: 'reject', code: 'NO', details: null }
      },
      cancel: (context, input) => context.cancelTask(String(input)),
      open: (context, input) => {
        context.task('test', KIND, 'too new', null)
        const { kind, ref } = input as { kind: string; ref: string | null }
        const found = context.openTasks('test', kind, ref)
        return found.map(({ taskId, ref, given: was }) => ({ taskId, ref, given: was }))
      },
      askAndCancel: (context) => {
        const id = context.task('test', KIND, 'ref', null)
        return [context.cancelTask(id), context.cancelTask(id), context.cancelTask('1-task-99')]
      },
    },
    {
      onTaskResult(context, task, result) {
        if (result === 'invalid') return { kind: 'invalid', details: { why: 'shape' } }
        context.state.set(`result/${task.taskId}`, result)
        return { kind: 'done', value: { taken: result } }
      },
      onTaskFailed(context, task, reason) {
        context.state.set(`failed/${task.taskId}`, reason)
        failed.push([task.taskId, reason])
      },
      ...hooks,
    },
  )
  return { user, failed }
}

const worker = (log: Log, name: string) =>
  log.open(name, { principal: `worker:${name}`, roles: ['analysis'], timeoutMs: 86_400_000 })
const given = (log: Log, session: number) =>
  log.machine
    .outbox(session, 0, 100)
    .filter(({ type }) => type === 'task')
    .map(({ payload }) => payload)
let requestId = 0
const complete = (log: Log, session: number, input: Value, command = 'complete') => {
  requestId += 1
  return log.request(session, requestId, command, { machine: 'task', input, lowestPendingRequestId: requestId })
}

describe('a task', () => {
  test('P-15 goes to the worker with the fewest open tasks, then the lowest session id', () => {
    const { user } = owner()
    const log = new Log(user)
    const asker = log.open('a')
    const first = worker(log, 'w1')
    const second = worker(log, 'w2')
    log.open('other', { roles: ['delivery'] })
    for (let id = 1; id <= 3; id += 1) expect(value(log.request(asker, id, 'ask'))).toBe(`1-task-${id}`)
    expect(given(log, first)).toEqual([
      { taskId: '1-task-1', kind: 'analyze', payload: { text: 'x' }, attempt: 1 },
      { taskId: '1-task-3', kind: 'analyze', payload: { text: 'x' }, attempt: 1 },
    ])
    expect(given(log, second)).toMatchObject([{ taskId: '1-task-2' }])
    complete(log, first, { taskId: '1-task-1', attempt: 1, result: 1 })
    complete(log, first, { taskId: '1-task-3', attempt: 1, result: 1 })
    log.request(asker, 4, 'ask')
    expect(given(log, first)).toHaveLength(3)
    expect(log.machine.counts.tasks).toBe(2)
  })

  test('waits for a worker, and is assigned to the next one in the order of creation, at most taskLeasesMax at once', () => {
    const { user } = owner()
    const log = new Log(user, { taskLeasesMax: 2 })
    const asker = log.open('a')
    for (let id = 1; id <= 3; id += 1) log.request(asker, id, 'ask')
    const first = worker(log, 'w1')
    expect(given(log, first)).toMatchObject([{ taskId: '1-task-1' }, { taskId: '1-task-2' }])
    complete(log, first, { taskId: '1-task-2', attempt: 1, result: 1 })
    expect(given(log, first)).toMatchObject([{ taskId: '1-task-1' }, { taskId: '1-task-2' }, { taskId: '1-task-3' }])
  })

  test('is among the open tasks of its kind until it ends, and says whether a worker was ever given it', () => {
    const { user } = owner()
    const log = new Log(user, { taskLeasesMax: 1 })
    const asker = log.open('a')
    const first = worker(log, 'w1')
    for (let id = 1; id <= 3; id += 1) log.request(asker, id, 'ask')
    complete(log, first, { taskId: '1-task-1', attempt: 1, result: 1 })
    expect(value(log.request(asker, 4, 'open', { input: ALL_OF_KIND }))).toEqual([
      { taskId: '1-task-2', ref: 'ref', given: true },
      { taskId: '1-task-3', ref: 'ref', given: false },
    ])
    // Given back, it was given all the same: it may have been done.
    complete(log, first, { taskId: '1-task-2', attempt: 1, reason: 'DOWN' }, 'fail')
    expect(value(log.request(asker, 5, 'open', { input: ALL_OF_KIND }))).toMatchObject([
      { taskId: '1-task-2', given: true },
      { taskId: '1-task-3', given: true },
      { taskId: '1-task-4', ref: 'too new', given: false },
    ])
    expect(value(log.request(asker, 6, 'open', { input: { kind: 'other', ref: null } }))).toEqual([])
    const ofOne = { kind: 'analyze', ref: 'too new' }
    // Those of the commands before: none of a reference that it is not.
    expect(value(log.request(asker, 7, 'open', { input: ofOne }))).toMatchObject([
      { taskId: '1-task-4' },
      { taskId: '1-task-5' },
      { taskId: '1-task-6' },
    ])
    log.request(asker, 8, 'cancel', { input: '1-task-5' })
    expect(value(log.request(asker, 9, 'open', { input: ofOne }))).toMatchObject([
      { taskId: '1-task-4' },
      { taskId: '1-task-6' },
      { taskId: '1-task-7' },
    ])
  })

  test('waits while the worker’s outbox is full, and follows its ack', () => {
    const { user } = owner()
    const log = new Log(user, { outboxCountMax: 1 })
    const asker = log.open('a')
    const first = worker(log, 'w1')
    log.request(asker, 1, 'ask')
    log.request(asker, 2, 'ask')
    expect(given(log, first)).toMatchObject([{ taskId: '1-task-1' }])
    log.ack(first, 1)
    expect(given(log, first)).toMatchObject([{ taskId: '1-task-2' }])
  })

  test('is done with its first valid result, and an identical repeat by the same worker is a duplicate', () => {
    const { user } = owner()
    const log = new Log(user)
    const asker = log.open('a')
    const first = worker(log, 'w1')
    const second = worker(log, 'w2')
    log.request(asker, 1, 'ask')
    const result = { taskId: '1-task-1', attempt: 1, result: 42 }
    expect(value(complete(log, first, result))).toEqual({ taken: 42 })
    expect(log.machine.counts).toMatchObject({ tasks: 0, timers: 0 })
    expect(value(complete(log, first, result))).toEqual({ duplicate: true })
    expect(code(complete(log, first, { ...result, result: 43 }))).toBe('STALE_TASK')
    expect(code(complete(log, second, result))).toBe('STALE_TASK')
    expect(swapped(log.machine).get('user/result/1-task-1')).toBe(42)
  })

  test('any worker with the role may give the result, whatever its attempt', () => {
    const { user } = owner()
    const log = new Log(user)
    const asker = log.open('a')
    worker(log, 'w1')
    const second = worker(log, 'w2')
    log.request(asker, 1, 'ask')
    expect(value(complete(log, second, { taskId: '1-task-1', attempt: 9, result: 42 }))).toEqual({ taken: 42 })
  })

  test('STALE_TASK, FORBIDDEN, VALIDATION_ERROR and UNKNOWN_COMMAND', () => {
    const { user } = owner()
    const log = new Log(user)
    const asker = log.open('a')
    const first = worker(log, 'w1')
    log.request(asker, 1, 'ask')
    expect(code(complete(log, first, { taskId: '1-task-9', attempt: 1, result: 1 }))).toBe('STALE_TASK')
    expect(code(complete(log, asker, { taskId: '1-task-1', attempt: 1, result: 1 }))).toBe('FORBIDDEN')
    expect(code(complete(log, first, { taskId: '1-task-1', attempt: 1 }))).toBe('VALIDATION_ERROR')
    expect(code(complete(log, first, [1]))).toBe('VALIDATION_ERROR')
    expect(code(complete(log, first, null, 'else'))).toBe('UNKNOWN_COMMAND')
    expect(code(complete(log, first, { taskId: '1-task-1', attempt: 2, reason: 'x' }, 'fail'))).toBe('STALE_TASK')
    expect(log.machine.counts.tasks).toBe(1)
  })

  test('an invalid result counts as a failed attempt, keeps nothing it wrote, and the last one runs the fallback', () => {
    const { user, failed } = owner()
    const log = new Log(user)
    const asker = log.open('a')
    const first = worker(log, 'w1')
    log.request(asker, 1, 'ask', { input: { maxAttempts: 2, backoffMs: [] } })
    expect(complete(log, first, { taskId: '1-task-1', attempt: 1, result: 'invalid' })).toMatchObject({
      outcome: { code: 'VALIDATION_ERROR', details: { why: 'shape' } },
    })
    expect(given(log, first)).toMatchObject([{ attempt: 1 }, { attempt: 2 }])
    expect(code(complete(log, first, { taskId: '1-task-1', attempt: 1, result: 'invalid' }))).toBe('VALIDATION_ERROR')
    expect(failed).toEqual([])
    complete(log, first, { taskId: '1-task-1', attempt: 2, result: 'invalid' })
    expect(failed).toEqual([['1-task-1', 'INVALID_RESULT']])
    expect(code(complete(log, first, { taskId: '1-task-1', attempt: 2, result: 1 }))).toBe('STALE_TASK')
  })

  test('task.fail ends the attempt: backoff, then the next one; the last one runs the fallback', () => {
    const { user, failed } = owner()
    const log = new Log(user)
    const asker = log.open('a')
    const first = worker(log, 'w1')
    log.request(asker, 1, 'ask')
    const fail = (attempt: number) => complete(log, first, { taskId: '1-task-1', attempt, reason: 'TIRED' }, 'fail')
    expect(value(fail(1))).toEqual({ status: 'QUEUED' })
    expect(given(log, first)).toHaveLength(1)
    log.advance(4999)
    log.empty('Tick')
    expect(given(log, first)).toHaveLength(1)
    log.advance(1)
    log.empty('Tick')
    expect(given(log, first)).toMatchObject([{ attempt: 1 }, { attempt: 2 }])
    expect(value(fail(2))).toEqual({ status: 'QUEUED' })
    log.advance(15_000)
    log.empty('Tick')
    expect(value(fail(3))).toEqual({ status: 'FAILED' })
    expect(failed).toEqual([['1-task-1', 'TIRED']])
    expect(log.machine.counts).toMatchObject({ tasks: 0, timers: 0 })
  })

  test('a task that is queued again keeps its place before younger ones', () => {
    const { user } = owner()
    const log = new Log(user, { taskLeasesMax: 1 })
    const asker = log.open('a')
    const first = worker(log, 'w1')
    for (let id = 1; id <= 3; id += 1) log.request(asker, id, 'ask', { input: { backoffMs: [] } })
    complete(log, first, { taskId: '1-task-1', attempt: 1, reason: 'x' }, 'fail')
    expect(given(log, first)).toMatchObject([
      { taskId: '1-task-1', attempt: 1 },
      { taskId: '1-task-1', attempt: 2 },
    ])
  })

  test('a lease that runs out queues the task again; the fallback runs after the last attempt', () => {
    const { user, failed } = owner()
    const log = new Log(user)
    const asker = log.open('a', { timeoutMs: 86_400_000 })
    const first = worker(log, 'w1')
    log.request(asker, 1, 'ask', { input: { maxAttempts: 2 } })
    log.advance(65_000)
    log.empty('Tick')
    expect(given(log, first)).toMatchObject([{ attempt: 1 }, { attempt: 2 }])
    log.advance(60_000)
    log.empty('Tick')
    expect(failed).toEqual([['1-task-1', 'LEASE_EXPIRED']])
  })

  test('a worker that goes away loses its leases at once, in the order of creation', () => {
    const { user, failed } = owner()
    const log = new Log(user)
    const asker = log.open('a')
    const first = worker(log, 'w1')
    log.request(asker, 1, 'ask', { input: { backoffMs: [] } })
    log.request(asker, 2, 'ask', { input: { maxAttempts: 1 } })
    log.request(asker, 3, 'ask', { input: { backoffMs: [] } })
    const second = worker(log, 'w2')
    log.append('CloseSession', { ...numbers(first), epoch: 0, secretHash: new Uint8Array(0) })
    expect(given(log, second)).toMatchObject([
      { taskId: '1-task-1', attempt: 2 },
      { taskId: '1-task-3', attempt: 2 },
    ])
    expect(failed).toEqual([['1-task-2', 'WORKER_LOST']])
  })

  test('one that nobody ever leased fails at its queue deadline', () => {
    const { user, failed } = owner()
    const log = new Log(user)
    const asker = log.open('a')
    log.request(asker, 1, 'ask')
    log.advance(15 * 60_000 - 1)
    log.empty('Tick')
    expect(failed).toEqual([])
    log.advance(1)
    log.empty('Tick')
    expect(failed).toEqual([['1-task-1', 'QUEUE_DEADLINE']])
  })

  test.each([
    ['at once', []],
    ['after its backoff', [5_000]],
  ])('one whose worker is gone for good fails at its queue deadline too, queued again %s', (_when, backoffMs) => {
    const { user, failed } = owner()
    const log = new Log(user)
    const asker = log.open('a', { timeoutMs: 86_400_000 })
    const only = worker(log, 'w1')
    log.request(asker, 1, 'ask', { input: { backoffMs } })
    log.append('CloseSession', { ...numbers(only), epoch: 0, secretHash: new Uint8Array(0) })
    log.advance((backoffMs[0] ?? 0) + 15 * 60_000 - 1)
    log.empty('Tick')
    expect(failed).toEqual([])
    log.advance(1)
    log.empty('Tick')
    expect(failed).toEqual([['1-task-1', 'QUEUE_DEADLINE']])
    expect(log.machine.counts).toMatchObject({ tasks: 0, timers: 0 })
  })

  test('can be cancelled, also in the command that made it; a rejection makes none', () => {
    const { user } = owner()
    const log = new Log(user)
    const asker = log.open('a')
    log.request(asker, 1, 'askAndRefuse')
    expect(log.machine.counts.tasks).toBe(0)
    expect(value(log.request(asker, 2, 'askAndCancel'))).toEqual([true, false, false])
    expect(value(log.request(asker, 3, 'ask'))).toBe('1-task-2')
    expect(value(log.request(asker, 4, 'cancel', { input: '1-task-2' }))).toBe(true)
    expect(value(log.request(asker, 5, 'cancel', { input: '1-task-2' }))).toBe(false)
    expect(log.machine.counts).toMatchObject({ tasks: 0, timers: 0 })
    expect(given(log, worker(log, 'w1'))).toEqual([])
  })

  test('a result handler that throws is MACHINE_ERROR and the task stays open; one that is missing takes any result', () => {
    const broken = owner({
      onTaskResult() {
        throw new Error('a bug')
      },
    })
    const log = new Log(broken.user)
    const asker = log.open('a')
    const first = worker(log, 'w1')
    log.request(asker, 1, 'ask')
    expect(code(complete(log, first, { taskId: '1-task-1', attempt: 1, result: 1 }))).toBe('MACHINE_ERROR')
    expect(log.machine.counts.tasks).toBe(1)
    const { onTaskResult: _none, ...bare } = owner().user
    const other = new Log(bare)
    other.request(other.open('a'), 1, 'ask')
    expect(value(complete(other, worker(other, 'w1'), { taskId: '1-task-1', attempt: 1, result: 1 }))).toBeNull()
  })

  test('closed tasks are kept 30 days', () => {
    const { user } = owner()
    const log = new Log(user)
    const asker = log.open('a')
    const first = worker(log, 'w1')
    log.request(asker, 1, 'ask')
    log.ack(first, 1)
    const result = { taskId: '1-task-1', attempt: 1, result: 42 }
    complete(log, first, result)
    const rows = log.machine.counts.rows
    log.advance(30 * 86_400_000 + 1)
    log.empty('Noop')
    expect(log.machine.counts.rows).toBe(rows - 1)
    expect(code(complete(log, first, result))).toBe('STALE_TASK')
  })
})
