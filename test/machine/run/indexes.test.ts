import { describe, expect, test } from 'vitest'
import { z } from 'zod'
import { sessionCodec } from '../../../src/codec/session-codec.ts'
import { command, defineMachine, mount, query, table, tablesOf } from '../../../src/machine/index.ts'
import { MemoryHost } from './memory-context.ts'
import { book, type Order, type OrderId, type Page } from './order-book.ts'

const ORDER: Order = { owner: 'ann', at: 1, price: 1, paid: false }

/** A book of orders, and what is asked of it. */
class Book {
  readonly host = new MemoryHost(mount([book], sessionCodec).userMachine)

  put(id: OrderId, row: Partial<Order> = {}): void {
    const outcome = this.host.apply('book', 'put', { id, row: { ...ORDER, ...row } } as never)
    expect(outcome).toEqual({ kind: 'value', value: null })
  }

  page(asked: Page): readonly (readonly [OrderId, Order])[] {
    const outcome = this.host.query('book', 'page', asked as never)
    if (outcome?.kind !== 'value') throw new Error(JSON.stringify(outcome))
    return outcome.value as never
  }

  ids(asked: Omit<Page, 'limit'> & { limit?: number }): string[] {
    return this.page({ limit: 100, ...asked }).map(([id]) => id.join(''))
  }

  count(asked: Omit<Page, 'limit'>): unknown {
    return this.host.query('book', 'count', { limit: 1, ...asked } as never)
  }

  /** Keys of the rows of indexes. */
  entries(): string[] {
    return [...this.host.store.rows.keys()].filter((key) => key.startsWith('book/.')).sort()
  }
}

