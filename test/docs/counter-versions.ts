import { command, type Context, defineMachine, table } from 'holdfast'
import { z } from 'zod'

// Two versions of a machine, as docs/concepts/versions.md has them.

const schemaV1 = { version: 1, state: { counts: table(z.string(), z.object({ value: z.int() })) } } as const
const schemaV2 = {
  version: 2,
  state: { counts: table(z.string(), z.object({ value: z.int(), changedAt: z.int() })) },
} as const

const io = { input: z.string().min(1), output: z.int() }

function add(ctx: Context<typeof schemaV1>, name: string): number {
  const value = (ctx.state.counts.get(name)?.value ?? 0) + 1
  ctx.state.counts.set(name, { value })
  return value
}

function addWithTime(ctx: Context<typeof schemaV2>, name: string): number {
  const value = (ctx.state.counts.get(name)?.value ?? 0) + 1
  ctx.state.counts.set(name, { value, changedAt: ctx.now })
  return value
}

export const counterV1 = defineMachine('counter', schemaV1, { commands: { add: command(io, add) } })

export const counterV2 = defineMachine('counter', schemaV2, {
  commands: { add: command(io, addWithTime) },
  migrations: {
    *2(ctx) {
      for (const [name, row] of ctx.state.counts.each()) {
        ctx.state.counts.set(name, { value: row.value, changedAt: ctx.now })
        yield
      }
    },
  },
})
