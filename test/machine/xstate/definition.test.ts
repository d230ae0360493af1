import {
  and,
  assign,
  createMachine,
  enqueueActions,
  fromObservable,
  fromPromise,
  fromTransition,
  raise,
  setup,
  spawnChild,
} from 'xstate'
import type { AnyStateMachine } from 'xstate'
import { identityOf } from '../../../src/machine/index.ts'
import { describe, expect, test, vi } from 'vitest'
import { ChartError, fromXState } from '../../../src/machine/xstate/index.ts'
import { NaiveEntity } from './naive.ts'
import { OneEntity } from './one-entity.ts'

/** Codes and places of what is refused. */
function refusals(machine: unknown, options: object = {}): readonly string[] {
  try {
    fromXState(machine as AnyStateMachine, { name: 'chart', version: 1, ...options })
  } catch (error) {
    if (!(error instanceof ChartError)) throw error
    return error.issues.map(({ code, path }) => `${code} ${path}`)
  }
  return []
}

describe('X4: a delay that is none', () => {
  const missing = setup({ delays: {} }).createMachine({
    id: 'm',
    initial: 'a',
    states: { a: { after: { soon: 'b' } as never }, b: {} },
  })
  const computed = setup({ delays: { soon: () => undefined as never, late: () => Number.NaN } }).createMachine({
    id: 'm',
    initial: 'idle',
    states: { idle: { on: { SOON: 'a', LATE: 'c' } }, a: { after: { soon: 'b' } }, b: {}, c: { after: { late: 'b' } } },
  })
  const inline = createMachine({
    id: 'm',
    initial: 'idle',
    states: {
      idle: {
        on: {
          RAISE: { actions: raise({ type: 'LATER' }, { delay: () => undefined as never }) },
          QUEUE: {
            actions: enqueueActions(({ enqueue }) =>
              enqueue.raise({ type: 'LATER' }, { delay: () => undefined as never }),
            ),
          },
          LATER: 'b',
        },
      },
      b: {},
    },
  })

  test('X4: fires at once; ours refuses the definition, or the event that computes it', () => {
    expect(new NaiveEntity(missing).snapshot.value).toBe('b')
    expect(refusals(missing)).toEqual(['CHART_BAD_DELAY m.a.after'])
    expect(new NaiveEntity(computed).send({ type: 'SOON' }).snapshot.value).toBe('b')
    expect(new NaiveEntity(computed).send({ type: 'LATE' }).actions).toMatchObject([{ params: { delay: Number.NaN } }])
    expect(new NaiveEntity(inline).send({ type: 'RAISE' }).snapshot.value).toBe('b')
    for (const [machine, event] of [
      [computed, 'SOON'],
      [computed, 'LATE'],
      [inline, 'RAISE'],
      [inline, 'QUEUE'],
    ] as const) {
      const ours = new OneEntity(machine)
      ours.create()
      expect(ours.send({ type: event })).toMatchObject({ code: 'MACHINE_ERROR' })
      expect(ours.view.value).toBe('idle')
    }
    const negative = createMachine({ id: 'm', initial: 'a', states: { a: { after: { '-5': 'b' } }, b: {} } })
    expect(refusals(negative)).toEqual(['CHART_BAD_DELAY m.a.after'])
  })
})

describe('X14: an actor that has no name', () => {
  const child = fromPromise(async () => 1)
  const machine = createMachine({
    id: 'm',
    initial: 'a',
    states: { a: { entry: spawnChild(child, { id: 'c' }), invoke: { src: child, id: 'd', onDone: 'b' } }, b: {} },
  })

  test('X14: is saved as nothing and restored it does nothing; ours refuses it, with its place', () => {
    const naive = new NaiveEntity(machine)
    const saved = JSON.parse(
      JSON.stringify(machine.getPersistedSnapshot(naive.snapshot, { __unsafeAllowInlineActors: true } as never)),
    ) as { children: { c: { src: unknown } } }
    expect(typeof saved.children.c.src).not.toBe('string')
    expect(refusals(machine)).toEqual(['CHART_UNNAMED_ACTOR m.a.entry[0]', 'CHART_UNNAMED_ACTOR m.a.invoke[0]'])
  })
})

