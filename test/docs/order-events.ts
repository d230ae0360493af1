import { z } from 'zod'
import { command, defineMachine, domainEvents, on, query, table, tablesOf } from '../../src/machine/index.ts'

const id = z.string().min(1).max(64)

export const orderEvents = domainEvents('orders', {
  OrderPaid: z.object({ id, item: z.string() }),
})

const stockSchema = {
  version: 1,
  state: { left: table(z.string(), z.int()) },
  errors: { SOLD_OUT: z.object({}) },
} as const
const stockTables = tablesOf('stock', stockSchema)

/** Pays for orders, and tells whoever wants to know. */
export const orders = defineMachine(
  'orders',
  { version: 1, state: { paid: table(id, z.string()) }, events: orderEvents.shapes },
  {
    commands: {
      pay: command({ input: z.object({ id, item: z.string() }), output: z.int() }, (ctx, { id, item }) => {
        ctx.state.paid.set(id, item)
        ctx.publish('OrderPaid', { id, item })
        return ctx.read(stockTables).left.get(item) ?? 0
      }),
    },
    queries: {
      left: query({ input: z.string(), output: z.int() }, (_view, item, ctx) => {
        return ctx.read(stockTables).left.get(item) ?? 0
      }),
    },
  },
)

/** Keeps what is left; it knows the events of orders, and orders know nothing of it. */
export const stock = defineMachine('stock', stockSchema, {
  commands: {
    put: command(
      { input: z.object({ item: z.string(), count: z.int() }), output: z.null() },
      (ctx, { item, count }) => {
        ctx.state.left.set(item, count)
        return null
      },
    ),
  },
  on: [
    on(orderEvents, 'OrderPaid', (ctx, { item }) => {
      const left = ctx.state.left.get(item) ?? 0
      if (left === 0) return ctx.reject('SOLD_OUT', {})
      return ctx.state.left.set(item, left - 1)
    }),
  ],
})
