import { assign, createMachine, enqueueActions, fromPromise, sendParent, sendTo, setup, spawnChild } from 'xstate'
import { describe, expect, test } from 'vitest'
import { fromXState } from '../../../src/machine/xstate/index.ts'
import { NaiveEntity } from './naive.ts'
import { OneEntity } from './one-entity.ts'

/** Ids and states of all entities. */
const all = ({ harness }: OneEntity): unknown =>
  Object.fromEntries(
    harness.table('chart', 'entities').map(([id, { value, status }]) => [id, `${String(value)} ${status}`]),
  )

const clock = setup({ types: { input: {} as { ms: number }, context: {} as { ms: number } } }).createMachine({
  id: 'clock',
  initial: 'running',
  context: ({ input }) => ({ ms: input.ms }),
  entry: sendParent({ type: 'BEGUN' }),
  states: {
    running: { after: { 100: 'over' }, on: { STOP: { target: 'over', actions: sendParent({ type: 'STOPPED' }) } } },
    over: { type: 'final' },
  },
  output: ({ context }) => ({ ran: context.ms }),
})

describe('X19: a machine that is invoked', () => {
  const machine = setup({ actors: { clock } }).createMachine({
    id: 'm',
    initial: 'a',
    context: { heard: [] as string[], ran: 0 },
    on: { '*': { actions: assign({ heard: ({ context, event }) => [...context.heard, event.type] }) } },
    states: {
      a: {
        invoke: {
          id: 'clock',
          src: 'clock',
          input: { ms: 100 },
          onDone: { target: 'b', actions: assign({ ran: ({ event }) => (event.output as { ran: number }).ran }) },
        },
        on: { STOP: { actions: sendTo('clock', { type: 'STOP' }) }, LEAVE: 'b' },
      },
      b: { on: { AGAIN: 'a' } },
    },
  })

  test('X19: comes out of the pure functions as one action, and nobody runs it; ours is an entity of its own', () => {
    const naive = new NaiveEntity(machine)
    expect(naive.actions.map(({ type }) => type)).toEqual(['xstate.spawnChild'])
    expect(() => new NaiveEntity(clock, { ms: 100 })).not.toThrow()
    expect(new NaiveEntity(clock, { ms: 100 }).snapshot).toMatchObject({ status: 'error' })
    const ours = new OneEntity(machine)
    ours.create()
    expect(all(ours)).toEqual({ e: 'a active', 'e/clock': 'running active' })
    ours.harness.advance(99)
    expect(ours.view.value).toBe('a')
    ours.harness.advance(1)
    expect(ours.view).toMatchObject({ value: 'b', context: { heard: ['BEGUN'], ran: 100 } })
    expect([all(ours), ours.harness.timers]).toEqual([{ e: 'b active' }, []])
  })

  test('X19: hears its parent, is taken out with the state that invoked it, and begins anew when that is entered again', () => {
    const ours = new OneEntity(machine)
    ours.create()
    expect(ours.sends({ type: 'STOP' })).toEqual(['b'])
    expect(ours.view.context).toMatchObject({ heard: ['BEGUN', 'STOPPED'], ran: 100 })
    ours.sends({ type: 'AGAIN' })
    ours.harness.advance(60)
    expect(ours.sends({ type: 'LEAVE' }, { type: 'AGAIN' })).toEqual(['b', 'a'])
    ours.harness.advance(60)
    expect(all(ours)).toEqual({ e: 'a active', 'e/clock': 'running active' })
    ours.harness.advance(40)
    expect(all(ours)).toEqual({ e: 'b active' })
    expect(ours.client.execute('chart', 'remove', { id: 'e' })).toEqual({ kind: 'ok', value: null })
    expect([all(ours), ours.harness.timers, ours.harness.failures]).toEqual([{}, [], []])
  })
})

