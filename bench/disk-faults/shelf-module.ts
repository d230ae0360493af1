import { writeFileSync } from 'node:fs'

/** Most rows that one query answers. */
export const PAGE = 1000

/** A machine that counts how often each number of a lane was put, with a text, so that its log and its snapshots grow. */
const TEXT = `
import { command, defineMachine, query, table } from 'holdfast'
import { z } from 'zod'

const place = z.tuple([z.int(), z.int()])

export const shelf = defineMachine(
  'shelf',
  { version: 1, state: { items: table(place, z.object({ times: z.int(), text: z.string() })) } },
  {
    commands: {
      put: command(
        { input: z.object({ lane: z.int(), number: z.int(), text: z.string() }), output: z.int() },
        (ctx, { lane, number, text }) => {
          const times = (ctx.state.items.get([lane, number])?.times ?? 0) + 1
          ctx.state.items.set([lane, number], { times, text })
          return times
        },
      ),
    },
    queries: {
      held: query(
        {
          input: z.object({ lane: z.int(), from: z.int() }),
          output: z.array(z.object({ number: z.int(), times: z.int() })),
        },
        (view, { lane, from }) =>
          view.items
            .range({ prefix: [lane], from: [lane, from], limit: ${PAGE} })
            .map(([[, number], { times }]) => ({ number, times })),
      ),
    },
  },
)
`

export function writeShelfModule(path: string): void {
  writeFileSync(path, TEXT)
}
