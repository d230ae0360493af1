import { describe, expect, expectTypeOf, test } from 'vitest'
import { z } from 'zod'
import { command, defineMachine, query, table, task } from '../../../src/machine/index.ts'
import { counter, register } from '../../../src/machines/index.ts'
import { machineHarness } from '../../../src/testing/index.ts'

const parcel = z.object({ to: z.string(), state: z.enum(['waiting', 'shipped', 'lost']) })

/** Ships parcels with a worker, and gives one up that is not shipped within ten minutes. */
const post = defineMachine(
  'post',
  {
    version: 1,
    state: { parcels: table(z.string(), parcel), ends: table(z.string(), z.string()) },
    errors: { KNOWN: z.object({ id: z.string() }) },
    requests: { shipped: z.object({ id: z.string() }) },
    timers: { giveUp: z.object({ id: z.string() }) },
    tasks: {
      ship: task({
        role: 'shipper',
        leaseMs: 60_000,
        maxAttempts: 2,
        backoffMs: [1_000],
        payload: z.object({ id: z.string(), sender: z.string() }),
        result: z.object({ at: z.string() }),
      }),
    },
  },
  {
    commands: {
      send: command({ input: z.object({ id: z.string(), to: z.string() }), output: z.null() }, (ctx, { id, to }) => {
        if (to === 'nowhere') throw new RangeError('nowhere is no address')
        if (ctx.state.parcels.has(id)) return ctx.reject('KNOWN', { id })
        ctx.state.parcels.set(id, { to, state: 'waiting' })
        ctx.task('ship', id, { id, sender: ctx.session.id })
        ctx.schedule('giveUp', ctx.now + 600_000, { id }, id)
        return null
      }),
    },
    queries: {
      state: query({ input: z.string(), output: z.string() }, (view, id) => view.parcels.get(id)?.state ?? ''),
    },
    timers: {
      giveUp: (ctx, { id }) => {
        const row = ctx.state.parcels.get(id)
        if (row?.state === 'waiting') ctx.state.parcels.set(id, { ...row, state: 'lost' })
      },
    },
    tasks: {
      ship: {
        onResult: (ctx, { payload }) => {
          const row = ctx.state.parcels.get(payload.id)
          if (row !== undefined) ctx.state.parcels.set(payload.id, { ...row, state: 'shipped' })
          ctx.cancel('giveUp', payload.id)
          ctx.emit(payload.sender as never, 'shipped', { id: payload.id })
        },
        onFailed: (ctx, { payload }, reason) => {
          const row = ctx.state.parcels.get(payload.id)
          if (row !== undefined) ctx.state.parcels.set(payload.id, { ...row, to: reason, state: 'lost' })
        },
      },
    },
    onSessionExpired: (ctx, session, _pending, reason) => ctx.state.ends.set(session.principal, reason),
  },
)

