import { z } from 'zod'
import { command, defineMachine, query, table, task } from '../../../src/machine/index.ts'

const log = z.object({ log: z.array(z.string()) })
const kind = { role: 'shipper', leaseMs: 10_000, maxAttempts: 2, backoffMs: [] }

/** Queues tasks, and notes what became of each: `done …` or `failed …`. */
export const shop = defineMachine(
  'shop',
  {
    version: 1,
    state: { orders: table(z.string(), log) },
    tasks: {
      ship: task({ ...kind, payload: z.object({ order: z.string() }), result: z.object({ parcel: z.string() }) }),
      bill: task({
        ...kind,
        role: 'biller',
        maxAttempts: 1,
        payload: z.object({ order: z.string() }),
        result: z.null(),
      }),
    },
  },
  {
    commands: {
      order: command({ input: z.string(), output: z.string() }, (ctx, order) => {
        ctx.state.orders.set(order, { log: [] })
        return ctx.task('ship', order, { order })
      }),
      bill: command({ input: z.string(), output: z.string() }, (ctx, order) => ctx.task('bill', order, { order })),
      cancel: command({ input: z.string(), output: z.boolean() }, (ctx, taskId) => ctx.cancelTask(taskId)),
    },
    queries: {
      log: query({ input: z.string(), output: z.array(z.string()) }, (view, order) => {
        return view.orders.get(order)?.log ?? []
      }),
    },
    tasks: {
      ship: {
        onResult: (ctx, { payload, attempt }, { parcel }) => {
          const before = ctx.state.orders.get(payload.order)?.log ?? []
          ctx.state.orders.set(payload.order, { log: [...before, `done ${parcel} ${attempt}`] })
          return null
        },
        onFailed: (ctx, { payload }, reason) => {
          const before = ctx.state.orders.get(payload.order)?.log ?? []
          ctx.state.orders.set(payload.order, { log: [...before, `failed ${reason}`] })
        },
      },
      bill: { onResult: () => null, onFailed: () => {} },
    },
  },
)

/** A machine with a kind of the same name. */
export const mail = defineMachine(
  'mail',
  {
    version: 1,
    state: {},
    tasks: { ship: task({ ...kind, role: 'mailer', payload: z.string(), result: z.int() }) },
  },
  { commands: {}, tasks: { ship: { onResult: () => null, onFailed: () => {} } } },
)
