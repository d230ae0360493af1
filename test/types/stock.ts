import { z } from 'zod'
import { command, defineMachine, isRejection, query, table, task } from '../../src/machine/index.ts'
import type { Context } from '../../src/machine/index.ts'

/** A machine that has one of everything, for the tests of types. */
const stockSchema = {
  version: 1,
  state: { items: table(z.string(), z.object({ left: z.int() })) },
  errors: { TOO_FEW: z.object({ left: z.int() }), FROZEN: z.object({ until: z.int() }) },
  requests: {
    expired: z.object({ item: z.string(), at: z.int() }),
    low: z.object({ item: z.string(), left: z.int() }),
  },
  timers: { lapse: z.object({ item: z.string() }) },
  tasks: {
    ship: task({
      role: 'shipper',
      leaseMs: 30_000,
      maxAttempts: 2,
      backoffMs: [],
      payload: z.object({ item: z.string(), quantity: z.int() }),
      result: z.object({ parcel: z.string() }),
    }),
    count: task({
      role: 'counter',
      leaseMs: 30_000,
      maxAttempts: 1,
      backoffMs: [],
      payload: z.string(),
      result: z.int(),
    }),
  },
} as const

export type StockContext = Context<typeof stockSchema>

const item = z.object({ item: z.string().min(1), quantity: z.int().min(1).default(1) })

function find(ctx: StockContext, name: string) {
  return ctx.state.items.get(name) ?? ctx.reject('NOT_FOUND', { item: name })
}

export const stock = defineMachine('stock', stockSchema, {
  commands: {
    /** Refuses with two codes of its own and one that a function passes on. */
    reserve: command({ input: item, output: z.object({ left: z.int() }) }, (ctx, input) => {
      const row = find(ctx, input.item)
      if (isRejection(row)) return row
      if (row.left < input.quantity) return ctx.reject('TOO_FEW', { left: row.left })
      if (ctx.now > 5) return ctx.reject('FROZEN', { until: 5 })
      ctx.schedule('lapse', ctx.now + 1000, { item: input.item }, input.item)
      return { left: row.left - input.quantity }
    }),
    /** Refuses never. */
    add: command({ input: item, output: z.null() }, (ctx, input) => {
      ctx.state.items.set(input.item, { left: input.quantity })
      ctx.emit(ctx.session.id, 'low', { item: input.item, left: input.quantity })
      ctx.task('ship', input.item, input)
      return null
    }),
    /** Refuses with something: its annotation hides the codes. */
    drop: command({ input: z.string(), output: z.null() }, (ctx: StockContext, name) => {
      const called = ctx.call('other', 'drop', name)
      return isRejection(called) ? called : null
    }),
  },
  queries: {
    left: query({ input: z.string(), output: z.int() }, (view, name, ctx) => {
      return view.items.get(name)?.left ?? ctx.reject('NOT_FOUND')
    }),
    all: query({ input: z.null(), output: z.array(z.string()) }, () => []),
  },
  timers: { lapse: (ctx, { item: name }) => void ctx.state.items.delete(name) },
  tasks: {
    ship: { onResult: () => null, onFailed: () => {} },
    count: { onResult: () => null, onFailed: () => {} },
  },
})
