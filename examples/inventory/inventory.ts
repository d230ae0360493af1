import { command, type Context, defineMachine, isRejection, query, type SessionId, table, task } from 'holdfast'
import { z } from 'zod'

/** A reservation that is not confirmed within this long gives its pieces back, ms. */
export const HOLD_MS = 10 * 60_000

const name = z.string().min(1).max(64)
const quantity = z.int().min(1).max(1_000_000)

const schema = {
  version: 1,
  state: {
    /** Of each item: pieces that anybody may reserve, that somebody has, and that are sold. Their sum is what came in. */
    items: table(name, z.object({ free: z.int(), held: z.int(), sold: z.int() })),
    reservations: table(
      name,
      z.object({
        item: name,
        quantity: z.int(),
        status: z.enum(['held', 'sold']),
        /** The client session that hears of it. */
        buyer: z.custom<SessionId>((value) => typeof value === 'string'),
      }),
    ),
  },
  errors: { TOO_FEW: z.object({ free: z.int() }) },
  requests: {
    expired: z.object({ reservation: name }),
    packed: z.object({ reservation: name, parcel: z.string() }),
    unpacked: z.object({ reservation: name, reason: z.string() }),
  },
  timers: { expire: z.object({ reservation: name }) },
  tasks: {
    pack: task({
      role: 'packer',
      leaseMs: 60_000,
      maxAttempts: 5,
      backoffMs: [1_000, 5_000, 30_000],
      payload: z.object({ reservation: name, item: name, quantity: z.int() }),
      result: z.object({ parcel: z.string() }),
    }),
  },
} as const

type InventoryContext = Context<typeof schema>

/** Stock of several items: reserved, then confirmed in time or given back, then packed by a worker. */
export const inventory = defineMachine('inventory', schema, {
  commands: {
    receive: command({ input: z.object({ item: name, quantity }), output: z.null() }, (ctx, { item, quantity }) => {
      const row = ctx.state.items.get(item) ?? { free: 0, held: 0, sold: 0 }
      ctx.state.items.set(item, { ...row, free: row.free + quantity })
      return null
    }),
    reserve: command(
      { input: z.object({ reservation: name, item: name, quantity }), output: z.object({ until: z.int() }) },
      (ctx, { reservation, item, quantity }) => {
        if (ctx.state.reservations.has(reservation)) return ctx.reject('CONFLICT', { reservation })
        const free = ctx.state.items.get(item)?.free ?? 0
        if (free < quantity) return ctx.reject('TOO_FEW', { free })
        move(ctx, { item, quantity }, ['free', 'held'])
        ctx.state.reservations.set(reservation, { item, quantity, status: 'held', buyer: ctx.session.id })
        const until = ctx.now + HOLD_MS
        ctx.schedule('expire', until, { reservation }, reservation)
        return { until }
      },
    ),
    confirm: command({ input: name, output: z.null() }, (ctx, reservation) => {
      const row = heldBy(ctx, reservation)
      if (isRejection(row)) return row
      move(ctx, row, ['held', 'sold'])
      ctx.state.reservations.set(reservation, { ...row, status: 'sold' })
      ctx.cancel('expire', reservation)
      ctx.task('pack', reservation, { reservation, item: row.item, quantity: row.quantity })
      return null
    }),
    release: command({ input: name, output: z.null() }, (ctx, reservation) => {
      const row = heldBy(ctx, reservation)
      if (isRejection(row)) return row
      giveBack(ctx, reservation)
      ctx.cancel('expire', reservation)
      return null
    }),
  },
  queries: {
    level: query(
      { input: name, output: z.object({ free: z.int(), held: z.int(), sold: z.int() }) },
      (view, item) => view.items.get(item) ?? { free: 0, held: 0, sold: 0 },
    ),
  },
  timers: {
    expire: (ctx, { reservation }) => {
      const buyer = giveBack(ctx, reservation)
      if (buyer !== null) ctx.emit(buyer, 'expired', { reservation })
    },
  },
  tasks: {
    pack: {
      onResult: (ctx, { payload: { reservation } }, { parcel }) => {
        const row = ctx.state.reservations.get(reservation)
        if (row !== undefined) ctx.emit(row.buyer, 'packed', { reservation, parcel })
        return null
      },
      // Sold is sold: somebody has to look.
      onFailed: (ctx, { payload: { reservation } }, reason) => {
        ctx.alert('NOT_PACKED', { reservation, reason })
        const row = ctx.state.reservations.get(reservation)
        if (row !== undefined) ctx.emit(row.buyer, 'unpacked', { reservation, reason })
      },
    },
  },
})

/** The reservation, or why it can be neither confirmed nor released. */
function heldBy(ctx: InventoryContext, reservation: string) {
  const row = ctx.state.reservations.get(reservation)
  if (row === undefined) return ctx.reject('NOT_FOUND', { reservation })
  if (row.status !== 'held') return ctx.reject('CONFLICT', { status: row.status })
  return row
}

/** The session that had it; null when nobody has. */
function giveBack(ctx: InventoryContext, reservation: string): SessionId | null {
  const row = ctx.state.reservations.get(reservation)
  if (row === undefined || row.status !== 'held') return null
  move(ctx, row, ['held', 'free'])
  ctx.state.reservations.delete(reservation)
  return row.buyer
}

type Pile = 'free' | 'held' | 'sold'

function move(
  ctx: InventoryContext,
  { item, quantity }: { readonly item: string; readonly quantity: number },
  [from, to]: readonly [Pile, Pile],
): void {
  const row = ctx.state.items.get(item)
  if (row === undefined) throw new Error(`there is no item ${item}`)
  ctx.state.items.set(item, { ...row, [from]: row[from] - quantity, [to]: row[to] + quantity })
}
