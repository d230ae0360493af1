import { assign, createMachine, setup } from 'xstate'
import { getShortestPaths } from 'xstate/graph'
import { describe, expect, test } from 'vitest'
import type { Value } from '../../../src/machine/index.ts'
import { chartPaths } from '../../../src/machine/xstate/index.ts'
import { CLASSICS } from '../../../src/sim/charts/classics.ts'
import { OneEntity } from './one-entity.ts'
import { WORKFLOWS } from '../../../src/sim/charts/workflows.ts'

describe('X22: generated paths', () => {
  const machine = setup({
    types: { events: {} as { type: 'GO' } | { type: 'pay.card'; cents: number } | { type: 'pay.cash'; cents: number } },
    guards: { enough: ({ event }) => 'cents' in event && event.cents >= 100 },
  }).createMachine({
    id: 'm',
    initial: 'open',
    context: { sum: 0 },
    states: {
      open: { on: { 'pay.*': { guard: 'enough', target: 'check' } }, after: { 600: 'late' } },
      check: { entry: assign({ sum: 1 }), always: 'paid' },
      paid: { on: { '*': 'open' } },
      late: {},
    },
  })
  const samples = [
    { type: 'pay.card', cents: 50 },
    { type: 'pay.cash', cents: 100 },
  ]

  test('X22: walk timers and wildcards by their letters, and no always; ours are events that clients send, and end where they say', () => {
    const naive = getShortestPaths(machine).flatMap(({ steps }) => steps.map(({ event }) => event))
    expect(new Set(naive.map(({ type }) => type))).toEqual(new Set(['xstate.init', 'xstate.after.600.m.open']))
    const { paths, always } = chartPaths(machine, { samples })
    expect(paths.map(({ events, value }) => [events.map(({ type }) => type), value])).toEqual([
      [[], 'open'],
      [['pay.cash'], 'paid'],
      [['pay.cash', 'pay.card'], 'open'],
      [['pay.cash', 'pay.cash'], 'open'],
    ])
    expect(always).toEqual([{ from: 'm.check', targets: ['m.paid'] }])
    for (const path of paths) {
      const ours = new OneEntity(machine)
      ours.create()
      ours.sends(...path.events)
      expect(ours.view.value).toEqual(path.value)
    }
  })

  test('X22: a wildcard without a sample gets a made one', () => {
    const wild = createMachine({ id: 'm', initial: 'a', states: { a: { on: { 'x.*': 'b', '*': 'c' } }, b: {}, c: {} } })
    const some = createMachine({ id: 'm', initial: 'a', states: { a: { on: { 'x.*': 'b' } }, b: {} } })
    const naive = getShortestPaths(some).flatMap(({ steps }) => steps.map(({ event }) => event.type))
    expect(naive).toContain('x.*')
    expect(() => getShortestPaths(wild)).toThrow('wildcard type')
    expect(
      chartPaths(wild)
        .paths.slice(1)
        .map(({ events, value }) => [events[0]?.type, value]),
    ).toEqual([
      ['x.sample', 'b'],
      ['sample', 'c'],
    ])
  })

  // Children answer at once under the adapter, and not at all in the pure functions.
  const alone = [...CLASSICS, ...WORKFLOWS].filter(({ machine: { implementations } }) =>
    Object.values(implementations.actors).every(
      (logic) => !(typeof logic === 'object' && logic !== null && 'root' in logic),
    ),
  )

  test.each(alone)('X22: of $name lead where they say', ({ machine: chart, events, input }) => {
    const given = (input ?? null) as Value
    const { paths } = chartPaths(chart, { samples: events, input: given })
    for (const path of paths) {
      const ours = new OneEntity(chart)
      ours.create(given)
      ours.sends(...path.events)
      expect(ours.view.value).toEqual(path.value)
    }
  })
})
