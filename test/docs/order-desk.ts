import { command, type Context, defineMachine, table } from 'holdfast'
import { chartEntities } from 'holdfast/xstate'
import { z } from 'zod'
import { order } from './order-chart.ts'

const charts = chartEntities(order, { work: { ship: { role: 'shipper', maxAttempts: 2 } } })

const schema = {
  ...charts.schema,
  version: 1,
  state: { ...charts.schema.state, buyers: table(z.string(), z.string()) },
} as const
type Ctx = Context<typeof schema>

const bill = z.object({ id: z.string().regex(/^o-\d+$/), cents: z.int().min(1) })

export const desk = defineMachine('desk', schema, {
  ...charts.behaviour,
  commands: {
    buy: command({ input: bill, output: z.null() }, (ctx: Ctx, { id, cents }) => {
      const orders = charts.in(ctx)
      if (orders.row(id) !== undefined) return ctx.reject('CONFLICT', { id })
      orders.create(id, { cents })
      ctx.state.buyers.set(id, ctx.principal)
      return null
    }),
    pay: command({ input: bill, output: z.null() }, (ctx: Ctx, { id, cents }) => {
      const orders = charts.in(ctx)
      const row = orders.row(id)
      if (row === undefined || ctx.state.buyers.get(id) !== ctx.principal) return ctx.reject('NOT_FOUND', { id })
      const event = { type: 'PAY', cents }
      const invalid = orders.invalid(id, row, event)
      if (invalid !== null) return ctx.reject('INVALID_STATE_TRANSITION', invalid)
      orders.deliver(id, event)
      return null
    }),
  },
})
