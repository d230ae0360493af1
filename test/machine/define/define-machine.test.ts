import { describe, expect, expectTypeOf, test } from 'vitest'
import { z } from 'zod'
import { sessionId } from '../../../src/base/brand.ts'
import { sessionCodec } from '../../../src/codec/session-codec.ts'
import {
  CALL_DEPTH_MAX,
  command,
  defineMachine,
  isRejection,
  mount,
  query,
  table,
  task,
  type Context,
  type ContextOf,
  type InputOf,
  type OutputOf,
  type Rejection,
} from '../../../src/machine/index.ts'
import type { TaskRecord } from '../../../src/session/user-machine.ts'
import { MemoryHost, sessionOf } from '../run/memory-context.ts'

const codec = sessionCodec

const shopSchema = {
  version: 1,
  state: {
    orders: table(z.string(), z.object({ owner: z.string(), amount: z.int(), paid: z.boolean() })),
    byOwner: table(z.tuple([z.string(), z.int()]), z.null()),
  },
  errors: { TOO_DEAR: z.object({ max: z.int() }) },
  requests: { ordered: z.object({ id: z.string() }) },
  timers: { lapse: z.object({ id: z.string() }) },
  tasks: {
    'shop.charge': task({
      role: 'charger',
      leaseMs: 30_000,
      maxAttempts: 2,
      backoffMs: [5_000],
      payload: z.object({ id: z.string(), amount: z.int() }),
      result: z.object({ receipt: z.string() }),
    }),
  },
} as const

type ShopContext = Context<typeof shopSchema>

function findOrder(ctx: ShopContext, id: string) {
  const order = ctx.state.orders.get(id)
  if (order === undefined) return ctx.reject('NOT_FOUND', { entity: 'order', id, hint: undefined })
  return order
}

const shop = defineMachine('shop', shopSchema, {
  commands: {
    order: command(
      { input: z.object({ id: z.string(), amount: z.int() }), output: z.string() },
      (ctx, { id, amount }) => {
        ctx.audit({ seen: id })
        ctx.afterReject((later) => later.alert('refused', { id }))
        ctx.state.orders.set(id, { owner: ctx.principal, amount, paid: false })
        ctx.emit(ctx.session.id, 'ordered', { id }, { overflow: 'coalesce', key: id })
        if (amount > 100) return ctx.reject('TOO_DEAR', { max: 100 })
        ctx.state.byOwner.set([ctx.principal, ctx.index], null)
        ctx.schedule('lapse', ctx.now + 60_000, { id }, id)
        return ctx.task('shop.charge', id, { id, amount })
      },
    ),
    pay: command({ input: z.object({ id: z.string() }), output: z.boolean() }, (ctx, { id }) => {
      const order = findOrder(ctx, id)
      if (isRejection(order)) return order
      ctx.cancel('lapse', id)
      ctx.state.orders.set(id, { ...order, paid: true })
      return true
    }),
    later: command({ input: z.object({}), output: z.null() }, () => Promise.resolve(null) as unknown as null),
    mutate: command({ input: z.object({ id: z.string() }), output: z.null() }, (ctx, { id }) => {
      Object.assign(ctx.state.orders.get(id) ?? {}, { paid: true })
      return null
    }),
  },
  queries: {
    order: query({ input: z.string(), output: z.int() }, (view, id, ctx) => {
      const order = view.orders.get(id)
      if (order === undefined || order.owner !== ctx.session?.principal) return ctx.reject('NOT_FOUND')
      return order.amount
    }),
  },
  timers: {
    lapse: (ctx, { id }, key) => {
      ctx.state.orders.delete(id)
      ctx.notify('user:a', 'order.lapsed', {
        key,
        by: ctx.principal,
        told: ctx.emit(ctx.session.id, 'ordered', { id }),
      })
    },
  },
  tasks: {
    'shop.charge': {
      onResult: (ctx, charge, { receipt }) => {
        ctx.audit({ receipt, amount: charge.payload.amount })
        return { taken: true }
      },
      onFailed: (ctx, charge, reason) => {
        ctx.alert('charge failed', { id: charge.payload.id, reason })
      },
    },
  },
  onSessionCreated: (ctx, session) => (session.principal === 'user:banned' ? ctx.reject('FORBIDDEN') : undefined),
  onSessionExpired: (ctx, session, pending, reason) =>
    ctx.audit({ gone: session.principal, pending: pending.length, reason }),
  onDeadLetter: (ctx, request, target) => ctx.audit({ dead: request.type, target: target.principal }),
  migrations: { 2: (ctx) => ctx.state.orders.set('migrated', { owner: 'x', amount: 1, paid: true }) },
})

