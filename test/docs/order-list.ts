import { z } from 'zod'
import { command, defineMachine, query, table } from '../../src/machine/index.ts'

const id = z.string().min(1).max(64)
const owner = z.string().min(1).max(64)
const order = z.object({ owner, placedAt: z.int(), item: z.string() })
/** Orders on one page. */
const PAGE = 2

/** Orders by their ids, and the newest ones of each owner. */
export const orderList = defineMachine(
  'order-list',
  {
    version: 1,
    state: {
      orders: table(id, order, { indexes: { byOwner: ['owner', 'placedAt'] } }),
    },
  },
  {
    commands: {
      place: command({ input: z.object({ id, item: z.string() }), output: z.null() }, (ctx, { id, item }) => {
        ctx.state.orders.set(id, { owner: ctx.principal, placedAt: ctx.now, item })
        return null
      }),
    },
    queries: {
      newest: query(
        {
          input: z.object({ owner, after: z.object({ id, placedAt: z.int() }).optional() }),
          output: z.array(order.extend({ id })),
        },
        (view, { owner, after }) => {
          const last = after === undefined ? undefined : ([after.id, { ...after, owner }] as const)
          const rows = view.orders.byOwner.prefix([owner], { limit: PAGE, reverse: true, after: last })
          return rows.map(([id, order]) => ({ id, ...order }))
        },
      ),
      count: query({ input: owner, output: z.int() }, (view, owner) => view.orders.byOwner.count({ prefix: [owner] })),
    },
  },
)
