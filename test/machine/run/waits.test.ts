import { expect, test } from 'vitest'
import { z } from 'zod'
import { command, defineMachine, identityOf, isRejection, table, waitNotice } from '../../../src/machine/index.ts'
import { machineHarness } from '../../../src/testing/index.ts'

const item = z.object({ name: z.string() })
const input = z.object({ kind: z.enum(['item', 'door']), key: z.string() })
const BASE = { version: 1, state: { ended: table(z.string(), z.string()) } } as const
const DECLARED = { ...BASE, waits: { item, door: z.int() }, requests: { came: waitNotice(item) } } as const

const shop = defineMachine('shop', DECLARED, {
  commands: {
    wait: command({ input, output: z.string().nullable() }, (ctx, { kind, key }) => ctx.wait(kind, key)),
    item: command({ input: z.string(), output: z.string() }, (ctx, key) => ctx.signal('item', key, { name: key })),
    door: command({ input: z.string(), output: z.string() }, (ctx, key) => ctx.signal('door', key, 7)),
    undeclared: command({ input: z.null(), output: z.string().nullable() }, (ctx) => ctx.wait('window' as 'door', 'k')),
  },
  waits: {
    item: (ctx, { key, end }) => ctx.state.ended.set(key, end.kind === 'signalled' ? end.value.name : end.kind),
    // A chain: what comes to the door is an item for whoever waits for one.
    door: (ctx, { key, end }) => {
      if (end.kind === 'signalled') ctx.signal('item', key, { name: `door ${end.value}` })
    },
  },
})

/** Another machine, whose keys are its own. */
const other = defineMachine(
  'other',
  { ...BASE, waits: { item } },
  {
    commands: {
      item: command({ input: z.string(), output: z.string() }, (ctx, key) => ctx.signal('item', key, { name: key })),
      cancel: command({ input: z.string(), output: z.boolean() }, (ctx, waitId) => ctx.cancelWait(waitId)),
    },
    waits: { item: () => undefined },
  },
)

test('waits of a machine are apart by kind and key, and from those of other machines', () => {
  const harness = machineHarness([shop, other])
  const { machines } = harness.session('user:a')
  const waited = machines.shop.wait({ kind: 'item', key: 'k' })
  expect(waited).toEqual({ kind: 'ok', value: '1-wait-1' })
  expect(machines.shop.door('k')).toEqual({ kind: 'ok', value: 'kept' })
  expect(machines.shop.item('k/2')).toEqual({ kind: 'ok', value: 'kept' })
  expect(machines.other.item('k')).toEqual({ kind: 'ok', value: 'kept' })
  expect(machines.other.cancel('1-wait-1')).toEqual({ kind: 'ok', value: false })
  expect(harness.waits).toMatchObject([{ machine: 'shop', kind: 'item', key: 'k', waitId: '1-wait-1' }])
  // The kept one of the door ends this wait at once, and its handler's signal ends the other, in the same entry.
  const before = harness.index
  machines.shop.wait({ kind: 'door', key: 'k' })
  expect(harness.index).toBe(before + 1)
  expect(harness.table('shop', 'ended')).toEqual([['k', 'door 7']])
  machines.shop.wait({ kind: 'item', key: 'k/2' })
  expect(harness.table('shop', 'ended')).toContainEqual(['k/2', 'k/2'])
})

test('a kind that is not declared is a bug of the handler, and one without a handler one of the definition', () => {
  const harness = machineHarness([shop])
  expect(() => harness.session('user:a').machines.shop.undeclared(null)).toThrow('shop declares no wait window')
  expect(() => defineMachine('m', { ...BASE, waits: { a: item } }, { commands: {} })).toThrow('waits.a is declared')
  const slash = { ...BASE, waits: { 'a/b': item } }
  expect(() => defineMachine('m', slash, { commands: {}, waits: { 'a/b': () => undefined } })).toThrow('no slash')
})

test('a machine without waits has the fingerprint that it had; what a signal carries is part of one with', () => {
  const define = (waits: { readonly [kind: string]: z.ZodType }) =>
    defineMachine('m', { ...BASE, waits }, { commands: {}, waits: { a: () => undefined } })
  const schemas = [
    defineMachine('m', BASE, { commands: {} }),
    define({}),
    define({ a: item }),
    define({ a: z.int() }),
  ].map((machine) => identityOf(machine).schema)
  expect(schemas[0]).toBe(schemas[1])
  expect(new Set(schemas).size).toBe(3)
})

test('a wait or signal that found no room is no change: a command that was called may reject alone', () => {
  const called = defineMachine(
    'called',
    { ...BASE, waits: { item }, requests: { told: z.null() }, timers: { t: z.null() } } as const,
    {
      commands: {
        tries: command(
          { input: z.enum(['wait', 'signal', 'cancelWait', 'emit', 'cancel']), output: z.null() },
          (ctx, what) => {
            if (what === 'wait' && ctx.wait('item', 'k', { owner: ctx.session.id }) !== null) return null
            if (what === 'signal' && ctx.signal('item', 's', { name: 'x' }, { keptMax: 1 }) !== 'refused') return null
            if (what === 'cancelWait' && ctx.cancelWait('none')) return null
            if (what === 'emit' && ctx.emit('0/0/0' as typeof ctx.session.id, 'told', null)) return null
            if (what === 'cancel' && ctx.cancel('t')) return null
            return ctx.reject('CONFLICT')
          },
        ),
      },
      waits: { item: () => undefined },
      timers: { t: () => undefined },
    },
  )
  const caller = defineMachine('caller', BASE, {
    commands: {
      tries: command({ input: z.string(), output: z.string() }, (ctx, what) => {
        const answer = ctx.call('called', 'tries', what as never)
        return isRejection(answer) ? 'rejected' : 'done'
      }),
    },
  })
  const limits = {
    waits: { waitersPerKeyMax: 1, waitersPerSessionMax: 1, signalsPerKeyMax: 1, signalRetentionMaxMs: 1000 },
  }
  const harness = machineHarness([called, caller], { limits })
  const { machines } = harness.session('user:a')
  for (const what of ['wait', 'signal']) expect(machines.caller.tries(what)).toEqual({ kind: 'ok', value: 'done' })
  for (const what of ['wait', 'signal', 'cancelWait', 'emit', 'cancel']) {
    expect(machines.caller.tries(what)).toEqual({ kind: 'ok', value: 'rejected' })
  }
})
