import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, test } from 'vitest'
import { placed } from '../../../src/cli/diagrams/layout.ts'
import { svg } from '../../../src/cli/diagrams/svg.ts'
import { activeStates, ascii, dot, eventsFrom, mermaid, nestedState, transitions } from '../../../src/machine/index.ts'
import { chartGraphs } from '../../../src/machine/xstate/chart/chart-graph.ts'
import { fromXState } from '../../../src/machine/xstate/index.ts'
import { order } from './order-chart.ts'

const graphs = chartGraphs('orders', order)
const graph = graphs['orders'] ?? expect.fail('a chart has a graph')
const golden = (ending: string): string => readFileSync(join(import.meta.dirname, `order-chart.${ending}`), 'utf8')

describe('a chart is drawn with all that it has', () => {
  test.each([
    ['mmd', mermaid],
    ['dot', dot],
    ['txt', ascii],
    ['svg', svg],
  ] as const)('as the committed file that ends in %s', (ending, write) => {
    expect(write(graph)).toBe(golden(ending))
  })

  test('a machine made of it has its graph, and those of the charts that it invokes, outside of its identity', () => {
    const { schema } = fromXState(order, { name: 'orders', version: 1 })
    expect(Object.keys((schema as { graphs?: object }).graphs ?? {})).toEqual(['orders', 'check'])
    expect(ascii(graphs['check'] ?? graph)).toBe('* check\n  * run\n      after 50 ms--> over\n    over (end)\n')
  })

  test('every state lies in the frame of its parent, and frames of neighbours lie apart', () => {
    const { states, frames } = placed(graph)
    const framed = graph.states.filter((state) => ['compound', 'parallel'].includes(nestedState(graph, state).kind))
    const sides = ({ x, y, width, height }: (typeof frames)[number]) => {
      return { left: x - width / 2, right: x + width / 2, top: y - height / 2, bottom: y + height / 2 }
    }
    const frameOf = new Map(framed.map((state, at) => [state, sides(frames[at] ?? expect.fail(state))]))
    for (const place of states) {
      if (place.name === null) continue
      const inner = frameOf.get(place.name) ?? sides(place)
      const { parent } = nestedState(graph, place.name)
      for (const [state, frame] of frameOf) {
        const within = inner.left >= frame.left && inner.right <= frame.right && inner.top >= frame.top
        if (state === parent) expect([place.name, within && inner.bottom <= frame.bottom]).toEqual([place.name, true])
        if (nestedState(graph, state).parent !== parent || state === place.name) continue
        const across = inner.right <= frame.left || inner.left >= frame.right
        expect([place.name, across || inner.bottom <= frame.top || inner.top >= frame.bottom]).toEqual([
          place.name,
          true,
        ])
      }
    }
  })
})

describe('a live state', () => {
  test('of a chart is every state that its value is in, and the events that lead on', () => {
    const packing = { packing: { parcel: 'end', invoice: 'run' } }
    expect(activeStates(graph, packing).map((state) => state.replace('order.', ''))).toEqual([
      'order',
      'packing',
      'packing.parcel',
      'packing.parcel.end',
      'packing.invoice',
      'packing.invoice.run',
    ])
    expect(eventsFrom(graph, packing)).toEqual(['CANCEL', 'NOTE', 'PRINTED'])
    // Of timers, results and what is taken at once no client sends anything.
    expect(eventsFrom(graph, { open: 'paying' })).toEqual(['CANCEL', 'NOTE', 'RESTART', 'HOLD'])
    expect(activeStates(graph, 'toString')).toEqual(['order'])
  })
  test('of a table is the one, and its events', () => {
    const table = transitions({ draft: { publish: 'published' }, published: { retract: 'draft' } })
    expect([activeStates(table, 'draft'), eventsFrom(table, 'published')]).toEqual([['draft'], ['retract']])
    expect(activeStates(table, 'gone')).toEqual([])
  })
})

test('words that mermaid keeps for itself get an alias, and a label cannot end a line', () => {
  const table = transitions({ note: { 'a; b :: c #1': 'Class' }, Class: { go: 'accTitle' }, accTitle: {} })
  expect(mermaid(table)).toBe(`stateDiagram-v2
  state "note" as state_0
  state "Class" as state_1
  state "accTitle" as state_2
  [*] --> state_0
  state_0 --> state_1 : a#59; b #58;#58; c #35;1
  state_1 --> state_2 : go
  state_2 --> [*]
`)
})