describe('X18: a name that nothing stands behind', () => {
  const machine = createMachine({
    id: 'm',
    initial: 'a',
    states: {
      a: {
        entry: ['greet', { type: 'wave', params: { hand: 'left' } }],
        invoke: { src: 'load' },
        on: { GO: { guard: and(['isReady', 'isOpen']), target: 'b' } },
      },
      b: {},
    },
  } as never)

  test('X18: is an action without code, a guard that throws, an actor that is not there; ours refuses all of them', () => {
    const warn = vi.spyOn(console, 'warn').mockImplementation(() => {})
    const naive = new NaiveEntity(machine)
    expect(naive.actions).toMatchObject([{ type: 'greet', exec: undefined }, { type: 'wave', exec: undefined }, {}])
    expect(naive.snapshot.children).toEqual({ '0.m.a': undefined })
    expect(() => naive.send({ type: 'GO' })).toThrow("Guard 'isReady' is not implemented")
    warn.mockRestore()
    expect(refusals(machine)).toEqual([
      'CHART_UNKNOWN_NAME m.a.entry[0]',
      'CHART_UNKNOWN_NAME m.a.entry[1]',
      'CHART_UNKNOWN_NAME m.a.invoke[0]',
      'CHART_UNKNOWN_NAME m.a.on.GO[0].guard[0]',
      'CHART_UNKNOWN_NAME m.a.on.GO[0].guard[1]',
    ])
    expect(refusals(machine, { actions: { greet: 'request', wave: 'drop' } })).not.toContain(
      'CHART_UNKNOWN_NAME m.a.entry[0]',
    )
  })
})

describe('a chart that cannot be replicated', () => {
  test('is refused with every place at once, and the way out', () => {
    const machine = setup({
      actions: { track: () => {}, note: assign({}) },
      actors: { ticks: fromObservable(() => ({}) as never), sum: fromTransition((sum: number) => sum, 0) },
    }).createMachine({
      id: 'm',
      initial: 'a',
      context: { at: new Date(0) } as never,
      states: {
        a: {
          entry: ['track', 'note', () => {}],
          invoke: [{ src: 'ticks' }, { src: 'sum', systemId: 'sum', onSnapshot: 'b' }],
        },
        b: { route: {}, id: 'b' } as never,
      },
    })
    expect(refusals(machine)).toEqual([
      'CHART_CONTEXT m',
      'CHART_INLINE_ACTION m.a.entry[0]',
      'CHART_INLINE_ACTION m.a.entry[2]',
      'CHART_UNREPLICABLE_ACTOR m.a.invoke[0]',
      'CHART_UNREPLICABLE_ACTOR m.a.invoke[1]',
      'CHART_LIVE_ONLY m.a.invoke[1]',
      'CHART_LIVE_ONLY m.a.invoke[1]',
      'CHART_LIVE_ONLY b',
    ])
    expect(() => fromXState(machine, { name: 'chart', version: 1 })).toThrow(/m\.a\.entry\[2\].*options\.actions/)
  })

  test('is found in a machine that it invokes too', () => {
    const child = createMachine({ id: 'child', initial: 'x', states: { x: { entry: () => {} } } })
    const machine = setup({ actors: { child } }).createMachine({
      id: 'm',
      initial: 'a',
      states: { a: { invoke: { src: 'child' } } },
    })
    expect(refusals(machine)).toEqual(['CHART_INLINE_ACTION child.x.entry[0]'])
  })
})

