import { readFileSync } from 'node:fs'
import { describe, expect, test } from 'vitest'
import { mermaid } from '../../../src/machine/graph/mermaid.ts'
import { GATE_KEYS, gates, PHASE_TRANSITIONS, STAGE_TRANSITIONS } from '../../../src/machines/index.ts'

const read = (path: string): string => readFileSync(new URL(`../../../docs/${path}`, import.meta.url), 'utf8')
const page = read('machines/gates.md')

describe('domain.md §0.11 the page of the machine gates', () => {
  test('its diagrams are what `holdfast machine diagram gates` prints', () => {
    expect(page).toContain(mermaid(STAGE_TRANSITIONS))
    expect(page).toContain(mermaid(PHASE_TRANSITIONS))
  })

  test('it names every command, query, table, task, event, phase and code', () => {
    const { commands, queries, schema } = gates
    const groups = [
      commands,
      queries,
      schema.state,
      schema.tasks,
      schema.errors,
      schema.events,
      PHASE_TRANSITIONS.table,
    ]
    for (const name of groups.flatMap((group) => Object.keys(group))) {
      if (name !== 'SESSION_NOT_ACTIVE') expect(page, name).toMatch(new RegExp(`\`${name.replace('.', '\\.')}[\` ]`))
    }
  })

  test('the design has a row for every key of every stage', () => {
    const design = read('design/domain.md')
    for (const [stage, keys] of Object.entries(GATE_KEYS)) {
      for (const key of keys) expect(design).toContain(`| ${stage} | \`${key}\` |`)
    }
  })
})
