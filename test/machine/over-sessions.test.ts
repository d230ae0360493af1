import { describe, expect, test } from 'vitest'
import { z } from 'zod'
import { parseSessionId, type SessionId } from '../../src/base/brand.ts'
import { command, defineMachine, isRejection, mount, query, table, task } from '../../src/machine/index.ts'
import { withDeterminismGuard } from '../../src/testing/index.ts'
import { codec, SessionWorld } from '../machines/session-world.ts'
import { swapped } from '../session/log.ts'

/** A machine that uses every part of ctx, under the real session layer. */
const jobs = defineMachine(
  'jobs',
  {
    version: 1,
    state: { jobs: table(z.string(), z.object({ status: z.string(), at: z.int() })) },
    errors: { TWICE: z.object({ id: z.string() }) },
    timers: { lapse: z.object({ id: z.string() }) },
    tasks: {
      'jobs.do': task({
        role: 'doer',
        leaseMs: 30_000,
        maxAttempts: 1,
        backoffMs: [],
        payload: z.object({ id: z.string() }),
        result: z.object({ done: z.boolean() }),
      }),
    },
  },
  {
    commands: {
      start: command({ input: z.object({ id: z.string() }), output: z.string() }, (ctx, { id }) => {
        ctx.audit({ asked: id })
        const twice = ctx.state.jobs.has(id)
        ctx.state.jobs.set(id, { status: 'started', at: ctx.now })
        ctx.notify(ctx.principal, 'jobs.started', { id })
        ctx.schedule('lapse', ctx.now + 60_000, { id }, id)
        const taskId = ctx.task('jobs.do', id, { id })
        return twice ? ctx.reject('TWICE', { id }) : taskId
      }),
      break: command({ input: z.object({ id: z.string() }), output: z.null() }, (ctx, { id }) => {
        ctx.state.jobs.set(id, { status: 'broken', at: 0 })
        throw new Error('a bug')
      }),
      mutate: command({ input: z.object({ id: z.string() }), output: z.null() }, (ctx, { id }) => {
        Object.assign(ctx.state.jobs.get(id) ?? {}, { status: 'mutated' })
        return null
      }),
      once: command({ input: z.object({ key: z.string(), print: z.string() }), output: z.unknown() }, (ctx, input) => {
        const made = ctx.once(
          { scope: 's', key: input.key, fingerprint: input.print, retentionMs: 1_000 },
          () => ctx.index,
        )
        return made.kind === 'conflict' ? ctx.reject('CONFLICT') : { kind: made.kind, value: made.value }
      }),
      later: command({ input: z.null(), output: z.null() }, (() => Promise.resolve(null)) as unknown as () => null),
    },
    queries: {
      status: query({ input: z.string(), output: z.string() }, (view, id) => view.jobs.get(id)?.status ?? 'none'),
    },
    timers: {
      lapse: (ctx, { id }) => {
        const job = ctx.state.jobs.get(id)
        if (job?.status === 'started') ctx.state.jobs.set(id, { ...job, status: `lapsed by ${ctx.principal}` })
      },
    },
    tasks: {
      'jobs.do': {
        onResult: (ctx, { payload }, { done }) => {
          ctx.state.jobs.set(payload.id, { status: done ? 'done' : 'undone', at: ctx.now })
          return { thanks: true }
        },
        onFailed: (ctx, { payload }, reason) => {
          ctx.state.jobs.set(payload.id, { status: `failed: ${reason}`, at: ctx.now })
        },
      },
    },
  },
)

const caller = defineMachine(
  'caller',
  { version: 1, state: { calls: table(z.string(), z.int()) } },
  {
    commands: {
      start: command({ input: z.object({ id: z.string() }), output: z.string() }, (ctx, input) => {
        ctx.state.calls.set(input.id, (ctx.state.calls.get(input.id) ?? 0) + 1)
        const answer = ctx.call(jobs.commands.start, input)
        return isRejection(answer) ? answer : `called ${answer}`
      }),
    },
    queries: { calls: query({ input: z.string(), output: z.int() }, (view, id) => view.calls.get(id) ?? 0) },
  },
)

const mounted = mount([jobs, caller], codec)

function world() {
  const violations: string[] = []
  const made = new SessionWorld(withDeterminismGuard(mounted.userMachine, ({ api }) => violations.push(api)))
  const user = made.open('user:a')
  const submit = (name: string, input: Parameters<typeof made.apply>[3], session: SessionId = user) => {
    const outcome = made.submit(mounted, session, ...(name.split('.') as [string, string]), input)
    if (typeof outcome === 'string') return outcome
    return outcome.kind === 'value' ? outcome.value : { [outcome.code]: outcome.details }
  }
  const status = (id: string) => made.query('jobs', 'status', id)
  const hasRow = (part: string) =>
    [...swapped(made.state)].filter(([key, value]) => value !== undefined && key.includes(part))
  return { made, user, submit, status, hasRow, violations }
}