describe('ids and times', () => {
  test('an actor whose id has a slash is refused, at definition and where the id is computed', () => {
    const child = createMachine({ id: 'child', initial: 'x', states: { x: {} } })
    const named = (id?: string) =>
      setup({ actors: { child } }).createMachine({
        id: 'm',
        initial: 'a/b',
        states: { 'a/b': { invoke: id === undefined ? { src: 'child' } : { src: 'child', id } } },
      })
    expect(refusals(named())).toEqual(['CHART_UNNAMED_ACTOR m.a/b.invoke[0]'])
    expect(refusals(named('x/y'))).toEqual(['CHART_UNNAMED_ACTOR m.a/b.invoke[0]'])
    expect(refusals(named('x'))).toEqual([])
    const computed = setup({ actors: { child } }).createMachine({
      id: 'm',
      initial: 'a',
      states: { a: { on: { GO: { actions: spawnChild('child', { id: () => 'x/y' }) } } } },
    })
    const ours = new OneEntity(computed)
    ours.create()
    expect(ours.send({ type: 'GO' })).toMatchObject({ code: 'MACHINE_ERROR' })
  })

  test('a child is not watched or removed by clients', () => {
    const child = createMachine({ id: 'child', initial: 'x', states: { x: {} } })
    const machine = setup({ actors: { child } }).createMachine({
      id: 'm',
      initial: 'a',
      states: { a: { invoke: { src: 'child', id: 'kid' } } },
    })
    const ours = new OneEntity(machine)
    ours.create()
    for (const command of ['watch', 'remove']) {
      expect(ours.client.execute('chart', command, { id: 'e/kid' })).toMatchObject({ code: 'VALIDATION_ERROR' })
    }
    expect(ours.client.queries.chart.state('e/kid')).toMatchObject({ kind: 'ok' })
  })

  test('an input that is no object, or brings the time itself, is refused where the log fills the time in', () => {
    const machine = createMachine({
      id: 'm',
      initial: 'a',
      context: ({ input }: { input: unknown }) => ({ input }),
      states: { a: {} },
    } as never)
    for (const input of [5, 'text', [1], { now: 1 }]) {
      const ours = new OneEntity(machine, { timeField: 'now' })
      expect(ours.create(input as never)).toMatchObject({ code: 'VALIDATION_ERROR' })
      expect(ours.create({ cents: 1 })).toMatchObject({ kind: 'ok' })
      expect(ours.view.context).toEqual({ input: { cents: 1, now: ours.harness.now } })
    }
    expect(new OneEntity(machine, { timeField: 'now' }).create()).toMatchObject({ kind: 'ok' })
  })

  test('a meta that is no plain data is refused', () => {
    const machine = createMachine({ id: 'm', initial: 'a', states: { a: { meta: { show: () => 1 } } } })
    expect(refusals(machine)).toEqual(['CHART_CONTEXT m.a'])
  })

  test('options and meta are part of the fingerprint, and texts of their functions of that of the code', () => {
    const chart = (meta?: object) => createMachine({ id: 'm', initial: 'a', states: { a: { meta } } } as never)
    const base = { name: 'chart', version: 2 } as const
    const plain = identityOf(fromXState(chart(), base))
    const others = [
      fromXState(chart({ color: 'red' }), base),
      fromXState(chart(), { ...base, timeField: 'now' }),
      fromXState(chart(), { ...base, actions: { track: 'drop' } }),
      fromXState(chart(), { ...base, allow: () => true }),
      fromXState(chart(), { ...base, migrate: () => ({}) }),
    ].map(identityOf)
    expect(new Set([plain, ...others].map(({ schema }) => schema)).size).toBe(6)
    const allowing = identityOf(fromXState(chart(), { ...base, allow: () => false }))
    expect(allowing.schema).toBe(others[3]?.schema)
    expect(allowing.code).not.toBe(others[3]?.code)
  })
})

describe('X21: events of XState itself', () => {
  const machine = createMachine({ id: 'm', initial: 'a', states: { a: { on: { 'pay.*': 'b' } }, b: {} } })

  test('X21: stop a machine when a client sends them; ours refuses them before the log, and takes wildcards as XState does', () => {
    expect(new NaiveEntity(machine).send({ type: 'xstate.stop' }).snapshot.status).toBe('stopped')
    const ours = new OneEntity(machine)
    ours.create()
    const index = ours.harness.index
    for (const type of ['xstate.stop', 'xstate.init', 'xstate.done.actor.x', '*']) {
      expect(ours.send({ type })).toMatchObject({ kind: 'rejected', code: 'VALIDATION_ERROR' })
    }
    expect(ours.harness.index).toBe(index)
    expect(ours.send({ type: 'payment' })).toMatchObject({
      code: 'INVALID_STATE_TRANSITION',
      details: { allowed: ['pay.*'] },
    })
    for (const type of ['pay', 'pay.', 'pay.card.x']) {
      const each = new OneEntity(machine)
      each.create()
      expect(each.sends({ type })).toEqual(['b'])
    }
  })
})
