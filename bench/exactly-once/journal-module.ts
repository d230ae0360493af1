import { writeFileSync } from 'node:fs'

/** Most rows that one query answers. */
export const PAGE = 1000

/**
 * A machine that counts how often each number of a lane was applied, and tells the session of each. A command with `decline`
 * does the same and is refused then: nothing of it may stay.
 */
const TEXT = `
import { command, defineMachine, query, table } from 'holdfast'
import { z } from 'zod'

const place = z.tuple([z.int(), z.int()])

export const journal = defineMachine(
  'journal',
  {
    version: 1,
    state: { numbers: table(place, z.int()) },
    errors: { DECLINED: z.object({}) },
    requests: { noted: z.object({ number: z.int() }) },
  },
  {
    commands: {
      append: command(
        { input: z.object({ lane: z.int(), number: z.int(), decline: z.boolean() }), output: z.int() },
        (ctx, { lane, number, decline }) => {
          const { numbers } = ctx.state
          const times = (numbers.get([lane, number]) ?? 0) + 1
          numbers.set([lane, number], times)
          ctx.emit(ctx.session.id, 'noted', { number })
          return decline ? ctx.reject('DECLINED', {}) : times
        },
      ),
    },
    queries: {
      applied: query(
        {
          input: z.object({ lane: z.int(), from: z.int() }),
          output: z.array(z.object({ number: z.int(), times: z.int() })),
        },
        (view, { lane, from }) =>
          view.numbers
            .range({ prefix: [lane], from: [lane, from], limit: ${PAGE} })
            .map(([[, number], times]) => ({ number, times })),
      ),
    },
  },
)
`

export function writeJournalModule(path: string): void {
  writeFileSync(path, TEXT)
}
