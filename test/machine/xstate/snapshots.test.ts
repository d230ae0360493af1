import { type AnyStateMachine, assign, createMachine } from 'xstate'
import { describe, expect, test } from 'vitest'
import { nextStep } from '../../../src/machine/xstate/entity/step.ts'
import { Chart } from '../../../src/machine/xstate/chart/chart.ts'
import { keySorted, NaiveEntity } from './naive.ts'
import { OneEntity } from './one-entity.ts'

const PLACE = { id: 'e', parent: null, named: new Set<string>() }

/** Both regions leave as soon as the order closes; the one that is asked first decides. */
function order(first: 'pay' | 'watch', second: 'pay' | 'watch') {
  const regions = {
    pay: {
      initial: 'waiting',
      states: {
        waiting: { on: { PAY: 'ready' } },
        ready: {
          always: { guard: ({ context }: { context: { closing: boolean } }) => context.closing, target: '#order.paid' },
        },
      },
    },
    watch: {
      initial: 'running',
      states: {
        running: { on: { TICK: 'over' } },
        over: {
          always: {
            guard: ({ context }: { context: { closing: boolean } }) => context.closing,
            target: '#order.expired',
          },
        },
      },
    },
  }
  return createMachine({
    id: 'order',
    initial: 'open',
    context: { closing: false },
    states: {
      open: {
        type: 'parallel',
        states: { [first]: regions[first], [second]: regions[second] },
        on: { CLOSE: { actions: assign({ closing: true }) } },
      },
      paid: {},
      expired: {},
    },
  })
}

describe('X1: which parallel region is asked first', () => {
  const machine = order('pay', 'watch')
  const events = [{ type: 'TICK' }, { type: 'PAY' }, { type: 'CLOSE' }]

  test('X1: depends on the order of entry in a kept snapshot, on the saved value in a restored one, and never for us', () => {
    const kept = new NaiveEntity(machine)
    const saved = new NaiveEntity(machine)
    for (const event of events) {
      kept.send(event)
      saved.restart().send(event)
    }
    expect([kept.snapshot.value, saved.snapshot.value]).toEqual(['expired', 'paid'])
    const ours = new OneEntity(machine)
    ours.create()
    expect(ours.sends(...events).at(-1)).toBe('paid')
    const otherwise = new OneEntity(machine)
    otherwise.create()
    expect(otherwise.sends({ type: 'PAY' }, { type: 'TICK' }, { type: 'CLOSE' }).at(-1)).toBe('paid')
  })

  test('X1: a region without states inside has its turn in document order too', () => {
    const ready = { guard: ({ context }: { context: { ready: boolean } }) => context.ready }
    const plain = createMachine({
      id: 'm',
      initial: 'both',
      context: { ready: false },
      states: {
        both: {
          type: 'parallel',
          on: { GO: { actions: assign({ ready: true }) } },
          states: {
            first: { initial: 'x', states: { x: { always: { ...ready, target: '#m.one' } } } },
            second: { always: { ...ready, target: '#m.two' } },
          },
        },
        one: {},
        two: {},
      },
    } as never)
    expect(new NaiveEntity(plain).restart().send({ type: 'GO' }).snapshot.value).toBe('two')
    const ours = new OneEntity(plain)
    ours.create()
    expect(ours.sends({ type: 'GO' })).toEqual(['one'])
  })

  test('X2: another region wins when the keys of the saved value were sorted; ours are put in document order again', () => {
    const reversed = order('watch', 'pay')
    const saved = new NaiveEntity(reversed)
    const sorted = new NaiveEntity(reversed)
    for (const event of events) {
      saved.restart().send(event)
      sorted.restart((snapshot) => keySorted(snapshot) as Record<string, unknown>).send(event)
    }
    expect([saved.snapshot.value, sorted.snapshot.value]).toEqual(['expired', 'paid'])
    const chart = new Chart(reversed, { actions: new Set() })
    const ours = new OneEntity(reversed)
    ours.create()
    ours.sends({ type: 'TICK' }, { type: 'PAY' })
    const { row } = ours
    expect(Object.keys(row.value as object)).toEqual(['open'])
    const event = { type: 'CLOSE' }
    expect(nextStep(chart, row, event, PLACE).part.value).toBe('expired')
    const shuffled = keySorted(row) as typeof row
    expect(Object.keys((shuffled.value as { open: object }).open)).toEqual(['pay', 'watch'])
    expect(nextStep(chart, shuffled, event, PLACE).part.value).toBe('expired')
  })
})

describe('X3: a snapshot that is done', () => {
  const machine = createMachine({
    id: 'job',
    initial: 'running',
    context: { resets: 0 },
    on: { RESET: { target: '.running', actions: assign({ resets: ({ context }) => context.resets + 1 }) } },
    states: { running: { on: { END: 'over' } }, over: { type: 'final' } },
    output: { good: true },
  })

  test('X3: moves on in the pure functions; ours refuses the event, and says that the entity has ended', () => {
    const naive = new NaiveEntity(machine).send({ type: 'END' })
    expect(naive.snapshot).toMatchObject({ status: 'done', output: { good: true } })
    naive.send({ type: 'RESET' })
    expect(naive.snapshot).toMatchObject({ value: 'running', context: { resets: 1 } })
    const ours = new OneEntity(machine)
    ours.create()
    expect(ours.sends({ type: 'END' })).toEqual(['over'])
    expect(ours.send({ type: 'RESET' })).toEqual({
      kind: 'rejected',
      code: 'INVALID_STATE_TRANSITION',
      details: { entity: 'e', from: 'done', event: 'RESET', allowed: [], reason: 'ended' },
    })
    expect(ours.view).toMatchObject({ status: 'done', value: 'over', context: { resets: 0 }, output: { good: true } })
  })
})

describe('X10: a snapshot under a chart that has changed', () => {
  const states = { a: { on: { NEXT: 'b' } }, b: {} }
  const older = createMachine({ id: 'm', initial: 'a', states })
  const changed = createMachine({
    id: 'm',
    initial: 'a',
    context: { entered: false },
    states: {
      a: { initial: 'x', on: { NEXT: 'b' }, states: { x: { entry: assign({ entered: true }) }, y: {} } },
      b: {},
    },
  })
  const without = createMachine({ id: 'm', initial: 'b', states: { b: {} } })

  test('X10: enters new inner states without their actions, or has no value at all; ours throws where it is restored', () => {
    const saved = JSON.parse(JSON.stringify(new NaiveEntity(older).snapshot)) as Record<string, unknown>
    const naive = new NaiveEntity(older).restore({ ...saved, context: { entered: false } }, changed)
    expect(naive.snapshot).toMatchObject({ value: { a: 'x' }, context: { entered: false } })
    expect(new NaiveEntity(older).restore(saved, without).snapshot).toMatchObject({ status: 'error' })
    expect(new NaiveEntity(older).restore(saved, without).snapshot.value).toBeUndefined()
    const ours = new OneEntity(older)
    ours.create()
    const event = { type: 'NEXT' }
    const step = (machine: AnyStateMachine) => {
      return () => nextStep(new Chart(machine, { actions: new Set() }), ours.row, event, PLACE)
    }
    expect(step(changed)).toThrow('is in a state that the chart has changed')
    expect(step(without)).toThrow('the chart has no state m.a')
    expect(step(older)().part.value).toBe('b')
  })
})
