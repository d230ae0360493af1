import { describe, expect, test } from 'vitest'
import { gates, reconciler, session } from '../../src/machines/index.ts'
import { testNamesIn } from '../tidy/requirements.ts'
import { read, sourcesBelow } from '../tidy/tree.ts'

/**
 * Every row of every table of domain.md §1, §2 and §4 has a test that is named after it. Rows are read from the pages and from
 * the machines, so one that is added without a test is told here.
 */

/** The names of the tests of a folder, with the data from which names of `test.each` are made. */
function namesBelow(folder: string): string {
  const sources = [...sourcesBelow('test')].filter(
    ([path]) => path.startsWith(`${folder}/`) && path.endsWith('.test.ts'),
  )
  const names = sources.flatMap(([, source]) => [...testNamesIn(source), ...dataOfNames(source)]).join('\n')
  return `${names}\n${spansIn(names).join('\n')}`
}

/** `PL1 to PL6` names each of them. */
const spansIn = (names: string): readonly string[] =>
  [...names.matchAll(/\b(\D{1,3})(\d+) to \1(\d+)\b/g)].flatMap(([, kind = '', from, to]) =>
    Array.from({ length: Number(to) - Number(from) + 1 }, (_, at) => `${kind}${Number(from) + at}`),
  )

/** What stands in the parentheses of `.each(…)`, and the declarations of this file that it names, and those that they name. */
function dataOfNames(source: string): readonly string[] {
  return [...source.matchAll(/(?:test|describe)\.each(?:<[^(]*>)?\(/g)].map((found) => {
    let text = insideParentheses(source, found.index + found[0].length)
    for (let depth = 0; depth < 2; depth += 1) text += declarationsIn(source, text)
    return text
  })
}

function insideParentheses(source: string, start: number): string {
  let depth = 1
  let end = start
  for (; depth > 0 && end < source.length; end += 1) depth += source[end] === '(' ? 1 : source[end] === ')' ? -1 : 0
  return source.slice(start, end)
}

function declarationsIn(source: string, text: string): string {
  const declared = [...source.matchAll(/^ *const (\w+)\b[\s\S]*?(?=\n\n)/gm)]
  return declared.flatMap(([body, name]) => (new RegExp(`\\b${name}\\b`).test(text) ? [`\n${body}`] : [])).join('')
}

/** A word that stands alone. */
const isNamed = (names: string, row: string): boolean =>
  new RegExp(`(?<![\\w.-])${row.replace(/[.]/g, '\\$&')}(?![\\w-]|\\.\\w)`).test(names)

const design = read('docs/design/domain.md')
const rowsOf = (text: string, form: RegExp): readonly string[] => [...text.matchAll(form)].map((row) => row[1] ?? '')
const topicsOf = (page: string): readonly string[] => {
  const [, section = ''] = read(page).split(/^## Notifications$/m)
  return rowsOf(section.split(/^## /m)[0] ?? '', /`([a-z]+\.[a-z_]+)`/g)
}

const span = (text: string): readonly string[] => {
  const [, kind = '', last = '0'] = /^(\D+)1–\D+(\d+)$/.exec(text) ?? []
  return Array.from({ length: Number(last) }, (_, at) => `${kind}${at + 1}`)
}

/** `**R1**`, as the sections of chapter 4 number what they list. */
const boldOf = (kind: string): readonly string[] => rowsOf(design, new RegExp(`\\*\\*(${kind}\\d+)\\*\\*`, 'g'))

const MACHINES = {
  session: {
    'transitions by command (1.2)': Object.keys(session.commands),
    'guards (1.3)': Object.keys(session.commands),
    'timers (1.5)': Object.keys(session.schema.timers),
    'notifications (1.6)': topicsOf('docs/machines/session.md'),
    'queries (1.7)': Object.keys(session.queries),
    'codes (1.2, 1.3)': Object.keys(session.schema.errors),
    'events (0.9)': Object.keys(session.schema.events),
    'tasks (0.7)': Object.keys(session.schema.tasks),
    'invariants (1.1)': span('L-I1–L-I7'),
    'abuse cases (1.10)': rowsOf(design, /^\| (L\d+) \|/gm),
    'properties (1.11)': rowsOf(design, /^- \*\*(PL\d+)\*\*/gm),
  },
  gates: {
    'gate keys (2.2)': rowsOf(design, /^\| \d \| `(\w+)` \|/gm),
    'commands (2.3)': Object.keys(gates.commands),
    'codes (2.3, 2.5)': Object.keys(gates.schema.errors),
    'tasks (2.3)': Object.keys(gates.schema.tasks),
    'notifications (2.8)': topicsOf('docs/machines/gates.md'),
    'queries (2.8)': Object.keys(gates.queries),
    'events (0.9)': Object.keys(gates.schema.events),
    'abuse cases (2.10)': rowsOf(design, /^\| (G\d+) \|/gm),
    'properties (2.11)': rowsOf(design, /^- \*\*(PG\d+)\*\*/gm),
  },
  reconciler: {
    'invariants (4.1)': span('R-I1–R-I7'),
    'commands (4.4)': Object.keys(reconciler.commands),
    'codes (4.3, 4.4)': Object.keys(reconciler.schema.errors),
    'notifications (4.8)': topicsOf('docs/machines/reconciler.md'),
    'abuse cases (4.11)': boldOf('R'),
    'properties (4.12)': boldOf('PR'),
  },
} as const

describe.each(Object.entries(MACHINES))('the tables of the machine %s', (machine, tables) => {
  const names = namesBelow(`machines/${machine}`)

  test.each(Object.entries<readonly string[]>(tables))(
    '%s: every row has a test that is named after it',
    (_table, rows) => {
      expect(rows.length).toBeGreaterThan(0)
      expect([...new Set(rows)].filter((row) => !isNamed(names, row))).toEqual([])
    },
  )
})

describe('rows and names', () => {
  test('the tables have as many rows as the design', () => {
    const { session: ofSession, gates: ofGates } = MACHINES
    expect(ofSession['abuse cases (1.10)']).toEqual(span('L1–L10'))
    expect(ofSession['properties (1.11)']).toEqual(span('PL1–PL9'))
    expect(ofGates['abuse cases (2.10)']).toEqual(span('G1–G12'))
    expect([...ofGates['properties (2.11)']].sort()).toEqual([...span('PG1–PG10')].sort())
    expect(ofGates['gate keys (2.2)']).toHaveLength(14)
    expect(MACHINES.reconciler['abuse cases (4.11)']).toEqual(span('R1–R12'))
    expect(MACHINES.reconciler['properties (4.12)']).toEqual(span('PR1–PR11'))
  })

  test('a word within another one, or in the body of a test, is no name', () => {
    const source = [
      "const CELLS = { pause: 'x' }",
      '',
      "test.each(Object.entries(CELLS))('%s', () => { run('resume') })",
      "test('PL10 of session.paused', () => undefined)",
    ].join('\n')
    const names = [...testNamesIn(source), ...dataOfNames(source)].join('\n')
    const rows = ['pause', 'PL10', 'session.paused', 'PL1', 'paused', 'session', 'resume']
    expect(rows.filter((row) => isNamed(names, row))).toEqual(['pause', 'PL10', 'session.paused'])
  })
})
