import { z } from 'zod'
import { command, defineMachine, query, table } from '../../../src/machine/index.ts'

export const order = z.object({
  owner: z.string().nullable(),
  at: z.int(),
  price: z.number(),
  paid: z.boolean(),
  mark: z.instanceof(Uint8Array).optional(),
})
export type Order = z.output<typeof order>

const id = z.tuple([z.string(), z.int()])
export type OrderId = z.output<typeof id>

/** Fields of each of the indexes. */
export const INDEXES = {
  byOwner: ['owner', 'at'],
  byPrice: ['price'],
  byPaid: ['paid', 'owner'],
  byMark: ['mark'],
} as const
export type IndexName = keyof typeof INDEXES

const schema = {
  version: 1,
  state: {
    orders: table(id, order, { indexes: INDEXES }),
  },
} as const

const page = z.object({
  index: z.enum(['byOwner', 'byPrice', 'byPaid', 'byMark']),
  prefix: z.array(z.unknown()).optional(),
  from: z.array(z.unknown()).optional(),
  to: z.array(z.unknown()).optional(),
  limit: z.int(),
  reverse: z.boolean().optional(),
  after: z.tuple([id, order]).optional(),
})
export type Page = z.output<typeof page>

/** An index as a test may ask it with anything. */
export interface AnyIndex {
  range(bounds: object): readonly (readonly [unknown, unknown])[]
  count(bounds: object): number
}

/** Keeps orders under a key of two parts, with an index of each kind of field, and does what it is told. */
export const book = defineMachine('book', schema, {
  commands: {
    put: command({ input: z.object({ id, row: order }), output: z.null() }, (ctx, { id, row }) => {
      ctx.state.orders.set(id, row)
      return null
    }),
    remove: command({ input: id, output: z.boolean() }, (ctx, id) => ctx.state.orders.delete(id)),
    /** Writes, reads what it has written, and refuses. */
    refuse: command({ input: z.object({ id, row: order }), output: z.int() }, (ctx, { id, row }) => {
      ctx.state.orders.set(id, row)
      ctx.state.orders.delete([id[0], id[1] + 1])
      return ctx.reject('CONFLICT', { count: ctx.state.orders.byPrice.count() })
    }),
    throws: command({ input: z.object({ id, row: order }), output: z.null() }, (ctx, { id, row }) => {
      ctx.state.orders.set(id, row)
      throw new Error('a bug')
    }),
    /** Several writes of one row in one entry, of which the last one counts. */
    change: command({ input: z.object({ id, rows: z.array(order) }), output: z.int() }, (ctx, { id, rows }) => {
      for (const row of rows) ctx.state.orders.set(id, row)
      return ctx.state.orders.byPrice.count()
    }),
    /** Pays what an owner has, by the index while it changes. */
    pay: command({ input: z.string(), output: z.int() }, (ctx, owner) => {
      const found = ctx.state.orders.byPaid.prefix([false, owner], { limit: 100 })
      for (const [key, row] of found) ctx.state.orders.set(key, { ...row, paid: true })
      return found.length
    }),
  },
  queries: {
    page: query({ input: page, output: z.unknown() }, (view, { index, ...bounds }) => {
      const found: AnyIndex = view.orders[index] as unknown as AnyIndex
      return found.range(bounds)
    }),
    count: query({ input: page, output: z.int() }, (view, { index, ...bounds }) => {
      const found: AnyIndex = view.orders[index] as unknown as AnyIndex
      return found.count(bounds)
    }),
  },
})