describe('a child that fails', () => {
  const child = createMachine({
    id: 'child',
    initial: 'a',
    states: {
      a: {
        on: {
          FAIL: {
            actions: () => {
              throw new Error('never run')
            },
          },
        },
      },
    },
  })
  const failing = createMachine({
    ...child.config,
    states: { a: { on: { FAIL: { guard: () => fail(), target: 'a' } } } },
  } as never)
  const fail = (): boolean => {
    throw new Error('out of paper')
  }
  const machine = (onError: object) =>
    setup({ actors: { child: failing } }).createMachine({
      id: 'm',
      initial: 'a',
      context: { error: null as unknown },
      states: {
        a: {
          invoke: { id: 'child', src: 'child', ...onError },
          on: { FAIL: { actions: sendTo('child', { type: 'FAIL' }) } },
        },
        b: {},
      },
    })

  test('tells its parent, which handles the error or ends with it', () => {
    const handled = new OneEntity(
      machine({ onError: { target: 'b', actions: assign({ error: ({ event }) => event.error }) } }),
    )
    handled.create()
    expect(handled.sends({ type: 'FAIL' })).toEqual(['b'])
    const error = {
      name: 'Error',
      message: "Unable to evaluate guard in transition for event 'FAIL' in state node 'child.a'",
    }
    expect(handled.view.context).toEqual({ error })
    const unhandled = new OneEntity(machine({}))
    unhandled.create()
    unhandled.send({ type: 'FAIL' })
    expect(unhandled.view).toMatchObject({ status: 'error', error })
    expect(all(unhandled)).toEqual({ e: 'a error' })
  })
})

describe('X7: an actor without an id', () => {
  const load = fromPromise(async () => 1)
  const named = setup({ actors: { load } })
  const twice = named.createMachine({
    id: 'm',
    entry: [spawnChild('load') as never, spawnChild('load') as never],
  })
  const spawning = named.createMachine({
    id: 'm',
    initial: 'a',
    context: {},
    states: { a: { on: { GO: { actions: assign({ ref: ({ spawn }) => spawn('load') }) } } } },
  })
  const queued = named.createMachine({
    id: 'm',
    initial: 'a',
    states: { a: { on: { GO: { actions: enqueueActions(({ enqueue }) => enqueue.spawnChild('load')) } } } },
  })

  test('X7: is filed under "undefined" and replaced, or named by the process; ours refuses it', () => {
    expect(Object.keys(new NaiveEntity(twice).snapshot.children)).toEqual(['undefined'])
    const idOf = (): string => Object.keys(new NaiveEntity(spawning).send({ type: 'GO' }).snapshot.children)[0] ?? ''
    expect(new NaiveEntity(spawning).send({ type: 'GO' }).actions).toEqual([])
    expect(idOf()).not.toBe(idOf())
    expect(() => new OneEntity(twice)).toThrow('CHART_UNNAMED_ACTOR')
    for (const machine of [spawning, queued]) {
      const ours = new OneEntity(machine)
      ours.create()
      expect(ours.send({ type: 'GO' })).toMatchObject({ code: 'MACHINE_ERROR' })
      expect(ours.view.actors).toEqual([])
    }
  })
})

describe('X13: targets', () => {
  const machine = setup({ actors: { clock } }).createMachine({
    id: 'm',
    initial: 'a',
    context: { heard: 0 },
    states: {
      a: {
        on: {
          NONE: { actions: sendTo(() => undefined as never, { type: 'HEARD' } as never) },
          SYSTEM: {
            actions: assign({
              heard: ({ self }) =>
                (self as unknown as { system: { get(id: string): unknown } }).system.get('x') === undefined ? 1 : 2,
            }),
          },
          LATER: {
            actions: enqueueActions(({ enqueue }) => {
              enqueue.sendTo('late' as never, { type: 'STOP' } as never)
              enqueue.spawnChild('clock', { id: 'late', input: { ms: 1 } })
            }),
          },
          HEARD: { actions: assign({ heard: 7 }) },
          BEGUN: {},
        },
      },
    },
  })

  test('X13: that are undefined are the machine itself; ours refuses them, and what asks the system of one process', () => {
    const naive = new NaiveEntity(machine)
    const self = naive.send({ type: 'NONE' }).actions[0]?.params as { to: { id: string }; targetId: unknown }
    expect(self.targetId).toBeUndefined()
    expect(self.to.id).toMatch(/^x:\d+$/)
    expect(naive.send({ type: 'SYSTEM' }).snapshot.context).toEqual({ heard: 1 })
    expect(() => naive.send({ type: 'LATER' })).toThrow("Unable to send event to actor 'late'")
    const ours = new OneEntity(machine)
    ours.create()
    for (const type of ['NONE', 'SYSTEM', 'LATER']) expect(ours.send({ type })).toMatchObject({ code: 'MACHINE_ERROR' })
    expect(ours.view).toMatchObject({ context: { heard: 0 }, actors: [] })
  })
})

