import { assign, createMachine, emit, fromCallback, fromPromise, log, setup } from 'xstate'
import { describe, expect, expectTypeOf, test } from 'vitest'
import { z } from 'zod'
import type { InputOf } from '../../../src/machine/index.ts'
import { fromXState } from '../../../src/machine/xstate/index.ts'
import { machineHarness } from '../../../src/testing/index.ts'
import { NaiveEntity } from './naive.ts'
import { OneEntity } from './one-entity.ts'

const loader = setup({
  types: { context: {} as { got: readonly unknown[] }, events: {} as { type: 'AGAIN' } | { type: 'LEAVE' } },
  actors: { load: fromPromise(async ({ input }: { input: { key: string } }) => input.key.length) },
}).createMachine({
  id: 'm',
  initial: 'loading',
  context: { got: [] },
  states: {
    loading: {
      invoke: {
        id: 'load',
        src: 'load',
        input: { key: 'k' },
        onDone: { actions: assign({ got: ({ context, event }) => [...context.got, event.output] }) },
        onError: {
          target: 'failed',
          actions: assign({ got: ({ event }) => [(event.error as { message: string }).message] }),
        },
      },
      on: { AGAIN: { target: 'loading', reenter: true }, LEAVE: 'left' },
    },
    failed: {},
    left: { on: { '*': { actions: assign({ got: ['odd'] }) } } },
  },
})

/** The task that waits or runs. */
function taskOf({ harness }: OneEntity) {
  const [task] = harness.tasks
  if (task === undefined) throw new Error('there is no task')
  return task
}

describe('the work of a promise', () => {
  test('is a task with its input, whose result is its output', () => {
    const ours = new OneEntity(loader)
    ours.create()
    expect(taskOf(ours)).toMatchObject({
      kind: 'load',
      ref: 'e',
      role: 'worker',
      maxAttempts: 3,
      payload: { entity: 'e', actor: 'load', n: 1, input: { key: 'k' } },
    })
    expect(ours.worker.complete(taskOf(ours), 7)).toMatchObject({ kind: 'ok' })
    expect(ours.view).toMatchObject({ value: 'loading', context: { got: [7] }, actors: ['load'] })
  })

  test('that failed for good is its error; without onError the entity ends with it', () => {
    const once = { work: { load: { maxAttempts: 1 } } }
    const ours = new OneEntity(loader, once)
    ours.create()
    ours.worker.fail(taskOf(ours), 'no network')
    expect(ours.view).toMatchObject({ value: 'failed', context: { got: ['no network'] } })
    const bare = setup({ actors: { load: fromPromise(async () => 1) } }).createMachine({
      id: 'm',
      initial: 'a',
      states: { a: { invoke: { src: 'load' }, after: { 100: 'b' } }, b: {} },
    })
    const ends = new OneEntity(bare, once)
    ends.create()
    ends.worker.fail(taskOf(ends), 'no network')
    expect(ends.view).toMatchObject({ status: 'error', error: { name: 'Error', message: 'no network' } })
    expect([ends.harness.timers, ends.harness.failures]).toEqual([[], []])
  })

  test('is typed: name, input and result', () => {
    const chart = fromXState(loader, { name: 'loader', version: 1, work: { load: { result: z.int() } } })
    type Task = (typeof chart)['schema']['tasks']['load']
    expectTypeOf<z.output<Task['result']>>().toEqualTypeOf<number>()
    expectTypeOf<z.output<Task['payload']>['input']>().toEqualTypeOf<{ key: string }>()
    const client = machineHarness(chart).session('user:alice')
    client.machines.loader.create({ id: 'e' })
    type Sent = InputOf<(typeof chart)['commands']['send']>['event']
    expectTypeOf<{ type: 'LEAVE' }>().toExtend<Sent>()
    expectTypeOf<{ type: 'LOST' }>().not.toExtend<Sent>()
    const outcome = client.machines.loader.send({ id: 'e', event: { type: 'LEAVE' } })
    if (outcome.kind === 'ok') expectTypeOf(outcome.value.context.got).toEqualTypeOf<readonly unknown[]>()
    expect(outcome).toMatchObject({ value: { value: 'left' } })
  })
})

describe('X8: what a worker tells twice, or too late', () => {
  const done = (output: number) => ({ type: 'xstate.done.actor.load', output, actorId: 'load' })

  test('X8: is taken each time by the pure functions; ours takes one result of the incarnation that runs', () => {
    const naive = new NaiveEntity(loader).send(done(1)).send(done(2))
    expect(naive.snapshot.context).toEqual({ got: [1, 2] })
    expect(naive.snapshot.children.load?.getSnapshot()).toMatchObject({ status: 'active' })
    const ours = new OneEntity(loader)
    ours.create()
    const first = taskOf(ours)
    ours.send({ type: 'AGAIN' })
    const second = taskOf(ours)
    expect([first.taskId === second.taskId, ours.harness.tasks.length]).toEqual([false, 1])
    expect(ours.worker.complete(first, 1)).toMatchObject({ code: 'STALE_TASK' })
    expect(ours.worker.complete(second, 2)).toMatchObject({ kind: 'ok' })
    expect(ours.worker.complete(second, 3)).toMatchObject({ code: 'STALE_TASK' })
    expect(ours.view.context).toEqual({ got: [2] })
  })

  test('X9: an error of a state that was left ends the machine; ours has cancelled the task', () => {
    const error = { type: 'xstate.error.actor.load', error: { message: 'late' }, actorId: 'load' }
    const plain = createMachine({ ...loader.config, states: { ...loader.config.states, left: {} } } as never).provide({
      actors: loader.implementations.actors,
    } as never)
    expect(new NaiveEntity(plain).send({ type: 'LEAVE' }).send(error).snapshot.status).toBe('error')
    expect(new NaiveEntity(loader).send({ type: 'LEAVE' }).send(error).snapshot.context).toEqual({ got: ['odd'] })
    const ours = new OneEntity(plain)
    ours.create()
    const task = taskOf(ours)
    ours.send({ type: 'LEAVE' })
    expect(ours.harness.tasks).toEqual([])
    expect(ours.worker.fail(task, 'late')).toMatchObject({ code: 'STALE_TASK' })
    expect(ours.view).toMatchObject({ status: 'active', value: 'left' })
  })
})

