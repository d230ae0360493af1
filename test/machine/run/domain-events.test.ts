import { describe, expect, test } from 'vitest'
import { z } from 'zod'
import { command, defineMachine, domainEvents, EVENTS_MAX, identityOf, mount, on } from '../../../src/machine/index.ts'
import { sessionCodec } from '../../../src/codec/session-codec.ts'
import { checkMachine, machineHarness, testCluster } from '../../../src/testing/index.ts'
import { book, bookEvents, echo, forger, shop, shopEvents, shopSchema, shopTables, sold } from './event-world.ts'

const all = [shop, echo, book, forger] as const
const world = (options: { failures?: 'throw' | 'collect' } = {}) => machineHarness(all, options)
const lines = (harness: ReturnType<typeof world>): string[] =>
  harness.table('book', 'lines').map(([, line]) => line as string)
const heard = (harness: ReturnType<typeof world>): string[] =>
  harness.table('echo', 'heard').map(([, line]) => line as string)

describe('a domain event', () => {
  test('reaches its listeners in the entry that published it, with the principal of that entry', () => {
    const harness = world()
    const before = harness.index
    const alice = harness.session('user:alice')
    expect(alice.machines.shop.sell({ items: ['pen'] })).toEqual({ kind: 'ok', value: 1 })
    expect(harness.index).toBe(before + 2)
    expect(lines(harness)).toEqual(['pen for 0 by user:alice'])
  })

  test('is delivered first in, first out, and to machines in the order of their names', () => {
    const harness = world()
    harness.session('user:alice').machines.shop.sell({ items: ['one', 'two'] })
    expect(lines(harness)).toEqual(['one for 0 by user:alice', 'two for 1 by user:alice'])
    // What `book` published about `one` waits until `two`, which was published before it, is delivered.
    expect(heard(harness)).toEqual(['sold one', 'sold two', 'wrote one for 0', 'wrote two for 1'])
  })

  test('is delivered in the same order however the machines are listed', () => {
    const listed = [book, shop, echo] as const
    const [one, other] = [machineHarness(all), machineHarness(listed)]
    for (const harness of [one, other]) harness.session('user:alice').machines.shop.sell({ items: ['one', 'two'] })
    expect(one.stateHash()).toBe(other.stateHash())
  })

  test('of an entry that is rejected is dropped', () => {
    const harness = world()
    const alice = harness.session('user:alice')
    expect(alice.machines.shop.refuse({ items: ['pen'] })).toMatchObject({ kind: 'rejected', code: 'CLOSED' })
    expect(lines(harness)).toEqual(['after the refusal for 0 by user:alice'])
    // No listener is asked about it: neither its refusal nor its throw takes the place of the command's own.
    for (const item of ['unwanted', 'bomb']) {
      expect(alice.machines.shop.refuse({ items: [item] })).toMatchObject({ kind: 'rejected', code: 'CLOSED' })
    }
    expect(lines(harness)).toHaveLength(3)
    alice.machines.shop.sell({ items: [] })
    expect(lines(harness)).toHaveLength(3)
  })

  test('D6 that a listener refuses rolls back the whole entry, and the client hears why', () => {
    const harness = world()
    const alice = harness.session('user:alice')
    expect(alice.machines.shop.sell({ items: ['pen', 'unwanted'] })).toEqual({
      kind: 'rejected',
      code: 'UNWANTED',
      details: { item: 'unwanted' },
    })
    expect(harness.table('shop', 'sales')).toEqual([])
    expect(lines(harness)).toEqual([])
    expect(heard(harness)).toEqual([])
  })

  test('at which a listener throws rolls back the whole entry as MACHINE_ERROR', () => {
    const harness = world({ failures: 'collect' })
    const alice = harness.session('user:alice')
    expect(alice.machines.shop.sell({ items: ['pen', 'bomb'] })).toMatchObject({ code: 'MACHINE_ERROR' })
    expect(harness.failures.map(String).join()).toContain('bang')
    expect(harness.table('shop', 'sales')).toEqual([])
    expect(lines(harness)).toEqual([])
  })

  test('is published by timers, results of tasks, their fallbacks, and sessions that come and go', () => {
    const harness = world()
    const alice = harness.session('user:alice')
    alice.machines.shop.later({ item: 'timed' })
    harness.advance('2s')
    const expert = harness.session('worker:expert', { roles: ['expert'] })
    for (const item of ['vase', 'fake']) alice.machines.shop.appraise({ item })
    const [vase, fake] = harness.tasks
    if (vase === undefined || fake === undefined) throw new Error('no tasks')
    expert.complete(vase, { price: 7 })
    expert.fail(fake, 'no idea')
    harness.session('user:buyer').close()
    expect(lines(harness)).toEqual([
      'timed for 1 by system',
      'vase for 7 by worker:expert',
      'fake: failed for 0 by system',
      'welcome for 0 by user:buyer',
      'goodbye for 0 by user:buyer',
    ])
  })

  test('that a listener refuses outside a command is a failure of the timer, task or hook', () => {
    const harness = world({ failures: 'collect' })
    const alice = harness.session('user:alice')
    alice.machines.shop.later({ item: 'unwanted' })
    harness.advance('2s')
    expect(harness.failures.map(String).join()).toContain('a listener refused an event with UNWANTED')
    expect(lines(harness)).toEqual([])
  })

  test(`is one of at most ${EVENTS_MAX} in an entry`, () => {
    const harness = world({ failures: 'collect' })
    const alice = harness.session('user:alice')
    expect(alice.machines.echo.repeat({ times: EVENTS_MAX - 1 })).toMatchObject({ kind: 'ok' })
    expect(alice.machines.echo.repeat({ times: EVENTS_MAX })).toMatchObject({ code: 'MACHINE_ERROR' })
    expect(harness.failures.map(String).join()).toContain(`more than ${EVENTS_MAX} events`)
  })

  test('that is not declared, or no plain data, is a bug of the publisher', () => {
    const harness = world({ failures: 'collect' })
    const alice = harness.session('user:alice')
    expect(alice.machines.shop.misspell({ value: false })).toMatchObject({ code: 'MACHINE_ERROR' })
    expect(harness.failures.map(String).join()).toContain('shop declares no event Solt')
    expect(alice.machines.shop.misspell({ value: true })).toMatchObject({
      code: 'MACHINE_ERROR',
      details: { reason: 'INVALID_VALUE' },
    })
  })

  test('of a machine that is not mounted may be listened to; one that its publisher does not declare may not', () => {
    expect(() => mount([book], sessionCodec)).not.toThrow()
    const stale = defineMachine(
      'stale',
      { version: 1, state: {} },
      { commands: {}, on: [on(domainEvents('shop', { Bought: sold }), 'Bought', () => undefined)] },
    )
    expect(() => mount([shop, stale], sessionCodec)).toThrow(/does not declare.*shop\.Bought/s)
  })

  test('has one handler in a machine', () => {
    const twice = on(shopEvents, 'Sold', () => undefined)
    expect(() => defineMachine('twice', { version: 1, state: {} }, { commands: {}, on: [twice, twice] })).toThrow(
      /one handler.*shop\.Sold/s,
    )
    expect(() => on({ ...bookEvents, shapes: {} } as typeof bookEvents, 'Written', () => undefined)).toThrow(
      /no such event/,
    )
    expect(() =>
      defineMachine('dotted', { version: 1, state: {}, events: { 'a.b': z.null() } }, { commands: {} }),
    ).toThrow(/no dot/)
  })

  test('that a migration publishes fails the migration', () => {
    const second = { ...shopSchema, version: 2 } as const
    const migrating = defineMachine('shop', second, {
      commands: {},
      timers: { clear: () => undefined },
      tasks: { 'shop.appraise': { onResult: () => null, onFailed: () => undefined } },
      migrations: { 2: (ctx) => ctx.publish('Sold', { item: 'x', price: 1 }) },
    })
    const { userMachine } = mount([shop, migrating, book], sessionCodec)
    const host = {
      activeVersion: () => 1,
      state: { range: () => [], bare: { range: () => [] } },
    } as unknown as Parameters<NonNullable<typeof userMachine.migrate>>[0]
    expect(() => userMachine.migrate?.(host, 'shop', { from: 1, to: 2 })?.next()).toThrow(/may change rows alone/)
  })
})

