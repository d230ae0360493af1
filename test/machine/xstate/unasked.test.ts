import {
  type AnyStateMachine,
  assign,
  createMachine,
  emit,
  fromCallback,
  fromPromise,
  sendParent,
  sendTo,
  setup,
} from 'xstate'
import { describe, expect, test } from 'vitest'
import { plainValue } from '../../../src/machine/xstate/chart/plain-value.ts'
import { OneEntity } from './one-entity.ts'

/** Nothing of the entity waits any more, and the node has nothing to report. */
function endedWith(ours: OneEntity, message: RegExp | string): void {
  const { status, error } = ours.view
  expect({ status, error }).toMatchObject({ status: 'error', error: { message: expect.stringMatching(message) } })
  expect([ours.harness.timers, ours.harness.tasks, ours.harness.failures]).toEqual([[], [], []])
}

/** Where an event changes the context to something, the timer's does so too. */
const storing = (value: () => unknown): AnyStateMachine => {
  const keep = assign({ kept: value }) as never
  return createMachine({
    id: 'm',
    initial: 'a',
    context: { kept: null },
    states: {
      a: { after: { 100: { target: 'b', actions: keep } }, on: { NOW: { target: 'b', actions: keep } } },
      b: {},
    },
  })
}

const looped = (): unknown => {
  const node: { self?: unknown } = {}
  node.self = node
  return node
}
const nested = (depth: number): unknown => (depth === 0 ? 'end' : [nested(depth - 1)])
/** Two to the power of thirty parts, met one by one. */
const shared = (): unknown => {
  let list: unknown[] = ['end']
  for (let level = 0; level < 27; level += 1) list = [list, list]
  return list
}
const hidden = (): unknown => Object.defineProperty({}, 'price', { get: () => 1, enumerable: true })

describe('a context that no machine may set', () => {
  const kinds: readonly [string, () => unknown, RegExp][] = [
    ['that contains itself', looped, /^context\.kept\.self.*contains itself/],
    ['that is nested too deep', () => nested(40), /^context\.kept\[0\].*nested more than/],
    ['with a getter', hidden, /^context\.kept\.price.*getter/],
    ['with -0', () => -0, /^context\.kept: -0/],
    ['with half a character', () => ({ text: '\ud800' }), /^context\.kept\.text.*surrogate/],
    ['with a number that is no number', () => [1, Number.NaN], /^context\.kept\[1\]/],
    ['with a Date', () => new Date(0), /^context\.kept: a Date/],
    ['without a prototype', () => Object.create(null), /^context\.kept.*prototype/],
  ]

  test.each(kinds)('%s is refused at an event, and at a timer the entity ends with the path', (_, value, message) => {
    const asked = new OneEntity(storing(value))
    asked.create()
    expect(asked.send({ type: 'NOW' })).toMatchObject({ code: 'MACHINE_ERROR' })
    expect(asked.view).toMatchObject({ value: 'a', status: 'active', context: { kept: null } })
    const ours = new OneEntity(storing(value))
    ours.create()
    ours.harness.advance(100)
    endedWith(ours, message)
  })

  test('with one part many times is refused before it is read as often', () => {
    expect(() => plainValue(shared(), 'context')).toThrow(/too many nodes/)
  })

  test('is at most so deep that a row, a task and a timer can hold it', () => {
    const machine = setup({
      types: { context: {} as { kept: unknown } },
      actors: { work: fromPromise(async ({ input: _ }: { input: unknown }) => 1) },
    }).createMachine({
      id: 'm',
      initial: 'a',
      context: { kept: nested(28) },
      states: {
        a: {
          invoke: { src: 'work', input: { kept: nested(28) } },
          entry: [
            emit({ type: 'told', kept: nested(28) } as never),
            sendTo(({ self }) => self, { type: 'LATER', kept: nested(28) } as never, { delay: 100 }),
          ],
        },
      },
    })
    const ours = new OneEntity(machine)
    expect(ours.create(null, true)).toMatchObject({ kind: 'ok' })
  })
})

