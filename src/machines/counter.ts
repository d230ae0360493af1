import { z } from 'zod'
import { command, defineMachine, query, table } from '../machine/index.ts'

/** No counter goes beyond this. */
export const COUNTER_MAX = 1000

/**
 * Named counters (docs/concepts/machines.md). The second argument is its schema, plain data: what it stores, what it may
 * refuse with, what it may send. The third is its behaviour; every handler is typed by the schema.
 */
export const counter = defineMachine(
  'counter',
  {
    version: 1,
    state: { counters: table(z.string(), z.int()) },
    errors: { TOO_BIG: z.object({ max: z.int() }) },
    requests: { changed: z.object({ name: z.string(), value: z.int() }) },
  },
  {
    commands: {
      increment: command(
        { input: z.object({ name: z.string().min(1).max(256), by: z.int().default(1) }), output: z.int() },
        (ctx, { name, by }) => {
          const next = (ctx.state.counters.get(name) ?? 0) + by
          if (next > COUNTER_MAX) return ctx.reject('TOO_BIG', { max: COUNTER_MAX })
          ctx.state.counters.set(name, next)
          ctx.emit(ctx.session.id, 'changed', { name, value: next }, { overflow: 'dropOldest' })
          return next
        },
      ),
    },
    queries: {
      value: query(
        { input: z.string().min(1).max(256), output: z.int() },
        (view, name) => view.counters.get(name) ?? 0,
      ),
    },
  },
)