const buyer = defineMachine(
  'buyer',
  { version: 1, state: {}, errors: { SOLD_OUT: z.object({}) } },
  {
    commands: {
      buy: command({ input: z.object({ id: z.string(), amount: z.int() }), output: z.string() }, (ctx, input) => {
        const answer = ctx.call(shop.commands.order, input)
        return isRejection(answer) ? ctx.reject('SOLD_OUT', {}) : answer
      }),
      swallow: command({ input: z.object({ id: z.string(), amount: z.int() }), output: z.string() }, (ctx, input) => {
        const answer = ctx.call(shop.commands.order, input)
        return isRejection(answer) ? answer.code : answer
      }),
      /** Swallows a throw of the other machine, then calls it once more. */
      catch: command({ input: z.string(), output: z.string() }, (ctx, end) => {
        for (let times = 0; times <= CALL_DEPTH_MAX; times += 1) {
          try {
            ctx.call('breaker', 'half', null)
          } catch {
            // Swallowed: the bug under test.
          }
        }
        ctx.call(shop.commands.order, { id: end, amount: 1 })
        return end === 'reject' ? ctx.reject('SOLD_OUT', {}) : 'caught'
      }),
      ask: command({ input: z.object({ id: z.string() }), output: z.string() }, (ctx, input) => {
        const answer = ctx.call(shop.commands.pay, input)
        return isRejection(answer) ? answer.code : 'paid'
      }),
      byName: command({ input: z.string(), output: z.unknown() }, (ctx, name) => ctx.call(name, 'pay', { id: 'o-1' })),
      forever: command({ input: z.object({}), output: z.unknown() }, (ctx, input) =>
        ctx.call('buyer', 'forever', input),
      ),
    },
  },
)

const breaker = defineMachine(
  'breaker',
  { version: 1, state: { rows: table(z.string(), z.int()) } },
  {
    commands: {
      half: command({ input: z.null(), output: z.null() }, (ctx) => {
        ctx.state.rows.set('half', 1)
        throw new Error('a bug after half of it')
      }),
    },
  },
)

const host = () => new MemoryHost(mount([shop, buyer, breaker], codec).userMachine)
const order = { id: 'o-1', amount: 5 }

const taskRecord: TaskRecord = {
  taskId: '1-task-1',
  kind: 'shop.charge',
  machine: 'shop',
  role: 'charger',
  ref: 'o-1',
  payload: { id: 'o-1', amount: 5 },
  attempt: 1,
  maxAttempts: 2,
  leaseMs: 30_000,
  backoffMs: [5_000],
  assignedTo: null,
  leaseUntil: null,
  everLeased: false,
  status: 'LEASED',
  createdAt: 0,
  closedAt: null,
  result: null,
}