describe('the kit under the session layer', () => {
  test('UPC-4 D5 a rejection rolls everything back but the audit', () => {
    const { submit, made, status, hasRow, user } = world()
    expect(submit('jobs.start', { id: 'a' })).toBe('1-task-1')
    const requests = made.outbox(user).length
    const { tasks, timers } = made.state.counts
    hasRow('')
    made.now += 5
    expect(submit('jobs.start', { id: 'a' })).toEqual({ TWICE: { id: 'a' } })
    expect(made.state.counts).toMatchObject({ sessions: 1, tasks, timers })
    expect(made.outbox(user)).toHaveLength(requests)
    const dirty = hasRow('')
    expect(dirty.some(([key]) => key.startsWith('session/audit'))).toBe(true)
    expect(dirty.filter(([key]) => key.startsWith('user/'))).toEqual([])
    expect(status('a')).toEqual({ kind: 'value', value: 'started' })
  })
  test('FM-3 FR-014 a throw is MACHINE_ERROR and rolls back; a row changed in place is one', () => {
    const { submit, status, made } = world()
    submit('jobs.start', { id: 'a' })
    expect(submit('jobs.break', { id: 'a' })).toMatchObject({ MACHINE_ERROR: { machine: 'jobs', reason: 'EXCEPTION' } })
    expect(submit('jobs.mutate', { id: 'a' })).toMatchObject({ MACHINE_ERROR: { machine: 'jobs' } })
    expect(submit('jobs.later', null)).toMatchObject({ MACHINE_ERROR: { machine: 'jobs' } })
    expect(made.logs.at(-1)).toContain('handlers are synchronous')
    expect(status('a')).toEqual({ kind: 'value', value: 'started' })
  })
  test('a durable timer fires its handler as system, with the payload it was armed with', () => {
    const { submit, status, made } = world()
    submit('jobs.start', { id: 'a' })
    made.tick(59_999)
    expect(status('a')).toEqual({ kind: 'value', value: 'started' })
    made.tick(1)
    expect(status('a')).toEqual({ kind: 'value', value: 'lapsed by system' })
  })
  test('a task goes to a worker, a result that fits is taken, and the identical repeat is a duplicate', () => {
    const { submit, status, made } = world()
    const worker = made.open('worker:w', ['doer'])
    const taskId = submit('jobs.start', { id: 'a' })
    expect(made.outbox(worker)[0]).toMatchObject({ payload: { taskId, kind: 'jobs.do', payload: { id: 'a' } } })
    const complete = { taskId: String(taskId), attempt: 1, result: { done: true } }
    submit('task.complete', complete, worker)
    expect(status('a')).toEqual({ kind: 'value', value: 'done' })
    expect(made.state.counts.tasks).toBe(0)
    expect(JSON.stringify(submit('task.complete', complete, worker))).toContain('"duplicate":true')
  })
  test('a result that does not fit is a failed attempt, and after the last one the fallback runs', () => {
    const { submit, status, made } = world()
    const worker = made.open('worker:w', ['doer'])
    const taskId = String(submit('jobs.start', { id: 'a' }))
    const answer = submit('task.complete', { taskId, attempt: 1, result: { done: 'yes' } }, worker)
    expect(JSON.stringify(answer)).toContain('VALIDATION_ERROR')
    expect(status('a')).toMatchObject({ value: expect.stringContaining('failed: ') })
  })
  test("ctx.call is one transaction: the other machine's rejection rolls back our rows", () => {
    const { submit, made } = world()
    expect(submit('caller.start', { id: 'a' })).toBe('called 1-task-1')
    expect(submit('caller.start', { id: 'a' })).toEqual({ TWICE: { id: 'a' } })
    expect(made.query('caller', 'calls', 'a')).toEqual({ kind: 'value', value: 1 })
  })
  test('ctx.once answers a repeat with the first result, another content with a conflict', () => {
    const { submit, made } = world()
    const first = submit('jobs.once', { key: 'k', print: 'p' })
    expect(first).toEqual({ kind: 'fresh', value: made.state.appliedIndex })
    expect(submit('jobs.once', { key: 'k', print: 'p' })).toEqual({ ...(first as object), kind: 'replayed' })
    expect(submit('jobs.once', { key: 'k', print: 'q' })).toEqual({ CONFLICT: {} })
  })
  test('UPC-1 nothing of the kit or the session layer trips the determinism guard', () => {
    const { submit, made, violations, user } = world()
    const worker = made.open('worker:w', ['doer'])
    for (const id of ['a', 'b']) submit('caller.start', { id })
    submit('task.fail', { taskId: '1-task-1', attempt: 1, reason: 'no' }, worker)
    made.tick(100_000)
    made.payload('CloseSession', { ...(parseSessionId(user) ?? expect.fail()), epoch: 0, secretHash: new Uint8Array() })
    expect(violations).toEqual([])
  })
})
