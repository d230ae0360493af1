import { expectTypeOf } from 'vitest'
import { z } from 'zod'
import {
  command,
  defineMachine,
  domainEvents,
  isRejection,
  on,
  query,
  table,
  tablesOf,
  task,
  type Context,
} from '../../../src/machine/index.ts'

export const sold = z.object({ item: z.string(), price: z.int() })
export const shopEvents = domainEvents('shop', { Sold: sold, Counted: z.object({ left: z.int() }) })

export const shopSchema = {
  version: 1,
  state: { sales: table(z.int(), z.string()) },
  errors: { CLOSED: z.object({}) },
  events: shopEvents.shapes,
  timers: { clear: z.object({ item: z.string() }) },
  tasks: {
    'shop.appraise': task({
      role: 'expert',
      leaseMs: 1_000,
      maxAttempts: 1,
      backoffMs: [],
      payload: z.object({ item: z.string() }),
      result: z.object({ price: z.int() }),
    }),
  },
} as const
type ShopContext = Context<typeof shopSchema>

const items = z.object({ items: z.array(z.string()) })

export const shop = defineMachine('shop', shopSchema, {
  commands: {
    sell: command({ input: items, output: z.int() }, (ctx, input) => {
      input.items.forEach((item, price) => {
        ctx.state.sales.set(price, item)
        ctx.publish('Sold', { item, price })
      })
      return input.items.length
    }),
    refuse: command({ input: items, output: z.null() }, (ctx: ShopContext, input) => {
      ctx.publish('Sold', { item: input.items[0] ?? '', price: 0 })
      ctx.afterReject((later) => later.publish('Sold', { item: 'after the refusal', price: 0 }))
      return ctx.reject('CLOSED', {})
    }),
    later: command({ input: z.object({ item: z.string() }), output: z.null() }, (ctx, { item }) => {
      ctx.schedule('clear', ctx.now + 1_000, { item })
      return null
    }),
    appraise: command({ input: z.object({ item: z.string() }), output: z.string() }, (ctx, { item }) =>
      ctx.task('shop.appraise', item, { item }),
    ),
    /** No plain data; or an event that the compiler refuses, and the kit too. */
    misspell: command({ input: z.object({ value: z.boolean() }), output: z.null() }, (ctx, input) => {
      expectTypeOf<Parameters<typeof ctx.publish>[0]>().toEqualTypeOf<'Sold' | 'Counted'>()
      if (input.value) ctx.publish('Sold', { item: 'x', price: Number.NaN })
      else (ctx as unknown as { publish(event: string, payload: object): void }).publish('Solt', {})
      return null
    }),
  },
  timers: { clear: (ctx, { item }) => ctx.publish('Sold', { item, price: 1 }) },
  tasks: {
    'shop.appraise': {
      onResult: (ctx, appraised, { price }) => {
        ctx.publish('Sold', { item: appraised.payload.item, price })
        return null
      },
      onFailed: (ctx, appraised) => ctx.publish('Sold', { item: `${appraised.payload.item}: failed`, price: 0 }),
    },
  },
  onSessionCreated: (ctx, session) => {
    if (session.principal === 'user:buyer') ctx.publish('Sold', { item: 'welcome', price: 0 })
  },
  onSessionExpired: (ctx, session) => {
    if (session.principal === 'user:buyer') ctx.publish('Sold', { item: 'goodbye', price: 0 })
  },
})

export const shopTables = tablesOf('shop', shopSchema)
export const bookEvents = domainEvents('book', { Written: z.object({ line: z.string() }) })
export const bookSchema = {
  version: 1,
  state: { lines: table(z.int(), z.string()) },
  errors: { UNWANTED: z.object({ item: z.string() }) },
  events: bookEvents.shapes,
} as const

/** Writes a line on what it hears, in the order in which it hears it. */
function write(ctx: Context<typeof bookSchema>, line: string): void {
  ctx.state.lines.set(ctx.state.lines.count(), `${line} by ${ctx.principal}`)
  ctx.publish('Written', { line })
}

export const book = defineMachine('book', bookSchema, {
  commands: {
    /** Reads the rows of another machine, before and after that machine changed them. */
    stock: command({ input: z.object({}), output: z.array(z.array(z.string())) }, (ctx) => {
      const { sales } = ctx.read(shopTables)
      expectTypeOf(sales.get(1)).toEqualTypeOf<string | undefined>()
      expectTypeOf(sales).not.toHaveProperty('set')
      const before = sales.range({ limit: 9 }).map(([, item]) => item)
      const answer = ctx.call(shop.commands.sell, { items: ['called'] })
      if (isRejection(answer)) return answer
      return [before, sales.range({ limit: 9 }).map(([, item]) => item)]
    }),
  },
  queries: {
    lines: query({ input: z.object({}), output: z.array(z.string()) }, (view) =>
      view.lines.range({ limit: 1_000 }).map(([, line]) => line),
    ),
    shop: query({ input: z.object({}), output: z.array(z.string()) }, (_view, _input, context) =>
      context
        .read(shopTables)
        .sales.range({ limit: 9 })
        .map(([, item]) => item),
    ),
  },
  on: [
    on(shopEvents, 'Sold', (ctx, { item, price }) => {
      expectTypeOf(price).toEqualTypeOf<number>()
      if (item === 'bomb') throw new Error('bang')
      if (item === 'unwanted') return ctx.reject('UNWANTED', { item })
      return write(ctx, `${item} for ${price}`)
    }),
  ],
})

/** Whoever passes the compiler by finds nothing to write with. */
export const forger = defineMachine(
  'forger',
  { version: 1, state: {} },
  {
    commands: {
      forge: command({ input: z.object({}), output: z.null() }, (ctx) => {
        ;(ctx.read(shopTables).sales as unknown as { set(key: number, row: string): void }).set(0, 'forged')
        return null
      }),
    },
  },
)

/** Comes after `book` by its name. Hears both; what it writes may publish for ever. */
export const echo = defineMachine(
  'echo',
  {
    version: 1,
    state: { heard: table(z.int(), z.string()) },
    events: domainEvents('echo', { Again: z.object({ left: z.int() }) }).shapes,
  },
  {
    commands: {
      repeat: command({ input: z.object({ times: z.int() }), output: z.null() }, (ctx, { times }) => {
        ctx.publish('Again', { left: times })
        return null
      }),
    },
    queries: {
      heard: query({ input: z.object({}), output: z.array(z.string()) }, (view) =>
        view.heard.range({ limit: 1_000 }).map(([, line]) => line),
      ),
    },
    on: [
      on(domainEvents('echo', { Again: z.object({ left: z.int() }) }), 'Again', (ctx, { left }) => {
        if (left > 0) ctx.publish('Again', { left: left - 1 })
      }),
      on(shopEvents, 'Sold', (ctx, { item }) => ctx.state.heard.set(ctx.state.heard.count(), `sold ${item}`)),
      on(bookEvents, 'Written', (ctx, { line }) => ctx.state.heard.set(ctx.state.heard.count(), `wrote ${line}`)),
    ],
  },
)