describe('types', () => {
  test('UINV-2 commands, rows, errors and timers are typed from the schema', () => {
    expectTypeOf<InputOf<typeof shop.commands.order>>().toEqualTypeOf<{ id: string; amount: number }>()
    expectTypeOf<OutputOf<typeof shop.commands.pay>>().toEqualTypeOf<boolean>()
    expectTypeOf<InputOf<typeof shop.queries.order>>().toEqualTypeOf<string>()
    expectTypeOf<ContextOf<typeof shop>['state']['orders']['get']>().returns.toEqualTypeOf<
      { readonly owner: string; readonly amount: number; readonly paid: boolean } | undefined
    >()
    expectTypeOf<Parameters<ShopContext['state']['byOwner']['get']>[0]>().toEqualTypeOf<readonly [string, number]>()
    expectTypeOf<Parameters<ShopContext['schedule']>[0]>().toEqualTypeOf<'lapse'>()
    expectTypeOf<Parameters<ShopContext['cancel']>[0]>().toEqualTypeOf<'lapse'>()
    expectTypeOf<Parameters<ShopContext['task']>[0]>().toEqualTypeOf<'shop.charge'>()
    expectTypeOf<Parameters<ShopContext['emit']>[1]>().toEqualTypeOf<'ordered'>()
    expectTypeOf<Parameters<ContextOf<typeof buyer>['emit']>[1]>().toEqualTypeOf<never>()
    expectTypeOf(shop.name).toEqualTypeOf<'shop'>()
    const rejects = (ctx: ShopContext) => ctx.reject('TOO_DEAR', { max: 1 })
    expectTypeOf(rejects).returns.toEqualTypeOf<Rejection<'TOO_DEAR', unknown>>()
    const calls = (ctx: ShopContext) => ctx.call(shop.commands.pay, { id: 'o-1' })
    expectTypeOf(calls).returns.toEqualTypeOf<boolean | Rejection<'NOT_FOUND'>>()
  })
})

describe('definitions', () => {
  const noCommands = { commands: {} }
  test("FR-001 a machine name outside its alphabet, or the framework's own, is refused", () => {
    expect(() => defineMachine('Shop', { version: 1, state: {} }, noCommands)).toThrow('a-z 0-9 -')
    expect(() => defineMachine('task', { version: 1, state: {} }, noCommands)).toThrow('belongs to the framework')
  })
  test('a declared task or timer without a handler is refused', () => {
    expect(() => defineMachine('shop', shopSchema, noCommands)).toThrow(
      'timers.lapse is declared in the schema but has no',
    )
  })
  test('versions, tables and timer kinds that cannot work are refused', () => {
    expect(() => defineMachine('shop', { version: 0, state: {} }, noCommands)).toThrow('integer from 1')
    const state = { 'a/b': table(z.string(), z.null()) }
    expect(() => defineMachine('shop', { version: 1, state }, noCommands)).toThrow('a table is named by')
    const timers = { 'a/b': z.null() }
    expect(() => defineMachine('shop', { version: 1, state: {}, timers }, noCommands)).toThrow('has no slash')
  })
  test('two machines of one name cannot be mounted together', () => {
    expect(() => mount([shop, shop], codec)).toThrow('two machines have one name and one version')
  })
})

