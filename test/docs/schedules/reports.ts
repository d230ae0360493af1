import { z } from 'zod'
import { command, cronText, defineMachine, table, zoneText } from '../../../src/machine/index.ts'

const shop = z.string().min(1).max(64)
const plan = z.object({ shop, cron: cronText, zone: zoneText })

/** Reports of shops, each by the clock of its own zone; a worker writes them. */
export const reports = defineMachine(
  'reports',
  {
    version: 1,
    state: { reports: table(z.tuple([shop, z.int()]), z.object({ run: z.int(), status: z.string() })) },
    errors: { BUSY: z.object({}) },
    schedules: { daily: z.object({ format: z.string() }) },
    tasks: {
      write: {
        role: 'writer',
        leaseMs: 60_000,
        maxAttempts: 3,
        backoffMs: [10_000],
        payload: z.object({ shop, day: z.int(), run: z.int(), format: z.string() }),
        result: z.object({ pages: z.int() }),
      },
    },
  },
  {
    commands: {
      plan: command({ input: plan, output: z.null() }, (ctx, { shop: of, cron, zone }) => {
        const daily = { cron, zone, overlap: 'bufferOne', payload: { format: 'pdf' } } as const
        return ctx.schedules.put('daily', daily, of) ? null : ctx.reject('BUSY', {})
      }),
      pause: command({ input: shop, output: z.boolean() }, (ctx, of) => ctx.schedules.pause('daily', of)),
      resume: command({ input: shop, output: z.boolean() }, (ctx, of) => ctx.schedules.resume('daily', of)),
      again: command(
        { input: z.object({ shop, from: z.int(), to: z.int() }), output: z.boolean() },
        (ctx, { shop: of, from, to }) => ctx.schedules.backfill('daily', { from, to }, of),
      ),
      drop: command({ input: shop, output: z.boolean() }, (ctx, of) => ctx.schedules.cancel('daily', of)),
      next: command(
        { input: shop, output: z.int().nullable() },
        (ctx, of) => ctx.schedules.find('daily', of)?.next ?? null,
      ),
    },
    schedules: {
      daily: (ctx, { run, scheduledAt, payload }, of) => {
        ctx.state.reports.set([of, scheduledAt], { run, status: 'asked' })
        ctx.task('write', of, { shop: of, day: scheduledAt, run, format: payload.format })
        return 'open'
      },
    },
    tasks: {
      write: {
        onResult: (ctx, { payload }, { pages }) => {
          ctx.state.reports.set([payload.shop, payload.day], { run: payload.run, status: `${pages} pages` })
          ctx.schedules.end('daily', payload.run, payload.shop)
        },
        onFailed: (ctx, { payload }, reason) => {
          ctx.state.reports.set([payload.shop, payload.day], { run: payload.run, status: reason })
          ctx.schedules.end('daily', payload.run, payload.shop)
        },
      },
    },
  },
)
