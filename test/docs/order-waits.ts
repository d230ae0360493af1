import { z } from 'zod'
import { command, defineMachine, table, waitNotice } from '../../src/machine/index.ts'

const id = z.string().min(1).max(64)
const payment = z.object({ receipt: z.string() })
const WAIT_MS = 120_000

/** Orders whose payment is waited for, by the machine and by the client that placed them. */
export const deliveries = defineMachine(
  'deliveries',
  {
    version: 1,
    state: { orders: table(id, z.object({ waitId: z.string(), status: z.string() })) },
    errors: { BUSY: z.object({}) },
    waits: { paid: payment, told: payment },
    requests: { paid: waitNotice(payment) },
  },
  {
    commands: {
      place: command({ input: id, output: z.string() }, (ctx, order) => {
        const waitId = ctx.wait('paid', order, { timeoutMs: WAIT_MS, owner: ctx.session.id })
        if (waitId === null) return ctx.reject('BUSY', {})
        ctx.state.orders.set(order, { waitId, status: 'placed' })
        return waitId
      }),
      paid: command(
        { input: z.object({ order: id, receipt: z.string() }), output: z.string() },
        (ctx, { order, receipt }) => ctx.signal('paid', order, { receipt }),
      ),
      cancel: command({ input: id, output: z.boolean() }, (ctx, order) => {
        const row = ctx.state.orders.get(order)
        return row !== undefined && ctx.cancelWait(row.waitId)
      }),
      listen: command({ input: id, output: z.string().nullable() }, (ctx, order) =>
        ctx.wait('told', order, { owner: ctx.session.id, deliver: { type: 'paid' } }),
      ),
      tell: command(
        { input: z.object({ order: id, receipt: z.string() }), output: z.string() },
        (ctx, { order, receipt }) =>
          ctx.signal('told', order, { receipt }, { overflow: 'coalesce', keptMax: 1, retentionMs: 600_000 }),
      ),
    },
    waits: {
      paid: (ctx, { waitId, key: order, end }) => {
        const status = end.kind === 'signalled' ? `paid by ${end.value.receipt}` : end.kind
        ctx.state.orders.set(order, { waitId, status })
      },
      told: () => undefined,
    },
  },
)
