import { describe, expect, test } from 'vitest'
import { z } from 'zod'
import { actorKind } from '../../../src/machine/xstate/chart/actor-kind.ts'
import { fromXState } from '../../../src/machine/xstate/index.ts'
import { checkMachine } from '../../../src/testing/index.ts'
import { sample } from '../../effort.ts'
import { CLASSICS } from '../../../src/sim/charts/classics.ts'
import { type Workflow, WORKFLOWS } from '../../../src/sim/charts/workflows.ts'

/** Events and input of a chart as schemas, so that a check can draw them. */
function checked({ machine, events, input }: Workflow) {
  const each = events.map((event) => {
    return z.strictObject(Object.fromEntries(Object.entries(event).map(([field, value]) => [field, z.literal(value)])))
  })
  const given = Object.entries(input ?? {}).map(([field, value]) => [field, z.literal(value)] as const)
  const work = Object.entries(machine.implementations.actors).filter(([, logic]) => actorKind(logic) === 'promise')
  return fromXState(machine, {
    name: 'chart',
    version: 1,
    event: z.union(each) as never,
    input: z.object(Object.fromEntries(given)) as never,
    work: Object.fromEntries(work.map(([name]) => [name, { result: z.union([z.int(), z.boolean()]) }])),
  })
}

describe('replicas that were restored at any entry, or applied it twice, or elsewhere, have equal states', () => {
  test.each([...WORKFLOWS, ...CLASSICS].map((workflow) => [workflow.name, workflow] as const))(
    'with %s',
    async (_, workflow) => {
      const { events, input = {} } = workflow
      const report = await checkMachine(checked(workflow), {
        runs: sample(8),
        stepsMax: 12,
        inputs: {
          create: ['e', 'f'].map((id) => ({ id, input: input as { [field: string]: string }, watch: true })),
          send: ['e', 'f'].flatMap((id) => events.map((event) => ({ id, event }))),
          remove: [{ id: 'e' }],
        },
      })
      expect(report.commands['create']).toBeGreaterThan(0)
    },
  )
})
