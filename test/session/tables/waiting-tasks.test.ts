import { describe, expect, test } from 'vitest'
import type { Value } from '../../../src/codec/value/value.ts'
import { OWN_MACHINE_NAME } from '../../../src/session/own-versions.ts'
import type { TaskKind, UserStateMachine } from '../../../src/session/user-machine.ts'
import { bareMachine } from '../bare-machine.ts'
import { Log, numbers } from '../log.ts'

const KIND: TaskKind = { kind: 'analyze', role: 'analysis', leaseMs: 60_000, maxAttempts: 3, backoffMs: [5000, 15_000] }

/** Asks for tasks, of that kind or of what the input changes of it. */
const user = (hooks: Partial<UserStateMachine> = {}) =>
  bareMachine(
    { ask: (context, input) => context.task('test', { ...KIND, ...(input as Partial<TaskKind>) }, '', null) },
    hooks,
  )

const worker = (log: Log, name: string) => log.open(name, { roles: ['analysis'], timeoutMs: 86_400_000 })

const given = (log: Log, session: number) =>
  log.machine
    .outbox(session, 0, 100)
    .filter(({ type }) => type === 'task')
    .map(({ payload }) => payload)

const complete = (log: Log, session: number, input: Value, command = 'complete') =>
  log.request(session, (log.machine.sessionFacts(session)?.highest ?? 0) + 1, command, { machine: 'task', input })

describe('a task that waits', () => {
  test('takes the lease of a worker that has ended a task of another role', () => {
    const log = new Log(user(), { taskLeasesMax: 1 })
    const asker = log.open('a')
    const both = log.open('w', { roles: ['analysis', 'delivery'], timeoutMs: 86_400_000 })
    log.request(asker, 1, 'ask')
    log.request(asker, 2, 'ask', { input: { role: 'delivery' } })
    expect(given(log, both)).toMatchObject([{ taskId: '1-task-1' }])
    complete(log, both, { taskId: '1-task-1', attempt: 1, result: 1 })
    expect(given(log, both)).toMatchObject([{ taskId: '1-task-1' }, { taskId: '1-task-2' }])
    log.request(asker, 3, 'ask')
    complete(log, both, { taskId: '1-task-2', attempt: 1, reason: 'DOWN' }, 'fail')
    expect(given(log, both)[2]).toMatchObject({ taskId: '1-task-3' })
  })

  test('takes the room that a dead letter leaves', () => {
    const log = new Log(user(), { outboxCountMax: 1, attemptsMax: 1 })
    const asker = log.open('a')
    const first = worker(log, 'w1')
    log.request(asker, 1, 'ask')
    log.request(asker, 2, 'ask')
    log.advance(50_000)
    log.append('RetryServerRequests', { sessions: [numbers(first)] })
    expect(given(log, first)).toMatchObject([{ taskId: '1-task-2' }])
  })

  test.each([{ taskLeasesMax: 2 }, { outboxCountMax: 2 }])('takes the room of raised limits: %j', (raised) => {
    const limits = {
      taskLeasesMax: 1,
      outboxCountMax: 1,
      ['taskLeasesMax' in raised ? 'outboxCountMax' : 'taskLeasesMax']: 9,
    }
    const log = new Log(user(), limits)
    const asker = log.open('a')
    const first = worker(log, 'w1')
    log.request(asker, 1, 'ask')
    log.request(asker, 2, 'ask')
    expect(given(log, first)).toHaveLength(1)
    const { changedAt: basedOn = 0, ...present } = log.machine.limits
    log.append('Limits', { ...present, ...raised, basedOn })
    expect(given(log, first)).toMatchObject([{ taskId: '1-task-1' }, { taskId: '1-task-2' }])
  })

  test('took none of these before version 4 of the session layer', () => {
    const machines = [{ name: 'test', versions: [{ version: 1, schema: '', code: '' }] }]
    const leasedAt = (own: number): number => {
      const log = new Log(user({ machines }), { taskLeasesMax: 1 })
      log.append('AdvanceVersion', {
        machines: [
          { machine: 'test', to: 1, schema: '' },
          { machine: OWN_MACHINE_NAME, to: own, schema: '' },
        ],
      })
      const asker = log.open('a')
      const first = worker(log, 'w1')
      log.request(asker, 1, 'ask')
      log.request(asker, 2, 'ask')
      const { changedAt: basedOn = 0, ...present } = log.machine.limits
      log.append('Limits', { ...present, taskLeasesMax: 2, basedOn })
      return given(log, first).length
    }
    expect([leasedAt(3), leasedAt(4)]).toEqual([1, 2])
  })
})
