import { mkdirSync, writeFileSync } from 'node:fs'
import { dirname } from 'node:path'

/** Version 1 keeps a number by name, and adds one to it. */
const FIRST = `
const first = defineMachine(
  'tally',
  { version: 1, state: { totals: table(z.string(), z.int()) } },
  {
    commands: {
      add: command({ input: z.string(), output: z.int() }, (ctx, name) => {
        const count = (ctx.state.totals.get(name) ?? 0) + 1
        ctx.state.totals.set(name, count)
        return count
      }),
    },
    queries: { total: query({ input: z.string(), output: z.int() }, (view, name) => view.totals.get(name) ?? 0) },
  },
)
`

/** Version 2 keeps beside it how many it has added itself, and answers with both. */
const SECOND = `
const total = z.object({ count: z.int(), bySecond: z.int() })
const NONE = { count: 0, bySecond: 0 }
const second = defineMachine(
  'tally',
  { version: 2, state: { totals: table(z.string(), total) } },
  {
    commands: {
      add: command({ input: z.string(), output: total }, (ctx, name) => {
        const before = ctx.state.totals.get(name) ?? NONE
        const after = { count: before.count + 1, bySecond: before.bySecond + 1 }
        ctx.state.totals.set(name, after)
        return after
      }),
    },
    queries: { total: query({ input: z.string(), output: total }, (view, name) => view.totals.get(name) ?? NONE) },
    migrations: {
      2: (ctx) => {
        for (const [name, count] of ctx.state.totals.range({ limit: 1000 }))
          ctx.state.totals.set(name, { count, bySecond: 0 })
      },
    },
  },
)
`

const HEAD = "import { command, defineMachine, query, table } from 'holdfast'\nimport { z } from 'zod'\n"

/** Writes the module as it was before the upgrade (`old`), or with both versions side by side (`new`). */
export function writeTallyModule(path: string, build: 'old' | 'new'): void {
  mkdirSync(dirname(path), { recursive: true })
  const text = build === 'old' ? `${FIRST}\nexport { first }\n` : `${FIRST}${SECOND}\nexport { first, second }\n`
  writeFileSync(path, `${HEAD}${text}`)
}