describe('a read across machines', () => {
  test('sees what the other machine changed in the same entry', () => {
    const harness = world()
    const alice = harness.session('user:alice')
    alice.machines.shop.sell({ items: ['pen'] })
    expect(alice.machines.book.stock({})).toEqual({ kind: 'ok', value: [['pen'], ['called']] })
    expect(alice.queries.book.shop({})).toEqual({ kind: 'ok', value: ['called'] })
  })

  test('has nothing to write with', () => {
    const harness = world({ failures: 'collect' })
    const alice = harness.session('user:alice')
    alice.machines.shop.sell({ items: ['pen'] })
    expect(alice.machines.forger.forge({})).toMatchObject({ code: 'MACHINE_ERROR' })
    expect(harness.table('shop', 'sales')).toEqual([[0, 'pen']])
  })

  test('finds the tables of a machine that is not mounted empty, with all that a table can be asked', () => {
    const asked = defineMachine(
      'asked',
      { version: 1, state: {} },
      {
        commands: {
          ask: command({ input: z.object({}), output: z.array(z.unknown()) }, (ctx) => {
            const { sales } = ctx.read(shopTables)
            return [sales.get(1) ?? null, sales.has(1), sales.count(), sales.range({ limit: 1 })]
          }),
        },
      },
    )
    const alone = machineHarness([asked, book])
    const alice = alone.session('user:alice')
    expect(alice.machines.asked.ask({})).toEqual({ kind: 'ok', value: [null, false, 0, []] })
    expect(alice.queries.book.shop({})).toEqual({ kind: 'ok', value: [] })
  })
})

