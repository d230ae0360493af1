import { expect, test } from 'vitest'
import { z } from 'zod'
import { defineMachine, mount, query, type QueryView, table } from '../../../src/machine/index.ts'
import { codec } from '../../session/log.ts'

const board = defineMachine(
  'board',
  { version: 1, state: { notes: table(z.string(), z.string()) } },
  {
    commands: {},
    queries: {
      note: query({ input: z.string(), output: z.string() }, (view, name) => view.notes.get(name) ?? ''),
      when: query({ input: z.null(), output: z.array(z.number()) }, (_view, _input, { now, index }) => [now, index]),
      who: query({ input: z.null(), output: z.string() }, (_view, _input, { session }) => session?.principal ?? ''),
    },
  },
)

test('a query asks its view for time and index only where the handler does', () => {
  const asked: string[] = []
  const view: QueryView = {
    state: {
      get: () => 'text',
      has: () => true,
      range: () => [],
      count: () => 0,
      bare: { range: () => [], count: () => 0 },
    },
    get now() {
      asked.push('now')
      return 7
    },
    get index() {
      asked.push('index')
      return 8
    },
    session: null,
    activeVersion: () => 1,
  }
  const mounted = mount([board], codec).userMachine
  const told = (name: string, input: string | null) => mounted.query?.(view, { machine: 'board', query: name, input })
  expect(told('note', 'a')).toEqual({ kind: 'value', value: 'text' })
  expect(told('who', null)).toEqual({ kind: 'value', value: '' })
  expect(asked).toEqual([])
  expect(told('when', null)).toEqual({ kind: 'value', value: [7, 8] })
  expect(asked).toEqual(['now', 'index'])
})