describe('the work of a callback', () => {
  const machine = setup({ actors: { listen: fromCallback(() => {}) } }).createMachine({
    id: 'm',
    initial: 'a',
    context: { heard: [] as unknown[] },
    states: {
      a: {
        invoke: { src: 'listen', id: 'listen' },
        on: { HEARD: { actions: assign({ heard: ({ context, event }) => [...context.heard, event.what] }) }, END: 'b' },
      },
      b: { on: { HEARD: { actions: assign({ heard: ['late'] }) } } },
    },
  })

  test('is a task whose result is the events that it sends back, until its state is left', () => {
    const ours = new OneEntity(machine)
    ours.create()
    const [one, end] = [{ type: 'HEARD', what: 1 }, { type: 'END' }]
    ours.worker.complete(taskOf(ours), [{ type: 'xstate.stop' }])
    expect(ours.view.value).toBe('a')
    ours.harness.advance(1_000)
    ours.worker.complete(taskOf(ours), [one, end, one])
    expect(ours.view).toMatchObject({ value: 'b', context: { heard: [1] } })
  })
})

describe('what an entity tells its clients', () => {
  const machine = setup({
    types: { emitted: {} as { type: 'paid'; cents: number }, events: {} as { type: 'PAY'; cents: number } },
    actions: { receipt: (_, _params: { cents: number }) => {}, track: () => {} },
  }).createMachine({
    id: 'm',
    initial: 'a',
    states: {
      a: {
        on: {
          PAY: {
            actions: [
              emit(({ event }) => ({ type: 'paid', cents: event.cents })),
              { type: 'receipt', params: ({ event }) => ({ cents: event.cents }) },
              'track',
              log(({ event }) => event.cents, 'cents'),
            ],
          },
        },
      },
    },
  })

  test('are server requests in order, to the sessions that watch and no others, until they go', () => {
    const chart = fromXState(machine, { name: 'till', version: 1, actions: { receipt: 'request', track: 'drop' } })
    const harness = machineHarness(chart)
    const [alice, bob] = [harness.session('user:alice'), harness.session('user:bob')]
    alice.machines.till.create({ id: 'e', watch: true })
    alice.machines.till.send({ id: 'e', event: { type: 'PAY', cents: 5 } })
    const sent = [
      { type: 'till.emitted', payload: { entity: 'e', event: { type: 'paid', cents: 5 } } },
      { type: 'till.action', payload: { entity: 'e', action: 'receipt', params: { cents: 5 } } },
    ]
    expect([alice.requests, bob.requests]).toMatchObject([sent, []])
    expect(harness.lines).toMatchObject([{ message: 'cents', fields: { entity: 'e', value: 5 } }])
    bob.machines.till.watch({ id: 'e' })
    alice.machines.till.watch({ id: 'e', on: false })
    alice.machines.till.send({ id: 'e', event: { type: 'PAY', cents: 6 } })
    expect([alice.requests.length, bob.requests.length]).toEqual([2, 2])
    bob.close()
    expect(harness.table('till', 'watches')).toEqual([])
    expect(harness.table('till', 'entities')[0]?.[1].watchers).toEqual([])
    expectTypeOf<z.output<(typeof chart)['schema']['requests']['emitted']>['event']>().toEqualTypeOf<{
      type: 'paid'
      cents: number
    }>()
  })

  test('who may do what is asked of the options', () => {
    const chart = fromXState(machine, {
      name: 'till',
      version: 1,
      actions: { receipt: 'drop', track: 'drop' },
      allow: ({ principal }, { kind, event }) =>
        principal === 'user:alice' || (kind === 'send' && (event?.cents ?? 0) < 10),
    })
    const harness = machineHarness(chart)
    const [alice, bob] = [harness.session('user:alice'), harness.session('user:bob')]
    expect(bob.machines.till.create({ id: 'e' })).toMatchObject({ code: 'FORBIDDEN' })
    alice.machines.till.create({ id: 'e' })
    expect(alice.machines.till.create({ id: 'e' })).toMatchObject({ code: 'CONFLICT' })
    expect(bob.machines.till.send({ id: 'e', event: { type: 'PAY', cents: 9 } })).toMatchObject({ kind: 'ok' })
    expect(bob.machines.till.send({ id: 'e', event: { type: 'PAY', cents: 10 } })).toMatchObject({ code: 'FORBIDDEN' })
    expect(bob.queries.till.state('e')).toMatchObject({ code: 'FORBIDDEN' })
    expect(bob.queries.till.list({})).toEqual({ kind: 'ok', value: { entities: [], next: null } })
    expect(alice.machines.till.send({ id: 'f', event: { type: 'PAY', cents: 1 } })).toMatchObject({ code: 'NOT_FOUND' })
    expect(bob.machines.till.remove({ id: 'e' })).toMatchObject({ code: 'FORBIDDEN' })
    expect(alice.machines.till.remove({ id: 'e' })).toEqual({ kind: 'ok', value: null })
    expect(alice.queries.till.list({})).toEqual({ kind: 'ok', value: { entities: [], next: null } })
  })
})
