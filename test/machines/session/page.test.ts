import { readFileSync } from 'node:fs'
import { describe, expect, test } from 'vitest'
import { mermaid } from '../../../src/machine/graph/mermaid.ts'
import { ABANDON_CAUSES, DIALOGUE_TRANSITIONS, session } from '../../../src/machines/index.ts'

const page = readFileSync(new URL('../../../docs/machines/session.md', import.meta.url), 'utf8')

describe('domain.md §0.11 the page of the machine session', () => {
  test('its diagram is what `holdfast machine diagram session` prints', () => {
    expect(page).toContain(mermaid(DIALOGUE_TRANSITIONS))
  })

  test('its table names every state with its targets', () => {
    for (const state of DIALOGUE_TRANSITIONS.states) {
      const row = page.split('\n').find((line) => line.startsWith(`| \`${state}\` |`))
      const targets = new Set(DIALOGUE_TRANSITIONS.edges().flatMap(({ from, to }) => (from === state ? [to] : [])))
      expect(row, state).toMatch(new RegExp(`\\| ${targets.size === 0 ? '–' : [...targets].join(', ')} \\|$`))
    }
  })

  test('it names every command, query, table, task, timer, cause and code', () => {
    const { commands, queries, schema } = session
    const groups = [commands, queries, schema.state, schema.tasks, schema.errors, schema.events]
    for (const name of [...groups.flatMap((group) => Object.keys(group)), ...ABANDON_CAUSES]) {
      expect(page, name).toMatch(new RegExp(`\`${name.replace('.', '\\.')}[\` ]`))
    }
    for (const timer of Object.keys(schema.timers)) expect(page).toContain(`| ${timer} |`)
  })
})