describe('an index', () => {
  test('gives rows by its fields in their order, equal ones by key', () => {
    const all = new Book()
    all.put(['b', 2], { owner: 'ann', at: 10 })
    all.put(['b', 1], { owner: 'ann', at: 10 })
    all.put(['a', 3], { owner: 'ann', at: 9 })
    all.put(['c', 0], { owner: 'annabel', at: -1 })
    expect(all.ids({ index: 'byOwner' })).toEqual(['a3', 'b1', 'b2', 'c0'])
    expect(all.ids({ index: 'byOwner', reverse: true })).toEqual(['c0', 'b2', 'b1', 'a3'])
    expect(all.ids({ index: 'byOwner', prefix: ['ann'] })).toEqual(['a3', 'b1', 'b2'])
    expect(all.ids({ index: 'byOwner', prefix: ['ann', 10] })).toEqual(['b1', 'b2'])
    expect(all.ids({ index: 'byOwner', prefix: ['an'] })).toEqual([])
    expect(all.page({ index: 'byOwner', prefix: ['ann'], limit: 1 })).toEqual([[['a', 3], { ...ORDER, at: 9 }]])
  })

  test('has bounds by its fields, and counts', () => {
    const all = new Book()
    for (const at of [-5, 0, 3, 1000]) all.put(['a', at], { at })
    all.put(['b', 0], { owner: 'bob', at: 3 })
    const ann = { index: 'byOwner' as const, prefix: ['ann'] }
    expect(all.ids({ ...ann, from: ['ann', 0], to: ['ann', 1000] })).toEqual(['a0', 'a3'])
    expect(all.ids({ index: 'byOwner', from: ['ann', 4] })).toEqual(['a1000', 'b0'])
    expect(all.ids({ index: 'byOwner', to: ['bob'] })).toEqual(['a-5', 'a0', 'a3', 'a1000'])
    expect(all.count({ ...ann, from: ['ann', 0] })).toEqual({ kind: 'value', value: 3 })
    expect(all.count({ index: 'byOwner', prefix: [] })).toEqual({ kind: 'value', value: 5 })
    expect(all.count({ ...ann, from: ['b'] })).toEqual({ kind: 'value', value: 0 })
  })

  test('is read in pages, each behind the last row of the one before, also when that one is gone', () => {
    const all = new Book()
    for (let number = 0; number < 7; number += 1) all.put(['a', number], { at: number % 2 })
    for (const reverse of [false, true]) {
      const whole = all.ids({ index: 'byOwner', reverse })
      const seen: string[] = []
      for (let after: Page['after']; ; ) {
        const rows = all.page({ index: 'byOwner', limit: 2, reverse, ...(after === undefined ? {} : { after }) })
        const last = rows.at(-1)
        if (last === undefined) break
        seen.push(...rows.map(([id]) => id.join('')))
        after = last as Page['after']
      }
      expect(seen).toEqual(whole)
    }
    const [first] = all.page({ index: 'byOwner', limit: 1 })
    expect(first?.[0]).toEqual(['a', 0])
    all.host.apply('book', 'remove', ['a', 0])
    expect(all.ids({ index: 'byOwner', limit: 2, after: first as Page['after'] })).toEqual(['a2', 'a4'])
    expect(() => all.ids({ index: 'byOwner', after: [['a', 0], { ...ORDER, owner: null }] })).toThrow(
      'not in the index',
    )
  })

  test('orders numbers by value, false before true, bytes as bytes, and leaves out what is null or absent', () => {
    const all = new Book()
    const prices = [1.5, -1.5, 0, 2 ** 53 - 1, 5e-324, 1 - 2 ** 53, 1.25, 2, -2, 2 ** 32, 0.1]
    for (const [number, price] of prices.entries()) all.put(['p', number], { price, owner: null })
    const sorted = [...prices].sort((left, right) => left - right).map((price) => `p${prices.indexOf(price)}`)
    expect(all.ids({ index: 'byPrice' })).toEqual(sorted)
    expect(all.ids({ index: 'byPrice', from: [-1.5], to: [0.1] })).toEqual(['p1', 'p2', 'p4'])
    expect(all.ids({ index: 'byPrice', from: [-0], to: [5e-324] })).toEqual(['p2'])
    expect(all.ids({ index: 'byOwner' })).toEqual([])
    const marks = [[0x80], [1, 2], [1], [0], [0xff, 0], [0, 0xff], []]
    for (const [number, mark] of marks.entries()) all.put(['m', number], { mark: Uint8Array.from(mark), paid: true })
    expect(all.ids({ index: 'byMark' })).toEqual(['m6', 'm3', 'm5', 'm2', 'm1', 'm0', 'm4'])
    expect(all.ids({ index: 'byMark', prefix: [Uint8Array.of(1)] })).toEqual(['m2'])
    all.put(['n', 0], { paid: false })
    expect(all.ids({ index: 'byPaid' })[0]).toBe('n0')
  })

  test('follows its rows: an update moves, a removal removes, and each row has one entry at most', () => {
    const all = new Book()
    all.put(['a', 1], { owner: 'ann' })
    expect(all.entries()).toHaveLength(3)
    all.put(['a', 1], { owner: 'bob', mark: Uint8Array.of(7) })
    expect(all.ids({ index: 'byOwner', prefix: ['ann'] })).toEqual([])
    expect(all.ids({ index: 'byOwner', prefix: ['bob'] })).toEqual(['a1'])
    expect(all.entries()).toHaveLength(4)
    all.put(['a', 1], { owner: null })
    expect(all.ids({ index: 'byOwner' })).toEqual([])
    expect(all.entries()).toHaveLength(1)
    expect(all.host.apply('book', 'remove', ['a', 1])).toEqual({ kind: 'value', value: true })
    expect(all.host.apply('book', 'remove', ['a', 1])).toEqual({ kind: 'value', value: false })
    expect(all.entries()).toEqual([])
  })

  test('has rows as docs/format.md says, byte for byte', () => {
    const all = new Book()
    all.put(['a', 1], { owner: 'ann', at: -1, price: -1.5, paid: true, mark: Uint8Array.of(0, 0xff) })
    all.put(['a', 2], { owner: null, at: 0, price: 1.5, paid: false })
    const hex = (bytes: string): string => Buffer.from(bytes, 'latin1').toString('hex')
    const rows = all.entries().map((key) => {
      const fields = key.lastIndexOf('/') + 1
      return [key.slice(0, fields), hex(key.slice(fields)), all.host.store.get(key)]
    })
    const id = (number: number): string => `02610001800000000000000${number}`
    expect(rows).toEqual([
      ['book/.orders/mark/', `020101c3bf00${id(1)}`, true],
      ['book/.orders/owner,at/', `02616e6e00017fffffffffffffff${id(1)}`, true],
      ['book/.orders/paid,owner/', `01800000000000000102616e6e00${id(1)}`, true],
      ['book/.orders/price~/', `01800000004007ffff0180000000ffffffff${id(1)}`, true],
      ['book/.orders/price~/', `0180000000bff80000018000000000000000${id(2)}`, true],
    ])
  })

  test('is read by the handler that changes it', () => {
    const all = new Book()
    for (const number of [1, 2, 3]) all.put(['a', number], { paid: number === 2 })
    expect(all.host.apply('book', 'pay', 'ann')).toEqual({ kind: 'value', value: 2 })
    expect(all.ids({ index: 'byPaid', prefix: [true, 'ann'] })).toEqual(['a1', 'a2', 'a3'])
    expect(all.ids({ index: 'byPaid', prefix: [false] })).toEqual([])
  })

  test('is not written where none of its fields changes', () => {
    const all = new Book()
    all.put(['a', 1])
    const written: string[] = []
    const { store } = all.host
    const set = store.set.bind(store)
    store.set = (key, row) => {
      written.push(key)
      set(key, row)
    }
    const { add } = store.bare
    store.bare.add = (key) => {
      written.push(key)
      add(key)
    }
    all.put(['a', 1], { mark: Uint8Array.of(1) })
    expect(written.map((key) => key.split('/')[1])).toEqual(['orders', '.orders'])
    written.length = 0
    all.put(['a', 1], { mark: Uint8Array.of(1) })
    expect(written.map((key) => key.split('/')[1])).toEqual(['orders'])
  })

  test('needs a limit, no more fields than it has, and values that it can hold', () => {
    const all = new Book()
    expect(() => all.ids({ index: 'byOwner', limit: 0 })).toThrow('an index needs a limit')
    expect(() => all.ids({ index: 'byPrice', prefix: [1, 2] })).toThrow('more fields than it has')
    expect(() => all.ids({ index: 'byOwner', prefix: [['ann']] })).toThrow('cannot hold')
    expect(() => all.ids({ index: 'byOwner', prefix: ['ann', 1.5] })).toThrow('cannot hold')
    expect(() => all.ids({ index: 'byPrice', from: [Number.NaN] })).toThrow('cannot hold')
  })

  test('a row that it cannot order is a bug of the handler, and nothing of it is written', () => {
    const all = new Book()
    expect(() => all.put(['a', 1], { at: 1.5 })).toThrow('cannot order by')
    expect(() => all.put(['a', 1], { owner: {} as string })).toThrow('cannot order by')
    expect(all.host.store.rows.size).toBe(0)
  })
})