describe('events and the identity of a machine', () => {
  test('events and subscriptions count, and only where there are some', () => {
    const { events, ...without } = shopSchema
    const silent = { ...shop, schema: without }
    expect(identityOf(silent).schema).not.toBe(identityOf(shop).schema)
    const none = { ...shop, schema: { ...shopSchema, events: {} } }
    expect(identityOf(none).schema).toBe(identityOf(silent).schema)
    const { on: heardOf, ...deaf } = book.behaviour
    expect(identityOf({ ...book, behaviour: deaf }).schema).not.toBe(identityOf(book).schema)
    expect(identityOf({ ...book, behaviour: { ...deaf, on: [] } })).toEqual(identityOf({ ...book, behaviour: deaf }))
    const otherwise = (heardOf ?? []).map((one) => ({ ...one, handle: () => undefined }))
    const changed = identityOf({ ...book, behaviour: { ...deaf, on: otherwise } })
    expect(changed.schema).toBe(identityOf(book).schema)
    expect(changed.code).not.toBe(identityOf(book).code)
    expect(Object.keys(events)).toEqual(['Sold', 'Counted'])
  })
})

describe('the test kit', () => {
  test('a cluster delivers events on every replica', async () => {
    const cluster = await testCluster([shop, book, echo], { nodes: 3, seed: 4 })
    const alice = await cluster.session('user:alice')
    await alice.machines.shop.sell({ items: ['pen'] })
    await cluster.killLeader()
    await alice.machines.shop.sell({ items: ['ink'] })
    const answer = await alice.queries.book.lines({})
    expect(answer).toMatchObject({ value: ['pen for 0 by user:alice', 'ink for 0 by user:alice'] })
  })

  test('a check drives the publisher, and its invariants read both machines', async () => {
    const { misspell: _planted, ...commands } = shop.commands
    const report = await checkMachine(book, {
      drive: [{ ...shop, commands }],
      runs: 8,
      stepsMax: 12,
      inputs: { 'shop.sell': [{ items: ['pen', 'ink'] }] },
      invariants: {
        'what was sold is written down': (tables, read) =>
          read(shopTables).sales.count() === 0 || tables.lines.count() > 0,
      },
    })
    expect(report.commands['stock']).toBeGreaterThan(0)
    const broken = checkMachine(book, {
      drive: [shop],
      replay: [{ do: 'command', by: 'user:1', machine: 'shop', command: 'sell', input: { items: ['pen'] } }],
      invariants: { 'nothing is sold': (_tables, read) => read(shopTables).sales.count() === 0 },
    })
    await expect(broken).rejects.toThrow('nothing is sold')
  })
})