describe('apply', () => {
  test('FR-001 UPR-1 UPR-2 a command gets typed state and its decoded input, and its value is the response', () => {
    const world = host()
    expect(world.apply('shop', 'order', order)).toEqual({ kind: 'value', value: '1-task-1' })
    expect(world.query('shop', 'order', 'o-1', sessionOf('user:a'))).toEqual({ kind: 'value', value: 5 })
    expect(world.effects).toEqual([
      ['audit', { seen: 'o-1' }],
      ['emit', sessionId(0, 1, 7), 'shop.ordered', { id: 'o-1' }, { overflow: 'coalesce', key: 'o-1' }],
      ['schedule', 'shop', 'lapse/o-1', 61_000, { id: 'o-1' }],
      [
        'task',
        'shop',
        { kind: 'shop.charge', role: 'charger', leaseMs: 30_000, maxAttempts: 2, backoffMs: [5_000] },
        'o-1',
        { id: 'o-1', amount: 5 },
      ],
    ])
  })
  test('UPC-4 a rejection is a plain outcome; rows and requests roll back, audit and afterReject stay', () => {
    const world = host()
    const outcome = world.apply('shop', 'order', { id: 'o-1', amount: 101 })
    expect(outcome).toEqual({ kind: 'reject', code: 'TOO_DEAR', details: { max: 100 } })
    expect(Object.getPrototypeOf(outcome)).toBe(Object.prototype)
    expect(world.store.rows.size).toBe(0)
    expect(world.effects).toEqual([
      ['audit', { seen: 'o-1' }],
      ['alert', 'refused', { id: 'o-1' }],
    ])
  })
  test('UPC-4 a function that a handler calls refuses by returning the rejection; undefined details are left out', () => {
    const details = { entity: 'order', id: 'o-9' }
    expect(host().apply('shop', 'pay', { id: 'o-9' })).toStrictEqual({ kind: 'reject', code: 'NOT_FOUND', details })
  })
  test('UPC-4 an unknown machine, command or query is a rejection', () => {
    const world = host()
    expect(world.apply('shap', 'order', order)).toMatchObject({ kind: 'reject', code: 'UNKNOWN_MACHINE' })
    expect(world.apply('shop', 'ordr', order)).toMatchObject({ kind: 'reject', code: 'UNKNOWN_COMMAND' })
    expect(world.apply('shop', 'toString', order)).toMatchObject({ kind: 'reject', code: 'UNKNOWN_COMMAND' })
    expect(world.query('shop', 'ordr', 'o-1')).toMatchObject({ kind: 'reject', code: 'UNKNOWN_QUERY' })
    expect(world.query('shop', 'toString', 'o-1')).toMatchObject({ kind: 'reject', code: 'UNKNOWN_QUERY' })
    expect(world.query('shap', 'order', 'o-1')).toMatchObject({ kind: 'reject', code: 'UNKNOWN_MACHINE' })
  })
  test('a handler that returns a promise is refused with the way out', () => {
    expect(() => host().apply('shop', 'later', {})).toThrow('later of machine shop returned a promise')
    expect(() => host().apply('shop', 'later', {})).toThrow('ctx.task')
  })
  test('a context kept beyond its call throws', () => {
    let kept: { readonly now: number } | undefined
    const keeper = defineMachine(
      'keeper',
      { version: 1, state: { rows: table(z.string(), z.null()) } },
      {
        commands: {
          keep: command({ input: z.null(), output: z.null() }, (ctx) => {
            kept = ctx
            return null
          }),
        },
      },
    )
    new MemoryHost(mount([keeper], codec).userMachine).apply('keeper', 'keep', null)
    expect(() => kept?.now).toThrow('outside the call it was given to')
  })
  test('UPC-1 FR-002 the same commands on two mounts give the same answers, rows and effects', () => {
    const run = () => {
      const world = host()
      const answers = [
        world.apply('shop', 'order', order),
        world.apply('shop', 'pay', order),
        world.apply('buyer', 'buy', order),
      ]
      return { answers, rows: [...world.store.rows], effects: world.effects }
    }
    expect(run()).toEqual(run())
  })
})

