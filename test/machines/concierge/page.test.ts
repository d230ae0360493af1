import { readFileSync } from 'node:fs'
import { describe, expect, test } from 'vitest'
import { mermaid } from '../../../src/machine/graph/mermaid.ts'
import { concierge, conciergeChart } from '../../../src/machines/index.ts'

const page = readFileSync(new URL('../../../docs/machines/concierge.md', import.meta.url), 'utf8')

describe('domain.md §0.11 the page of the machine concierge', () => {
  test('its diagrams are what `holdfast machine diagram concierge` prints, of the chart and of a registration', () => {
    const graphs = Object.entries(concierge.schema.graphs)
    expect(graphs.map(([name]) => name)).toEqual(['concierge', 'registration'])
    for (const [name, graph] of graphs) expect(page, name).toContain(mermaid(graph))
  })

  test('it names every state, command, query, table, task, timer, notification and code', () => {
    const { commands, queries, schema } = concierge
    const groups = [commands, queries, schema.state, schema.tasks, schema.timers, schema.errors]
    for (const name of groups.flatMap((group) => Object.keys(group))) {
      expect(page, name).toMatch(new RegExp(`\`${name.replaceAll('.', '\\.')}[\` ]`))
    }
    for (const topic of ['reply', 'agent_changed', 'session_ended'])
      expect(page).toContain(`| \`concierge.${topic}\` |`)
  })

  test('its table of states and events is that of the chart', () => {
    const { states } = conciergeChart.config
    for (const [state, node] of Object.entries(states ?? {})) {
      if (state === 'routing') continue
      const on = (node as { readonly on?: { readonly [event: string]: unknown } }).on ?? {}
      const targets = Object.values(on).map((to) =>
        typeof to === 'string' ? to : ((to as { readonly target?: string }).target ?? state),
      )
      const boundary = (node as { readonly after?: { readonly boundary?: string } }).after?.boundary ?? state
      expect(page).toContain(`| ${[state, ...targets, boundary].join(' | ')} |`)
    }
  })
})
