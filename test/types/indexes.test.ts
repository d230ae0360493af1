import { describe, expectTypeOf, test } from 'vitest'
import { z } from 'zod'
import {
  type Context,
  type IndexesOn,
  type Table,
  table,
  type TableView,
  type TableViews,
} from '../../src/machine/index.ts'

const orders = table(
  z.tuple([z.string(), z.int()]),
  z.object({
    owner: z.string().nullable(),
    at: z.int().optional(),
    state: z.enum(['open', 'paid']),
    mark: z.instanceof(Uint8Array),
    tags: z.array(z.string()),
  }),
  { indexes: { byOwner: ['owner', 'at'], byState: ['state'] } },
)
const schema = {
  version: 1,
  state: { orders, plain: table(z.string(), z.object({ owner: z.string() })) },
} as const

type State = Context<typeof schema>['state']
type Views = TableViews<typeof schema>
type Key = readonly [string, number]
type ByOwner = State['orders']['byOwner']

describe('an index', () => {
  test('is a member of its table for handlers and queries, and a table without any is a table', () => {
    expectTypeOf<State['plain']>().toEqualTypeOf<Table<string, { owner: string }>>()
    expectTypeOf<Views['plain']>().toEqualTypeOf<TableView<string, { owner: string }>>()
    expectTypeOf<Views['orders']['byOwner']>().toEqualTypeOf<ByOwner>()
    expectTypeOf<State['orders']['set']>().toBeFunction()
    expectTypeOf<Views['orders']>().not.toHaveProperty('set')
    expectTypeOf<State['orders']>().not.toHaveProperty('byNothing')
  })

  test('is asked with the first of its fields, without null', () => {
    expectTypeOf<Parameters<ByOwner['prefix']>[0]>().toEqualTypeOf<
      readonly [] | readonly [string] | readonly [string, number]
    >()
    expectTypeOf<NonNullable<Parameters<State['orders']['byState']['range']>[0]['from']>>().toEqualTypeOf<
      readonly [] | readonly ['open' | 'paid']
    >()
  })

  test('gives keys and rows, of which the last one is where the next page begins', () => {
    type Rows = ReturnType<ByOwner['range']>
    expectTypeOf<Rows[number][0]>().toEqualTypeOf<Key>()
    expectTypeOf<Rows[number][1]['state']>().toEqualTypeOf<'open' | 'paid'>()
    expectTypeOf<Rows[number] | undefined>().toExtend<Parameters<ByOwner['range']>[0]['after']>()
    expectTypeOf<readonly [Key, { owner: string; at: number }]>().toExtend<Parameters<ByOwner['range']>[0]['after']>()
  })

  test('that cannot be does not compile', () => {
    type On = IndexesOn<{ owner: string; tags: string[]; at?: number | null }>
    expectTypeOf<{ readonly byOwner: readonly ['owner', 'at'] }>().toExtend<On>()
    expectTypeOf<{ readonly byOwner: readonly ['ownr'] }>().not.toExtend<On>()
    expectTypeOf<{ readonly byTags: readonly ['tags'] }>().not.toExtend<On>()
    expectTypeOf<{ readonly range: readonly ['owner'] }>().not.toExtend<On>()
    expectTypeOf<{ readonly byOwner: readonly [] }>().not.toExtend<On>()
    expectTypeOf<{ readonly byLength: readonly ['length'] }>().not.toExtend<IndexesOn<string>>()
    const either = z.union([z.object({ a: z.int() }), z.object({ b: z.string() })])
    expectTypeOf(table(z.string(), either, { indexes: { byA: ['a'], byB: ['b'] } })).toHaveProperty('indexes')
  })
})
