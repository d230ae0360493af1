import { mkdirSync, writeFileSync } from 'node:fs'
import { dirname } from 'node:path'

/** Orders of one owner among those that the module fills in. */
export const ORDERS_PER_OWNER = 20

/** One machine twice, of which one keeps an index of its table; everything else of them is the same. */
const MODULE = `
import { command, defineMachine, query, table } from 'holdfast'
import { z } from 'zod'

const row = z.object({ owner: z.string(), at: z.int(), seen: z.int(), note: z.string() })
const id = z.string()
const idOf = (at) => 'order-' + String(at).padStart(9, '0')
const ownerOf = (at, owners) => 'owner-' + String(at % owners).padStart(7, '0')
const NOTE = 'n'.repeat(80)

const machineOf = (name, options) =>
  defineMachine(
    name,
    { version: 1, state: { orders: table(id, row, options) } },
    {
      commands: {
        fill: command({ input: z.object({ from: z.int(), count: z.int(), owners: z.int() }), output: z.null() }, (ctx, { from, count, owners }) => {
          for (let at = from; at < from + count; at += 1)
            ctx.state.orders.set(idOf(at), { owner: ownerOf(at, owners), at, seen: 0, note: NOTE })
          return null
        }),
        insert: command({ input: z.object({ id, owner: z.string(), at: z.int() }), output: z.null() }, (ctx, { id, owner, at }) => {
          ctx.state.orders.set(id, { owner, at, seen: 0, note: NOTE })
          return null
        }),
        move: command({ input: z.object({ id, owner: z.string(), at: z.int() }), output: z.null() }, (ctx, { id, owner }) => {
          const before = ctx.state.orders.get(id)
          if (before === undefined) return ctx.reject('NOT_FOUND', { id })
          ctx.state.orders.set(id, { ...before, owner })
          return null
        }),
        touch: command({ input: z.object({ id, owner: z.string(), at: z.int() }), output: z.null() }, (ctx, { id }) => {
          const before = ctx.state.orders.get(id)
          if (before === undefined) return ctx.reject('NOT_FOUND', { id })
          ctx.state.orders.set(id, { ...before, seen: before.seen + 1 })
          return null
        }),
      },
      queries: {
        of: query({ input: z.object({ owner: z.string(), limit: z.int() }), output: z.array(row) }, (view, { owner, limit }) =>
          (view.orders.byOwner?.prefix([owner], { limit, reverse: true }) ?? []).map(([, order]) => order),
        ),
        from: query({ input: z.object({ id, limit: z.int() }), output: z.array(row) }, (view, { id, limit }) =>
          view.orders.range({ from: id, limit }).map(([, order]) => order),
        ),
      },
    },
  )

export const plain = machineOf('plain', {})
export const indexed = machineOf('indexed', { indexes: { byOwner: ['owner', 'at'] } })
`

/** Writes the module of the machines `plain` and `indexed`. */
export function writeOrdersModule(path: string): void {
  mkdirSync(dirname(path), { recursive: true })
  writeFileSync(path, MODULE.trimStart())
}

/** The names that the module gives. */
export const idOf = (at: number): string => `order-${String(at).padStart(9, '0')}`
export const ownerOf = (at: number, owners: number): string => `owner-${String(at % owners).padStart(7, '0')}`
