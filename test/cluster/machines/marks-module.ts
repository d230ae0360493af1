import { writeFileSync } from 'node:fs'

/**
 * A machine that counts by name, and marks each name with how often it was counted. `odd`: other handlers at the same
 * version, which a node takes with a warning. They leave another mark on names that begin with `late`, and answer as the
 * right ones do: what differs is seen by nobody but the other replicas.
 */
const marks = (odd: string | null): string => `
import { command, defineMachine, query, table } from 'holdfast'
import { z } from 'zod'
export const marks = defineMachine(
  'marks',
  { version: 1, state: { counts: table(z.string(), z.int()), marks: table(z.string(), z.string()) } },
  {
    commands: {
      add: command({ input: z.string(), output: z.int() }, (ctx, name) => {
        const count = (ctx.state.counts.get(name) ?? 0) + 1
        ctx.state.counts.set(name, count)
        ctx.state.marks.set(name, ${odd === null ? "'x'" : `name.startsWith('late') ? '${odd}' : 'x'`}.repeat(count))
        return count
      }),
    },
    queries: { mark: query({ input: z.string(), output: z.string() }, (view, name) => view.marks.get(name) ?? '') },
  },
)
`

/** Writes the module with the right handlers (null), or with handlers that leave `odd` as their mark. */
export function writeMarksModule(path: string, odd: string | null): void {
  writeFileSync(path, marks(odd))
}