describe('what throws outside a step of the chart, at a timer or a result', () => {
  test('an entity whose context no row can hold ends, and does not wait for ever', () => {
    const ours = new OneEntity(storing(() => Array.from({ length: 17 }, () => 'x'.repeat(1_048_576))))
    ours.create()
    ours.harness.advance(100)
    endedWith(ours, /larger than/)
  })

  test('what is emitted and too large for a request', () => {
    const told = emit(() => ({ type: 'told', text: 'x'.repeat(1_048_577) })) as never
    const ours = new OneEntity(
      createMachine({
        id: 'm',
        initial: 'a',
        states: { a: { after: { 100: { target: 'b', actions: told } } }, b: {} },
      }),
    )
    ours.create(null, true)
    ours.harness.advance(100)
    endedWith(ours, /larger than/)
  })

  test('a delay beyond all time', () => {
    const machine = setup({ delays: { never: () => 1e300 } }).createMachine({
      id: 'm',
      initial: 'a',
      states: { a: { after: { 100: 'b' } }, b: { after: { never: 'a' } } },
    })
    const ours = new OneEntity(machine)
    ours.create()
    ours.harness.advance(100)
    endedWith(ours, /delay/)
  })

  test('an event to a callback, which hears none', () => {
    const machine = setup({ actors: { listen: fromCallback(() => {}) } }).createMachine({
      id: 'm',
      initial: 'a',
      invoke: { src: 'listen', id: 'listen' },
      states: { a: { after: { 100: { target: 'b', actions: sendTo('listen', { type: 'HEAR' }) } } }, b: {} },
    })
    const ours = new OneEntity(machine)
    ours.create()
    ours.harness.advance(100)
    endedWith(ours, /a worker hears no events/)
  })

  test('two actors of one id', () => {
    const machine = setup({ actors: { work: fromPromise(async () => 1) } }).createMachine({
      id: 'm',
      initial: 'a',
      invoke: { src: 'work', id: 'one' },
      states: { a: { after: { 100: 'b' } }, b: { invoke: { src: 'work', id: 'one' } } },
    })
    const ours = new OneEntity(machine)
    ours.create()
    ours.harness.advance(100)
    endedWith(ours, /is there already/)
  })

  test('a ring of entities that write to each other', () => {
    const echo = setup({}).createMachine({
      id: 'echo',
      initial: 'a',
      states: { a: { on: { PING: { actions: sendParent({ type: 'PONG' }) } } } },
    })
    const machine = setup({ actors: { echo } }).createMachine({
      id: 'm',
      initial: 'a',
      invoke: { src: 'echo', id: 'echo' },
      states: {
        a: { after: { 100: 'b' } },
        b: {
          entry: sendTo('echo', { type: 'PING' }),
          on: { PONG: { actions: sendTo('echo', { type: 'PING' }) } },
        },
      },
    })
    const ours = new OneEntity(machine)
    ours.create()
    ours.harness.advance(100)
    endedWith(ours, /more than 1000 steps/)
    expect(ours.harness.table('chart', 'entities').map(([id]) => id)).toEqual(['e'])
  })

  test('a chart that invokes itself without end', () => {
    const setups = setup({ actors: {} as { self: AnyStateMachine } })
    const machine: AnyStateMachine = setups.createMachine({
      id: 'm',
      initial: 'a',
      states: { a: { after: { 100: 'b' } }, b: { invoke: { src: 'self', id: 'self' } } },
    })
    const deep: AnyStateMachine = setup({ actors: {} as { self: AnyStateMachine } }).createMachine({
      id: 'deep',
      initial: 'b',
      states: { b: { invoke: { src: 'self', id: 'self' } } },
    })
    deep.implementations.actors.self = deep
    machine.implementations.actors.self = deep
    const ours = new OneEntity(machine)
    ours.create()
    ours.harness.advance(100)
    expect(ours.view).toMatchObject({ status: 'error' })
    expect(ours.harness.failures).toEqual([])
  })

  test('a result that leads there', () => {
    const machine = setup({ actors: { work: fromPromise(async () => 1) } }).createMachine({
      id: 'm',
      initial: 'a',
      context: { kept: null as unknown },
      invoke: { src: 'work', id: 'one', onDone: '.b', onError: '.b' },
      states: { a: {}, b: { entry: assign({ kept: looped }) } },
    })
    for (const end of ['complete', 'fail'] as const) {
      const ours = new OneEntity(machine, { work: { work: { maxAttempts: 1 } } })
      ours.create()
      const [task] = ours.harness.tasks
      if (task === undefined) throw new Error('no task')
      ours.worker[end](task, 'ended')
      endedWith(ours, /contains itself/)
    }
  })
})
