import { readFileSync } from 'node:fs'
import { describe, expect, test } from 'vitest'
import { mermaid } from '../../../src/machine/graph/mermaid.ts'
import { stateGraph } from '../../../src/machine/graph/state-graph.ts'
import { payments } from '../../../src/machines/payments/machine.ts'
import {
  PAYMENT_TRANSITIONS,
  SESSION_TRANSITIONS,
  VIDEO_TRANSITIONS,
} from '../../../src/machines/payments/facts/states.ts'
import { legalTriples } from '../../../src/machines/payments/rules/sync.ts'

const page = readFileSync(new URL('../../../docs/machines/payments.md', import.meta.url), 'utf8')

describe('domain.md §0.11 the page of the machine', () => {
  test('domain.md §0.11 its diagrams are those of the tables', () => {
    expect(page).toContain(mermaid(stateGraph(PAYMENT_TRANSITIONS)))
    expect(page).toContain(mermaid(stateGraph(SESSION_TRANSITIONS)))
    expect(page).toContain(mermaid(stateGraph(VIDEO_TRANSITIONS)))
  })

  test('domain.md §0.11 its tables name every state with its targets', () => {
    for (const table of [PAYMENT_TRANSITIONS, SESSION_TRANSITIONS, VIDEO_TRANSITIONS]) {
      for (const [state, targets] of Object.entries(table)) {
        const rows = page
          .split('\n')
          .filter((line) => line.startsWith('|') && line.split('|')[1]?.includes(`\`${state}\``))
        const text = `| ${targets.length === 0 ? '–' : targets.join(', ')} |`
        expect(
          rows.some((row) => row.endsWith(text)),
          `${state} ${text}`,
        ).toBe(true)
      }
    }
  })

  test('domain.md §0.11 its list of triples holds the reachable ones, and three legal ones are left out', () => {
    const listed = page.split('\n').flatMap((line) => {
      const [, session = '', pairs = ''] = line.split('|').map((cell) => cell.trim())
      return pairs.includes(' / ') && !session.includes(' ') && session in SESSION_TRANSITIONS
        ? pairs.split(' · ').map((pair) => pair.replace(' / ', `/${session}/`))
        : []
    })
    const legal = legalTriples('amended').map(({ payment, session, video }) => `${payment}/${session}/${video}`)
    expect(listed).toHaveLength(20)
    expect(legal.filter((triple) => !listed.includes(triple))).toHaveLength(3)
    expect(listed.every((triple) => legal.includes(triple))).toBe(true)
  })

  test('domain.md §0.11 it names every command, table and task', () => {
    const names = [payments.commands, payments.schema.state, payments.schema.tasks].flatMap((group) =>
      Object.keys(group),
    )
    for (const name of names) expect(page, name).toMatch(new RegExp(`\`${name.replace('.', '\\.')}[\` ]`))
  })
})