describe('X12: a parallel root that ends', () => {
  const region = { initial: 'run', states: { run: { on: { END: 'done' } }, done: { type: 'final' } } } as const
  const machine = createMachine({
    id: 'm',
    type: 'parallel',
    context: { dones: [] as string[] },
    states: {
      a: { ...region, onDone: { actions: assign({ dones: ({ context }) => [...context.dones, 'a'] }) } },
      b: { ...region, onDone: { actions: assign({ dones: ({ context }) => [...context.dones, 'b'] }) } },
    },
    output: ({ context, event }: { context: { dones: string[] }; event: object }) => ({
      dones: context.dones,
      event: (event as { output?: unknown }).output ?? null,
    }),
  } as never)

  test('X12: runs onDone of no region, here as there: results come from the context', () => {
    const naive = new NaiveEntity(machine).send({ type: 'END' })
    expect(naive.snapshot).toMatchObject({ status: 'done', context: { dones: [] }, output: { dones: [], event: null } })
    const ours = new OneEntity(machine)
    ours.create()
    ours.send({ type: 'END' })
    expect(ours.view).toMatchObject({ status: 'done', output: { dones: [], event: null } })
  })

  test('X12: is warned about where the chart is defined, also in a machine that it invokes; one that never ends is not', () => {
    const warned = /^m\.a\.onDone does not run when this region is the last to end/
    const outer = setup({ actors: { machine } }).createMachine({
      id: 'outer',
      initial: 'a',
      states: { a: { invoke: { src: 'machine' } } },
    })
    for (const each of [machine, outer]) {
      const { behaviour } = fromXState(each, { name: 'chart', version: 1 })
      expect(behaviour.warnings).toMatchObject([expect.stringMatching(warned), expect.stringMatching(/^m\.b\.onDone/)])
    }
    const endless = createMachine({
      id: 'm',
      type: 'parallel',
      states: { a: { ...region, onDone: {} }, b: { initial: 'x', states: { x: {} } } },
    } as never)
    expect(fromXState(endless, { name: 'chart', version: 1 }).behaviour.warnings).toEqual([])
  })
})

describe('X20: deep history', () => {
  const machine = createMachine({
    id: 'm',
    initial: 'work',
    states: {
      work: {
        initial: 'one',
        on: { PAUSE: 'paused' },
        states: {
          one: { on: { NEXT: 'two' } },
          two: { initial: 'x', states: { x: { on: { NEXT: 'y' } }, y: { after: { 100: 'z' } }, z: {} } },
          back: { type: 'history', history: 'deep' },
        },
      },
      paused: { on: { RESUME: 'work.back' } },
    },
  })

  test('X20: keeps inner states over restarts and starts their delays anew', () => {
    const next = [{ type: 'NEXT' }, { type: 'NEXT' }, { type: 'PAUSE' }, { type: 'RESUME' }]
    const naive = new NaiveEntity(machine)
    for (const event of next) naive.restart().send(event)
    expect(naive.snapshot.value).toEqual({ work: { two: 'y' } })
    const ours = new OneEntity(machine)
    ours.create()
    ours.sends(...next.slice(0, 2))
    ours.harness.advance(60)
    ours.sends({ type: 'PAUSE' })
    ours.harness.advance(500)
    expect(ours.sends({ type: 'RESUME' })).toEqual([{ work: { two: 'y' } }])
    ours.harness.advance(99)
    expect(ours.view.value).toEqual({ work: { two: 'y' } })
    ours.harness.advance(1)
    expect(ours.view.value).toEqual({ work: { two: 'z' } })
  })
})

describe('entities that write to each other for ever', () => {
  const echo = createMachine({ id: 'echo', on: { PING: { actions: sendParent({ type: 'PONG' }) } } })
  const machine = setup({ actors: { echo } }).createMachine({
    id: 'm',
    invoke: { id: 'echo', src: 'echo' },
    on: { PONG: { actions: sendTo('echo', { type: 'PING' }) }, GO: { actions: sendTo('echo', { type: 'PING' }) } },
  })

  test('are stopped by a bound, and nothing has changed', () => {
    const ours = new OneEntity(machine)
    ours.create()
    expect(ours.send({ type: 'GO' })).toMatchObject({ code: 'MACHINE_ERROR' })
    expect(ours.harness.failures[0]?.message).toContain('is there a ring?')
    expect(all(ours)).toEqual({ e: '[object Object] active', 'e/echo': '[object Object] active' })
  })
})
