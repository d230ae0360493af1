import { assign, createMachine, initialTransition, raise, setup } from 'xstate'
import { describe, expect, test } from 'vitest'
import { NaiveEntity } from './naive.ts'
import { OneEntity } from './one-entity.ts'

const FAILED = { kind: 'rejected', code: 'MACHINE_ERROR', details: { reason: 'EXCEPTION' } }

describe('X6: what a chart throws', () => {
  const machine = createMachine({
    id: 'till',
    initial: 'open',
    context: ({ input }: { input: { start: number } }) => {
      if (input.start < 0) throw new Error('no debts')
      return { sum: input.start }
    },
    states: {
      open: {
        on: {
          ADD: {
            actions: [
              assign({ sum: ({ context }) => context.sum + 1 }),
              assign(() => {
                throw new Error('the till is stuck')
              }),
            ],
          },
        },
      },
    },
  })

  test('X6: starts an entity with an error saved as {}; ours refuses creation and event, changes nothing, keeps the text', () => {
    const [naive] = initialTransition(machine, { start: -1 })
    expect(naive.status).toBe('error')
    expect(JSON.parse(JSON.stringify(machine.getPersistedSnapshot(naive)))).toMatchObject({
      status: 'error',
      error: {},
    })
    const ours = new OneEntity(machine)
    expect(ours.create({ start: -1 })).toMatchObject(FAILED)
    expect(ours.harness.table('chart', 'entities')).toEqual([])
    expect(ours.create({ start: 5 })).toMatchObject({ kind: 'ok' })
    expect(ours.send({ type: 'ADD' })).toMatchObject(FAILED)
    expect(ours.view.context).toEqual({ sum: 5 })
    expect(ours.harness.failures.map(({ message }) => message)).toEqual(['no debts', 'the till is stuck'])
  })
})

describe('X15: the start of a chart', () => {
  test('X15: runs again at each event in the pure functions, with input undefined; ours runs it once', () => {
    let starts = 0
    const machine = createMachine({
      id: 'm',
      initial: 'a',
      context: () => {
        starts += 1
        return { number: starts }
      },
      states: { a: { on: { NEXT: 'b' } }, b: { on: { NEXT: 'a' } } },
    })
    const naive = new NaiveEntity(machine)
    const before = starts
    naive.send({ type: 'NEXT' }).send({ type: 'NEXT' })
    expect([before, starts]).toEqual([2, 4])
    starts = 0
    const ours = new OneEntity(machine, {}, { guard: false })
    ours.create()
    const begun = starts
    expect(ours.sends({ type: 'NEXT' }, { type: 'NEXT' })).toEqual(['b', 'a'])
    expect([begun, starts]).toEqual([1, 1])
    // What counts in it is found by the rehearsal of a development build: it gives another context each time.
    const counting = new OneEntity(machine)
    expect(counting.create()).toMatchObject({ code: 'MACHINE_ERROR', details: { reason: 'NONDETERMINISTIC' } })
  })
})

describe('X16: an assign that changes its context in place', () => {
  const machine = setup({ types: { context: {} as { items: string[] } } }).createMachine({
    id: 'cart',
    initial: 'open',
    context: { items: [] },
    states: {
      open: {
        on: {
          ADD: {
            actions: assign(({ context }) => {
              context.items.push('pear')
              return context
            }),
          },
        },
      },
    },
  })

  test('X16: changes the snapshot before, and what later entities begin with; ours throws, and nothing has changed', () => {
    const ours = new OneEntity(machine)
    expect(ours.create()).toMatchObject({ kind: 'ok' })
    expect(ours.send({ type: 'ADD' })).toMatchObject(FAILED)
    expect(ours.harness.failures[0]).toBeInstanceOf(TypeError)
    expect(ours.view.context).toEqual({ items: [] })
    const naive = new NaiveEntity(machine)
    const before = naive.snapshot
    naive.send({ type: 'ADD' })
    expect(before.context).toEqual({ items: ['pear'] })
    expect(new NaiveEntity(machine).snapshot.context).toEqual({ items: ['pear'] })
  })
})

describe('bytes in a context', () => {
  test('are copies: what a function does to them, or to those that it gave, changes no row', () => {
    const given = new Uint8Array([1, 2])
    const machine = setup({ types: { context: {} as { key: Uint8Array; sum: number } } }).createMachine({
      id: 'm',
      initial: 'a',
      context: { key: given, sum: 0 },
      states: {
        a: {
          on: {
            SPOIL: {
              actions: assign(({ context }) => {
                context.key[0] = 9
                return { sum: context.sum + 1 }
              }),
            },
          },
        },
      },
    })
    const ours = new OneEntity(machine)
    ours.create()
    const { row } = ours
    ours.send({ type: 'SPOIL' })
    given[1] = 7
    expect(row.context).toEqual({ key: new Uint8Array([1, 2]), sum: 0 })
  })
})

describe('X23: a chart that never comes to rest', () => {
  const limited = createMachine({
    id: 'ring',
    initial: 'a',
    options: { maxIterations: 50 },
    states: { a: { on: { GO: 'b' } }, b: { always: 'c' }, c: { always: 'b' } },
  })
  const atStart = createMachine({
    id: 'ring',
    initial: 'a',
    context: { steps: 0 },
    options: { maxIterations: 50 },
    states: {
      a: { entry: raise({ type: 'SPIN' }), on: { SPIN: { target: 'a', reenter: true } } },
    },
  })
  const unlimited = createMachine({ ...limited.config, options: {} } as typeof limited.config)

  test('X23: throws at an event, starts with an error, and without a limit never ends; ours refuses all three', () => {
    expect(() => new NaiveEntity(limited).send({ type: 'GO' })).toThrow('Infinite loop detected')
    expect(new NaiveEntity(atStart).snapshot.status).toBe('error')
    for (const machine of [limited, unlimited]) {
      const ours = new OneEntity(machine)
      ours.create()
      expect(ours.send({ type: 'GO' })).toMatchObject(FAILED)
      expect(ours.view.value).toBe('a')
    }
    const ours = new OneEntity(atStart)
    expect(ours.create()).toMatchObject(FAILED)
    expect(ours.harness.table('chart', 'entities')).toEqual([])
  })
})
