import { expect, test } from 'vitest'
import { z } from 'zod'
import { command, defineMachine, query, table } from '../../../src/machine/index.ts'
import { checkMachine, machineHarness } from '../../../src/testing/index.ts'

const name = z.string()

/** Votes: version 3 counts double. */
function votes(version: number) {
  return defineMachine(
    'votes',
    { version, state: { votes: table(z.string(), z.int()) } },
    {
      commands: {
        vote: command({ input: name, output: z.int() }, (ctx, voted) => {
          const count = (ctx.state.votes.get(voted) ?? 0) + (version === 3 ? 2 : 1)
          ctx.state.votes.set(voted, count)
          return count
        }),
      },
      queries: { count: query({ input: name, output: z.int() }, (view, asked) => view.votes.get(asked) ?? 0) },
    },
  )
}

test('a harness runs a machine at its own version, as a new cluster does', () => {
  const session = machineHarness(votes(3)).session('user:ada')
  expect(session.machines.votes.vote('a')).toEqual({ kind: 'ok', value: 2 })
  expect(session.queries.votes.count('a')).toEqual({ kind: 'ok', value: 2 })
})

test('of several versions of a machine the newest runs', () => {
  const session = machineHarness([votes(1), votes(3)] as const).session('user:ada')
  expect(session.machines.votes.vote('a')).toEqual({ kind: 'ok', value: 2 })
})

test('a machine of version 1 runs beside one of a later version', () => {
  const register = defineMachine(
    'register',
    { version: 1, state: { values: table(z.string(), z.int()) } },
    { commands: { clear: command({ input: name, output: z.null() }, () => null) } },
  )
  const session = machineHarness([register, votes(3)] as const).session('user:ada')
  expect(session.machines.register.clear('a')).toEqual({ kind: 'ok', value: null })
  expect(session.machines.votes.vote('a')).toEqual({ kind: 'ok', value: 2 })
})

test('a machine of a later version is checked', async () => {
  const invariants = {
    'counts are even': (tables: {
      votes: { range(bounds: { limit: number }): readonly (readonly [string, number])[] }
    }) => tables.votes.range({ limit: 100 }).every(([, count]) => count % 2 === 0),
  }
  const report = await checkMachine(votes(3), { runs: 5, invariants })
  expect(report.commands['vote']).toBeGreaterThan(0)
})
