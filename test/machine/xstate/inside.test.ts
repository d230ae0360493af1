import { assign, fromPromise, setup } from 'xstate'
import { describe, expect, test } from 'vitest'
import { z } from 'zod'
import { command, type Context, defineMachine, query, table } from '../../../src/machine/index.ts'
import { chartEntities } from '../../../src/machine/xstate/index.ts'
import { machineHarness } from '../../../src/testing/index.ts'

const door = setup({
  types: {
    context: {} as { openedAt: number | null; name: string | null },
    input: {} as { now: number },
    events: {} as { type: 'OPEN'; now: number } | { type: 'SHUT'; now: number } | { type: 'ASK'; now: number },
  },
  actors: { nameOf: fromPromise(async ({ input }: { input: { at: number } }) => `guest of ${input.at}`) },
}).createMachine({
  id: 'door',
  initial: 'shut',
  context: { openedAt: null, name: null },
  states: {
    shut: { on: { OPEN: { target: 'open', actions: assign({ openedAt: ({ event }) => event.now }) } } },
    open: { on: { SHUT: 'shut', ASK: 'asking' }, after: { 1000: 'shut' } },
    asking: {
      invoke: {
        src: 'nameOf',
        input: ({ context }) => ({ at: context.openedAt ?? 0 }),
        onDone: { target: 'shut', actions: assign({ name: ({ event }) => event.output }) },
        onError: 'shut',
      },
    },
  },
})

const charts = chartEntities(door, { timeField: 'now', work: { nameOf: { role: 'porter', maxAttempts: 1 } } })

const schema = {
  version: 1,
  ...charts.schema,
  state: { ...charts.schema.state, openings: table(z.string(), z.int()), shutBy: table(z.string(), z.string()) },
  errors: { NOT_NOW: z.object({ allowed: z.array(z.string()) }) },
} as const
type Ctx = Context<typeof schema>

/** A machine of one's own: how often each door was opened, and what shut it. */
const doors = defineMachine('doors', schema, {
  commands: {
    open: command({ input: z.string(), output: z.int() }, (ctx: Ctx, id) => {
      const doorsNow = charts.in(ctx)
      if (doorsNow.row(id) === undefined) doorsNow.create(id, null)
      const row = doorsNow.row(id)
      const invalid = row === undefined ? null : doorsNow.invalid(id, row, { type: 'OPEN' })
      if (invalid !== null) return ctx.reject('NOT_NOW', { allowed: invalid['allowed'] as string[] })
      doorsNow.deliver(id, { type: 'OPEN' })
      const openings = (ctx.state.openings.get(id) ?? 0) + 1
      ctx.state.openings.set(id, openings)
      return openings
    }),
    ask: command({ input: z.string(), output: z.null() }, (ctx: Ctx, id) => {
      charts.in(ctx).deliver(id, { type: 'ASK' })
      return null
    }),
    build: command({ input: z.string(), output: z.null() }, (ctx: Ctx, id) => {
      charts.in(ctx).create(id, null)
      return null
    }),
    remove: command({ input: z.string(), output: z.null() }, (ctx: Ctx, id) => {
      charts.in(ctx).remove(id)
      return null
    }),
  },
  queries: {
    state: query({ input: z.string(), output: z.unknown() }, ({ entities }, id) => entities.get(id)?.value ?? null),
  },
  ...charts.behaviour,
  timers: {
    delayed: (ctx, payload) => {
      charts.in(ctx).onTimer(payload)
      ctx.state.shutBy.set(payload.id, 'time')
    },
  },
})

function world() {
  const harness = machineHarness([doors])
  const session = harness.session('user:a')
  const porter = harness.session('worker:p', { roles: ['porter'] })
  const run = (name: 'open' | 'ask' | 'build' | 'remove', id = 'd-1') => session.execute('doors', name, id)
  const state = (id = 'd-1') => {
    const found = session.query('doors', 'state', id)
    return found.kind === 'ok' ? found.value : found.code
  }
  return { harness, porter, run, state }
}

describe('a chart inside a machine of one’s own', () => {
  test('commands step it beside rows of their own, and refuse what the state does not take', () => {
    const { harness, run, state } = world()
    expect(run('open')).toMatchObject({ kind: 'ok', value: 1 })
    expect(state()).toBe('open')
    expect(run('open')).toMatchObject({ kind: 'rejected', code: 'NOT_NOW', details: { allowed: ['SHUT', 'ASK'] } })
    expect(harness.table('doors', 'openings')).toEqual([['d-1', 1]])
  })

  test('its delays are durable timers, whose handler the machine may wrap', () => {
    const { harness, run, state } = world()
    run('open')
    harness.advance('1s')
    expect(state()).toBe('shut')
    expect(harness.table('doors', 'shutBy')).toEqual([['d-1', 'time']])
    expect(run('open')).toMatchObject({ value: 2 })
  })

  test('its promises are tasks, and time comes with the event', () => {
    const { harness, porter, run, state } = world()
    run('open')
    run('ask')
    const [task] = harness.tasks
    expect(task).toMatchObject({ kind: 'nameOf', payload: { entity: 'd-1', input: { at: expect.any(Number) } } })
    if (task !== undefined) porter.complete(task, 'Ada')
    expect(state()).toBe('shut')
    expect(harness.table('doors', 'entities')).toMatchObject([['d-1', { context: { name: 'Ada' } }]])
  })

  test.each([
    ['that is there already', 'd-1', 'there is an entity d-1 already'],
    ['that is a child’s', 'd-1/nameOf', 'is no id of an entity'],
    ['that is empty', '', 'is no id of an entity'],
  ])('an id %s makes no entity, and what is there stays as it is', (_which, id, hint) => {
    const { harness, run } = world()
    run('open')
    run('ask')
    const before = harness.table('doors', 'entities')
    expect(() => run('build', id)).toThrow(hint)
    expect(harness.table('doors', 'entities')).toEqual(before)
    expect(harness.tasks).toHaveLength(1)
  })

  test('one that is removed leaves no row, timer or task', () => {
    const { harness, run, state } = world()
    run('open')
    run('ask')
    run('remove')
    expect(state()).toBeNull()
    expect(harness.tasks).toEqual([])
    expect(harness.table('doors', 'entities')).toEqual([])
  })
})
