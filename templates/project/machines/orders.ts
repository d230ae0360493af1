import { command, type Context, defineMachine, query, type SessionId, table, task } from 'holdfast'
import { z } from 'zod'

/** What one piece costs, in cents: money is integer minor units. */
export const PIECE_CENTS = 1200
/** An order that is not paid within this long lapses, ms. */
export const PAY_WITHIN_MS = 15 * 60_000
const PIECES_MAX = 10

const id = z.string().min(1).max(64)

/** What the machine stores, refuses with, sends, waits for and hands to workers: data alone. */
const schema = {
  version: 1,
  state: {
    orders: table(
      id,
      z.object({
        pieces: z.int(),
        cents: z.int(),
        status: z.enum(['placed', 'paid', 'shipped', 'lapsed', 'undeliverable']),
        parcel: z.string().nullable(),
        /** The client session that hears what becomes of it. */
        buyer: z.custom<SessionId>((value) => typeof value === 'string'),
      }),
    ),
  },
  errors: { TOO_MANY: z.object({ max: z.int() }) },
  requests: { ended: z.object({ id, status: z.string(), parcel: z.string().nullable() }) },
  timers: { lapse: z.object({ id }) },
  tasks: {
    ship: task({
      role: 'shipper',
      leaseMs: 30_000,
      maxAttempts: 3,
      backoffMs: [1_000, 10_000],
      payload: z.object({ id, pieces: z.int() }),
      result: z.object({ parcel: z.string() }),
    }),
  },
} as const

type Ended = { readonly status: 'shipped' | 'lapsed' | 'undeliverable'; readonly parcel: string | null }

/** Orders of one article: placed, paid within a quarter of an hour or lapsed, then shipped by a worker. */
export const orders = defineMachine('orders', schema, {
  commands: {
    place: command(
      { input: z.object({ id, pieces: z.int().min(1) }), output: z.object({ cents: z.int() }) },
      (ctx, { id, pieces }) => {
        if (pieces > PIECES_MAX) return ctx.reject('TOO_MANY', { max: PIECES_MAX })
        if (ctx.state.orders.has(id)) return ctx.reject('CONFLICT', { id })
        const cents = pieces * PIECE_CENTS
        ctx.state.orders.set(id, { pieces, cents, status: 'placed', parcel: null, buyer: ctx.session.id })
        ctx.schedule('lapse', ctx.now + PAY_WITHIN_MS, { id }, id)
        return { cents }
      },
    ),
    pay: command({ input: z.object({ id }), output: z.null() }, (ctx, { id }) => {
      const order = ctx.state.orders.get(id)
      if (order === undefined) return ctx.reject('NOT_FOUND', { id })
      if (order.status !== 'placed') return ctx.reject('CONFLICT', { status: order.status })
      ctx.state.orders.set(id, { ...order, status: 'paid' })
      ctx.cancel('lapse', id)
      ctx.task('ship', id, { id, pieces: order.pieces })
      return null
    }),
  },
  queries: {
    order: query(
      {
        input: id,
        output: z.object({ status: z.string(), cents: z.int(), parcel: z.string().nullable() }),
      },
      (view, id, ctx) => {
        const order = view.orders.get(id)
        if (order === undefined) return ctx.reject('NOT_FOUND', { id })
        return { status: order.status, cents: order.cents, parcel: order.parcel }
      },
    ),
  },
  timers: {
    lapse: (ctx, { id }) => end(ctx, id, { status: 'lapsed', parcel: null }),
  },
  tasks: {
    ship: {
      onResult: (ctx, { payload }, { parcel }) => end(ctx, payload.id, { status: 'shipped', parcel }),
      onFailed: (ctx, { payload }) => end(ctx, payload.id, { status: 'undeliverable', parcel: null }),
    },
  },
})

/** The end of an order, of which its buyer hears. */
function end(ctx: Context<typeof schema>, id: string, ended: Ended): void {
  const order = ctx.state.orders.get(id)
  if (order === undefined) return
  ctx.state.orders.set(id, { ...order, ...ended })
  ctx.emit(order.buyer, 'ended', { id, ...ended })
}
