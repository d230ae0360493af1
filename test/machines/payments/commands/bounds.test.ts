import { describe, expect, test } from 'vitest'
import { z } from 'zod'
import { MINUTE_MS } from '../../../../src/base/time.ts'
import type { Value } from '../../../../src/codec/value/value.ts'
import type { Outcome } from '../../../../src/session/user-machine.ts'
import { payments } from '../../../../src/machines/payments/machine.ts'
import { ADMIN, CLIENT, PRICE, THERAPIST, WORKER, World } from '../world.ts'

/** Every number that a command, a query or a task's result takes, at the ends of what a number can be. */

type Fields = { readonly [name: string]: Value }
const LAST = Number.MAX_SAFE_INTEGER
const EXTREMES = [0, 1, -1, -LAST, LAST, LAST - 1, LAST - 3_600_000, 8_640_000_000_000_000, 8_640_000_000_000_001, 0.5]
const told = { transactionId: 'tx-1', outcome: 'success', resultDesc: '', receipt: 'R-1' }
const page = { limit: 1 }

/** By name, who may ask and an input that has every number there is in its schema. */
const COMMANDS: { readonly [name: string]: readonly [by: string, input: Fields] } = {
  requestBooking: [
    CLIENT,
    { therapistId: THERAPIST, startsAt: 1.8e12, durationMin: 60, priceMinor: PRICE, currency: 'KES', forms: [] },
  ],
  approve: [THERAPIST, { id: 'bkg-1', expectPriceMinor: PRICE }],
  paymentCallback: [WORKER, { ...told, attemptId: 'att-1', amountMinor: PRICE, resultCode: 0 }],
  verifyPaymentManually: [ADMIN, { id: 'bkg-1', transactionId: 'R-2', amountMinor: PRICE, note: '' }],
  keepUnparsed: [WORKER, { field: 'body', reason: 'is not JSON', body: '{', bytes: 1 }],
}
const QUERIES: { readonly [name: string]: readonly [by: string, input: Fields] } = {
  list: [CLIENT, { after: 0, ...page }],
  audit: [ADMIN, { from: 1, ...page }],
  stuck: [ADMIN, { now: 1.8e12, after: { clientId: CLIENT, startsAt: 1 }, ...page }],
  suspense: [ADMIN, page],
  reviews: [ADMIN, page],
  receipts: [ADMIN, page],
  refunds: [ADMIN, page],
  unparsed: [ADMIN, { before: 1, ...page }],
}

type JsonSchema = { readonly [word: string]: unknown }

/** Paths of the numbers in a schema. */
function numbersOf(schema: JsonSchema, path: readonly string[] = []): string[] {
  const { type, properties = {}, items, anyOf = [], oneOf = [] } = schema
  if (type === 'integer' || type === 'number') return [path.join('.')]
  const inside = Object.entries(properties as Record<string, JsonSchema>)
  return [
    ...inside.flatMap(([name, property]) => numbersOf(property, [...path, name])),
    ...(items === undefined ? [] : numbersOf(items as JsonSchema, [...path, '0'])),
    ...[...(anyOf as JsonSchema[]), ...(oneOf as JsonSchema[])].flatMap((branch) => numbersOf(branch, path)),
  ]
}
const numbersIn = (input: z.ZodType): string[] => {
  const schema = z.toJSONSchema(input, { io: 'input', unrepresentable: 'any' })
  return [...new Set(numbersOf(schema as JsonSchema))].sort()
}

/** The input with one number replaced. */
function withNumber(input: Value, path: readonly string[], number: number): Value {
  const [name, ...rest] = path
  if (name === undefined) return number
  const fields = input as Fields
  return { ...fields, [name]: withNumber(fields[name] ?? {}, rest, number) }
}

const crashed = (outcome: Outcome): boolean =>
  outcome.kind === 'reject' && ['MACHINE_ERROR', 'INTERNAL_INVARIANT'].includes(outcome.code)
const failures = (world: World) => world.log.reports.filter(({ kind }) => kind === 'failure')

