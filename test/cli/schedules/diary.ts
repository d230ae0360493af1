import { z } from 'zod'
import { command, defineMachine, table } from '../../../src/machine/index.ts'

/** Keeps a schedule for each key, of any expression and zone, and takes down its runs; one that asks for it goes on. */
export const diary = defineMachine(
  'diary',
  {
    version: 1,
    state: { runs: table(z.tuple([z.string(), z.int()]), z.int()) },
    schedules: { note: z.object({ open: z.boolean() }) },
  },
  {
    commands: {
      plan: command(
        {
          input: z.object({ key: z.string(), cron: z.string(), zone: z.string(), open: z.boolean() }),
          output: z.boolean(),
        },
        (ctx, { key, cron, zone, open }) => ctx.schedules.put('note', { cron, zone, payload: { open } }, key),
      ),
      many: command({ input: z.int(), output: z.null() }, (ctx, count) => {
        const definition = { cron: '0 0 1 1 *', zone: 'UTC', payload: { open: false } } as const
        for (let at = 0; at < count; at += 1) ctx.schedules.put('note', definition, `many ${at}`)
        return null
      }),
    },
    schedules: {
      note: (ctx, { run, scheduledAt, payload }, key) => {
        ctx.state.runs.set([key, scheduledAt], run)
        return payload.open ? 'open' : undefined
      },
    },
  },
)