describe('ctx.call', () => {
  test('runs the other machine in the same transaction', () => {
    const world = host()
    expect(world.apply('buyer', 'buy', order)).toEqual({ kind: 'value', value: '1-task-1' })
    expect(world.query('shop', 'order', 'o-1', sessionOf('user:a'))).toEqual({ kind: 'value', value: 5 })
  })
  test('a rejection of the other machine may be answered by one of our own', () => {
    const world = host()
    expect(world.apply('buyer', 'buy', { id: 'o-1', amount: 101 })).toMatchObject({ code: 'SOLD_OUT' })
    expect(world.store.rows.size).toBe(0)
  })
  test('swallowing a rejection that had changed something throws, so that no half command commits', () => {
    expect(() => host().apply('buyer', 'swallow', { id: 'o-1', amount: 101 })).toThrow('return a rejection too')
  })
  test('D6 swallowing a throw of the other machine throws in the end, so that no half command commits', () => {
    const world = host()
    expect(() => world.apply('buyer', 'catch', 'o-1')).toThrow('return a rejection too')
    expect(world.store.rows.size).toBe(0)
  })
  test('a throw that was swallowed may end in a rejection, and uses up no depth', () => {
    const world = host()
    expect(world.apply('buyer', 'catch', 'reject')).toMatchObject({ kind: 'reject', code: 'SOLD_OUT' })
    expect(world.store.rows.size).toBe(0)
    expect(world.apply('buyer', 'buy', order)).toMatchObject({ kind: 'value' })
  })
  test('a rejection that had changed nothing may be turned into a value', () => {
    expect(host().apply('buyer', 'ask', { id: 'o-9' })).toEqual({ kind: 'value', value: 'NOT_FOUND' })
  })
  test('works by name, and an unknown machine is a bug', () => {
    const world = host()
    expect(world.apply('buyer', 'byName', 'shop')).toMatchObject({ code: 'NOT_FOUND' })
    expect(() => world.apply('buyer', 'byName', 'shap')).toThrow(
      'no machine shap is mounted; mounted: breaker, buyer, shop',
    )
  })
  test('endless calls stop at a fixed depth, long before the stack does, and the next command is unharmed', () => {
    const world = host()
    expect(() => world.apply('buyer', 'forever', {})).toThrow(`more than ${CALL_DEPTH_MAX} deep`)
    expect(world.apply('buyer', 'buy', order)).toMatchObject({ kind: 'value' })
  })
})

describe('timers, tasks and hooks', () => {
  test('a timer runs with the payload and key it was armed with, as the principal system', () => {
    const world = host()
    world.apply('shop', 'order', order)
    world.effects = []
    const timer = { machine: 'shop', name: 'lapse/o-1', payload: { id: 'o-1' } }
    world.transaction(null, (context) => world.machine.onTimer?.(context, timer))
    expect(world.effects.at(-1)).toEqual(['notify', 'user:a', 'order.lapsed', { key: 'o-1', by: 'system', told: true }])
    expect(world.effects[0]).toEqual(['emit', '0/0/0', 'shop.ordered', { id: 'o-1' }])
    expect(() => world.machine.onTimer?.(world.context(null, []), { ...timer, name: 'lapsed' })).toThrow(
      'no handler for timer',
    )
  })
  test('a task result that fits is taken; one that does not is invalid, with paths and codes only', () => {
    const world = host()
    const give = (result: { readonly [name: string]: string | number }) =>
      world.transaction(sessionOf('worker:w'), (context) => world.machine.onTaskResult?.(context, taskRecord, result))
    expect(give({ receipt: 'r-1' })).toEqual({ kind: 'done', value: { taken: true } })
    expect(world.effects).toEqual([['audit', { receipt: 'r-1', amount: 5 }]])
    expect(give({ receipt: 4 })).toEqual({
      kind: 'invalid',
      details: { issues: [{ path: '.receipt', code: 'invalid_type' }] },
    })
    expect(give({ receipt: 'r-1', extra: 1 })).toMatchObject({ kind: 'invalid' })
  })
  test("a task that failed for good runs its kind's fallback", () => {
    const world = host()
    world.transaction(null, (context) => world.machine.onTaskFailed?.(context, taskRecord, 'LEASE_EXPIRED'))
    expect(world.effects).toEqual([['alert', 'charge failed', { id: 'o-1', reason: 'LEASE_EXPIRED' }]])
  })
  test('onSessionCreated may refuse, onSessionExpired and onDeadLetter see what ended', () => {
    const world = host()
    const created = (principal: string) =>
      world.transaction(null, (context) => world.machine.onSessionCreated(context, sessionOf(principal)))
    expect(created('user:a')).toBeUndefined()
    expect(created('user:banned')).toEqual({ kind: 'reject', code: 'FORBIDDEN', details: {} })
    world.transaction(null, (context) => world.machine.onSessionExpired(context, sessionOf('user:a'), [], 'closed'))
    expect(world.effects).toEqual([['audit', { gone: 'user:a', pending: 0, reason: 'closed' }]])
  })
})