describe('numbers at the ends of what a number can be', () => {
  test('every command and query that takes numbers stands in the tables of this test, with all of them', () => {
    const wanted = (handles: { readonly [name: string]: { readonly input: z.ZodType } }) =>
      Object.entries(handles)
        .map(([name, { input }]) => [name, numbersIn(input)] as const)
        .filter(([, numbers]) => numbers.length > 0)
    const leaves = (value: Value, path: readonly string[] = []): string[] =>
      typeof value === 'number'
        ? [path.join('.')]
        : typeof value === 'object' && value !== null
          ? Object.entries(value as Fields).flatMap(([name, inside]) => leaves(inside, [...path, name]))
          : []
    const here = (table: typeof COMMANDS) =>
      Object.entries(table).map(([name, [, input]]) => [name, leaves(input).sort()] as const)
    expect(here(COMMANDS).sort()).toEqual(wanted(payments.commands).sort())
    expect(here(QUERIES).sort()).toEqual(wanted(payments.queries).sort())
  })

  const cases = (table: typeof COMMANDS) =>
    Object.entries(table).flatMap(([name, [by, input]]) =>
      numbersIn((table === COMMANDS ? payments.commands : payments.queries)[name as never]['input']).map(
        (path) => [name, path, by, input] as const,
      ),
    )

  test.each(cases(COMMANDS))(
    '%s {%s} is answered or refused, and every query answers after it',
    (name, path, by, input) => {
      for (const number of EXTREMES) {
        const world = new World()
        if (name === 'approve') world.request()
        else if (name !== 'requestBooking') world.booked('payment_pending')
        expect([number, crashed(world.send(by, name, withNumber(input, path.split('.'), number)))]).toEqual([
          number,
          false,
        ])
        for (const [query, [asker, asked]] of Object.entries(QUERIES)) {
          expect([number, query, crashed(world.ask(asker, query, asked))]).toEqual([number, query, false])
        }
        expect(crashed(world.ask(ADMIN, 'totals', {}))).toBe(false)
        expect([number, failures(world)]).toEqual([number, []])
      }
    },
  )

  test.each(cases(QUERIES))('query %s {%s} is answered or refused', (name, path, by, input) => {
    const world = new World()
    world.booked('paid')
    world.callback({ transactionId: 'co-9', checkoutRequestId: 'co-9' })
    for (const number of EXTREMES) {
      const outcome = world.ask(by, name, withNumber(input, path.split('.'), number))
      expect([number, crashed(outcome)]).toEqual([number, false])
    }
    expect(failures(world)).toEqual([])
  })

  test('the answer to a query of the provider, and its callback, at every amount', () => {
    for (const amountMinor of EXTREMES) {
      const world = new World()
      world.booked('payment_pending')
      world.startPushes()
      world.pass(5 * MINUTE_MS)
      const [task] = world.tasks('payment.query')
      if (task === undefined) throw new Error('the provider was not asked')
      const { taskId, attempt } = task
      const final = { ...told, amountMinor, resultCode: 0 }
      expect([
        amountMinor,
        crashed(world.send(WORKER, 'complete', { taskId, attempt, result: { final } }, 'task')),
      ]).toEqual([amountMinor, false])
      expect(failures(world)).toEqual([])
    }
  })

  test('an appointment at the last moment there is goes all the way to its end', () => {
    const world = new World()
    const startsAt = 8_640_000_000_000_000
    for (const state of ['ready', 'cancelled'] as const) {
      const id = world.booked(state, { startsAt: state === 'ready' ? startsAt : startsAt - 36e5 })
      for (const query of ['canJoin', 'refundQuote', 'get'])
        expect(crashed(world.ask(CLIENT, query, { id }))).toBe(false)
      expect(crashed(world.send(CLIENT, 'joinVideo', { id }))).toBe(false)
      expect(crashed(world.send(CLIENT, 'cancel', { id, reason: 'other' }))).toBe(false)
    }
    expect(failures(world)).toEqual([])
    const late = { therapistId: THERAPIST, startsAt: startsAt + 1, durationMin: 60, priceMinor: PRICE, currency: 'KES' }
    expect(world.refused(CLIENT, 'requestBooking', late)).toMatchObject({ code: 'VALIDATION_ERROR' })
  })
})
