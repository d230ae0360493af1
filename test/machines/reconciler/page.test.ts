import { readFileSync } from 'node:fs'
import { describe, expect, test } from 'vitest'
import { mermaid } from '../../../src/machine/graph/mermaid.ts'
import { EMPATHY_TRANSITIONS, reconciler } from '../../../src/machines/index.ts'

const page = readFileSync(new URL('../../../docs/machines/reconciler.md', import.meta.url), 'utf8')

describe('domain.md §0.11 the page of the machine reconciler', () => {
  test('its diagram is what `holdfast machine diagram reconciler` prints', () => {
    expect(page).toContain(mermaid(EMPATHY_TRANSITIONS))
  })

  test('it names every state, command, query, table, task, timer, event and code', () => {
    const { commands, queries, schema } = reconciler
    const groups = [commands, queries, schema.state, schema.tasks, schema.timers, schema.errors, schema.events]
    for (const name of groups.flatMap((group) => Object.keys(group))) {
      expect(page, name).toMatch(new RegExp(`\`${name.replace('.', '\\.')}[\` ]`))
    }
    for (const state of EMPATHY_TRANSITIONS.states) expect(page).toMatch(new RegExp(`^\\| ${state} \\|`, 'm'))
  })
})