describe('an index of another machine', () => {
  const shelves = {
    version: 1,
    state: { items: table(z.string(), z.object({ place: z.string() }), { indexes: { byPlace: ['place'] } }) },
  } as const
  const ref = tablesOf('shelf', shelves)
  const shelf = defineMachine('shelf', shelves, {
    commands: {
      put: command({ input: z.tuple([z.string(), z.string()]), output: z.null() }, (ctx, [name, place]) => {
        ctx.state.items.set(name, { place })
        return null
      }),
    },
  })
  const reader = defineMachine(
    'reader',
    { version: 1, state: {} },
    {
      commands: {
        read: command({ input: z.string(), output: z.int() }, (ctx, place) =>
          ctx.read(ref).items.byPlace.count({ prefix: [place] }),
        ),
      },
      queries: {
        read: query({ input: z.string(), output: z.array(z.string()) }, (_view, place, ctx) =>
          ctx
            .read(ref)
            .items.byPlace.prefix([place], { limit: 9 })
            .map(([name]) => name),
        ),
      },
    },
  )

  test('is read by commands and queries, and is empty where that machine is not mounted', () => {
    const host = new MemoryHost(mount([shelf, reader], sessionCodec).userMachine)
    host.apply('shelf', 'put', ['chair', 'cellar'])
    expect(host.apply('reader', 'read', 'cellar')).toEqual({ kind: 'value', value: 1 })
    expect(host.query('reader', 'read', 'cellar')).toEqual({ kind: 'value', value: ['chair'] })
    const alone = new MemoryHost(mount([reader], sessionCodec).userMachine)
    expect(alone.apply('reader', 'read', 'cellar')).toEqual({ kind: 'value', value: 0 })
    expect(alone.query('reader', 'read', 'cellar')).toEqual({ kind: 'value', value: [] })
  })

  test('that the version which runs lacks is an error that says so, whatever table it is of', () => {
    const { indexes: _, ...items } = shelves.state.items
    const older = defineMachine('shelf', { version: 1, state: { items } }, { commands: {} })
    const host = new MemoryHost(mount([older, reader], sessionCodec).userMachine)
    const sentence = 'the index shelf.items.byPlace is not there'
    expect(() => host.apply('reader', 'read', 'cellar')).toThrow(sentence)
    expect(() => host.query('reader', 'read', 'cellar')).toThrow(sentence)
  })
})