describe('a machine harness', () => {
  test('runs a command at once and shows rows, timers and tasks, with types', () => {
    const harness = machineHarness(post)
    const alice = harness.session('user:alice')
    expect(alice.machines.post.send({ id: 'p1', to: 'Bob' })).toEqual({ kind: 'ok', value: null })
    expect(alice.machines.post.send({ id: 'p1', to: 'Bob' })).toMatchObject({ kind: 'rejected', code: 'KNOWN' })
    expect(alice.queries.post.state('p1')).toEqual({ kind: 'ok', value: 'waiting' })
    expect(harness.table('post', 'parcels')).toEqual([['p1', { to: 'Bob', state: 'waiting' }]])
    expect(harness.read('post', ({ parcels }) => parcels.get('p1')?.to)).toBe('Bob')
    expect(harness.timers).toEqual([
      { machine: 'post', kind: 'giveUp', key: 'p1', dueAt: harness.now + 600_000, payload: { id: 'p1' } },
    ])
    expect(harness.tasks).toMatchObject([{ kind: 'ship', status: 'QUEUED', payload: { id: 'p1' } }])
    expectTypeOf(alice.queries.post.state('p1')).toExtend<{ kind: 'ok'; value: string } | { kind: 'rejected' }>()
    expectTypeOf(harness.table('post', 'parcels')[0]?.[1].to).toEqualTypeOf<string | undefined>()
  })

  test('an input that does not fit its schema is refused before the machine runs', () => {
    const harness = machineHarness(post)
    const before = harness.index
    const outcome = harness.session('user:alice').machines.post.send({ id: 'p1' } as never)
    expect(outcome).toMatchObject({
      kind: 'rejected',
      code: 'VALIDATION_ERROR',
      details: { issues: [{ path: '.to' }] },
    })
    expect(harness.index).toBe(before + 1)
  })

  test('a timer fires when its time has come, and not before', () => {
    const harness = machineHarness(post)
    harness.session('user:alice').machines.post.send({ id: 'p1', to: 'Bob' })
    harness.advance('9m')
    expect(harness.table('post', 'parcels')[0]?.[1].state).toBe('waiting')
    harness.advance('1m')
    expect(harness.table('post', 'parcels')[0]?.[1].state).toBe('lost')
    expect(harness.timers).toEqual([])
  })

  test('a worker completes a task, or fails it for good', () => {
    const harness = machineHarness(post)
    const alice = harness.session('user:alice')
    const worker = harness.session('worker:1', { roles: ['shipper'] })
    alice.machines.post.send({ id: 'p1', to: 'Bob' })
    expect(worker.requests).toMatchObject([{ type: 'task', payload: { kind: 'ship', attempt: 1 } }])
    const [first] = harness.tasks
    expect(first).toMatchObject({ assignedTo: worker.id })
    expect(worker.complete(first ?? never(), { at: 'noon' })).toMatchObject({ kind: 'ok' })
    expect(harness.tasks).toEqual([])
    expect(alice.requests).toMatchObject([{ type: 'post.shipped', payload: { id: 'p1' } }])
    alice.acknowledge()
    expect(alice.requests).toEqual([])
    alice.machines.post.send({ id: 'p2', to: 'Bob' })
    worker.fail(harness.tasks[0] ?? never(), 'NO_VAN')
    harness.advance('2s')
    worker.fail(harness.tasks[0] ?? never(), 'NO_ROAD')
    expect(alice.queries.post.state('p2')).toMatchObject({ value: 'lost' })
  })

  test('sessions end as they do in a cluster, and hooks run', () => {
    const harness = machineHarness(post)
    harness.session('user:alice').close()
    harness.session('user:bob').expire()
    expect(harness.table('post', 'ends')).toEqual([
      ['user:alice', 'closed'],
      ['user:bob', 'expired'],
    ])
  })

  test('what a machine throws comes out of the call, or is collected', () => {
    const alice = machineHarness(post).session('user:alice')
    expect(() => alice.machines.post.send({ id: 'p1', to: 'nowhere' })).toThrow(RangeError)
    const harness = machineHarness(post, { failures: 'collect' })
    const outcome = harness.session('user:alice').machines.post.send({ id: 'p1', to: 'nowhere' })
    expect(outcome).toMatchObject({ kind: 'rejected', code: 'MACHINE_ERROR' })
    expect(harness.failures).toEqual([expect.any(RangeError)])
  })

  test('what differs between replicas throws, and names what to use instead', () => {
    const clock = defineMachine(
      'clock',
      { version: 1, state: {} },
      { commands: { read: command({ input: z.object({}), output: z.number() }, () => Date.now()) } },
    )
    expect(() => machineHarness(clock).session('user:a').machines.clock.read({})).toThrow(/ctx\.now/)
    expect(machineHarness(clock, { guard: false }).session('user:a').machines.clock.read({})).toMatchObject({
      kind: 'ok',
    })
  })

  test('several machines run together, and equal histories have equal hashes', () => {
    const run = (): string => {
      const harness = machineHarness([counter, register])
      const alice = harness.session('user:alice')
      alice.machines.counter.increment({ name: 'visits', by: 2 })
      alice.machines.register.write({ key: 'k', value: 'v' })
      return harness.stateHash()
    }
    expect(run()).toBe(run())
  })
})

function never(): never {
  throw new Error('there is no task')
}
