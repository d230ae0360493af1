import { z } from 'zod'
import { command, defineMachine, query, table } from '../../machine/index.ts'

const key = z.string()
const step = z.discriminatedUnion('do', [
  z.object({ do: z.literal('append'), key, element: z.int() }),
  z.object({ do: z.literal('read'), key }),
])

/** Lists that grow, under transactions of several steps: whoever reads one learns in which order it was written. */
export const lists = defineMachine(
  'lists',
  { version: 1, state: { lists: table(key, z.array(z.int())) } },
  {
    commands: {
      /** Does all steps; answers what was read by each, null where it appended. */
      run: command({ input: z.array(step), output: z.array(z.array(z.int()).nullable()) }, (ctx, steps) =>
        steps.map((each) => {
          const list = ctx.state.lists.get(each.key) ?? []
          if (each.do === 'read') return [...list]
          ctx.state.lists.set(each.key, [...list, each.element])
          return null
        }),
      ),
    },
    queries: {
      all: query({ input: z.array(key), output: z.array(z.array(z.int())) }, (view, keys) =>
        keys.map((each) => [...(view.lists.get(each) ?? [])]),
      ),
    },
  },
)
