import { describe, expect, test } from 'vitest'
import { generateCallbacks } from '../../../../src/machines/payments/tools/generate-callbacks.ts'
import { parseStkCallback } from '../../../../src/machines/payments/tools/mpesa.ts'
import { planReplay, type ReplayPlan } from '../../../../src/machines/payments/tools/plan-replay.ts'

describe('domain.md §3.13 generated replay files', () => {
  const lines = [...generateCallbacks({ count: 20_000, seed: 7 })]

  test('domain.md §3.13 a file is a function of its seed and has exactly its lines', () => {
    expect(lines).toHaveLength(20_000)
    expect([...generateCallbacks({ count: 500, seed: 7 })]).toEqual([...generateCallbacks({ count: 500, seed: 7 })])
    expect([...generateCallbacks({ count: 500, seed: 8 })]).not.toEqual([...generateCallbacks({ count: 500, seed: 7 })])
    for (const count of [0, 1, 99, 100, 1001]) expect([...generateCallbacks({ count, seed: 1 })]).toHaveLength(count)
    expect(lines.every((line) => !line.includes('\n'))).toBe(true)
  })

  test('domain.md §3.13 15 % are duplicates, 5 % failures, 0.1 % malformed, spread over many bookings', () => {
    const plan = planReplay(lines)
    const firsts = new Set(lines)
    const pushes = plan.bookings.flatMap((booking) => booking.steps.filter((step) => step.kind === 'attempt'))
    const callbacks = plan.bookings.flatMap((booking) => booking.steps.filter((step) => step.kind === 'callback'))
    const failures = callbacks.filter((step) => step.kind === 'callback' && step.callback.outcome === 'failure')
    expect(plan.received).toBe(20_000)
    expect(callbacks.length + plan.malformed.length).toBe(20_000)
    expect(plan.malformed).toHaveLength(20)
    expect((lines.length - firsts.size) / lines.length).toBeCloseTo(0.15, 1.5)
    expect(failures.length / callbacks.length).toBeCloseTo(0.05, 1.8)
    expect(plan.bookings.length).toBeGreaterThan(15_000)
    expect(pushes.length).toBeGreaterThan(plan.bookings.length + 100)
  })

  test('domain.md §3.13 about a tenth of the bookings are overtaken by a later one', () => {
    const order = planReplay(lines).bookings.map((booking) => Number(booking.key.split('-')[1]))
    let highest = 0
    const overtaken = order.filter((number) => {
      highest = Math.max(highest, number)
      return number < highest
    })
    expect(overtaken.length / order.length).toBeCloseTo(0.1, 1.5)
  })

  test('domain.md §3.13 every short file of a hundred lines has a malformed one, with its number and reason', () => {
    for (let seed = 1; seed <= 20; seed += 1) {
      const short = [...generateCallbacks({ count: 100, seed })]
      const { malformed } = planReplay(short)
      expect(malformed).toHaveLength(1)
      for (const { line, field, reason } of malformed) {
        expect(parseStkCallback(short[line - 1])).toEqual({ ok: false, field, reason })
      }
    }
  })

  test('domain.md §3.13 every amount is in whole shillings, and pushes of one booking have one MerchantRequestID', () => {
    const { bookings } = planReplay(lines)
    const callbacks = bookings.flatMap(({ steps }) => steps.flatMap((step) => (step.kind === 'callback' ? [step] : [])))
    expect(callbacks.filter(({ callback }) => (callback.amountMinor ?? 0) % 100 !== 0)).toEqual([])
    for (const { key, steps } of bookings) {
      const merchants = steps.flatMap((step) => (step.kind === 'attempt' ? [step.merchantRequestId] : []))
      expect(new Set(merchants)).toEqual(new Set([key]))
    }
    expect(
      bookings.filter(({ steps }) => steps.filter(({ kind }) => kind === 'attempt').length > 1).length,
    ).toBeGreaterThan(0)
  })
})

describe('domain.md §3.13 planning a replay', () => {
  const push = (merchant: string, checkout: string, code: number, amount = 5): string => {
    const CallbackMetadata = { Item: [{ Name: 'Amount', Value: amount }] }
    const ids = { MerchantRequestID: merchant, CheckoutRequestID: checkout }
    return JSON.stringify({ Body: { stkCallback: { ...ids, ResultCode: code, ResultDesc: 'x', CallbackMetadata } } })
  }
  const checkoutsOf = (plan: ReplayPlan): string[][] =>
    plan.bookings.map(({ steps }) =>
      steps.flatMap((step) => (step.kind === 'callback' ? [step.callback.checkoutRequestId] : [])),
    )

  test('domain.md §3.13 the steps of a booking: attempt 1, its callbacks, attempt 2, its callbacks', () => {
    const plan = planReplay([
      push('a-1-1', 'co-1', 1032),
      push('a-2-1', 'co-9', 0, 12.5),
      '',
      push('a-1-1', 'co-1', 1032),
      'nonsense',
      push('a-1-1', 'co-2', 0),
      push('a-1-1', 'co-1', 1032),
    ])
    expect(plan.received).toBe(6)
    expect(plan.malformed).toEqual([{ line: 5, body: 1, field: 'body', reason: 'is not JSON' }])
    expect(plan.bookings.map((booking) => [booking.key, booking.number, booking.priceMinor])).toEqual([
      ['a-1-1', 1, 500],
      ['a-2-1', 2, 1200],
    ])
    expect(
      plan.bookings[0]?.steps.map((step) =>
        step.kind === 'attempt' ? `${step.no} ${step.checkoutRequestId}` : step.line,
      ),
    ).toEqual(['1 co-1', 1, 4, '2 co-2', 6, 7])
  })

  test('domain.md §3.13 pushes that name no common booking are bookings of their own; the price is known or 1,000', () => {
    const plan = planReplay([push('lone', 'co-1', 1), push('other', 'co-2', 0)])
    expect(plan.bookings.map((booking) => booking.key)).toEqual(['lone', 'other'])
    expect(plan.bookings.map((booking) => booking.priceMinor)).toEqual([100_000, 500])
  })

  test.each([
    ['a final number', '7001-1-1', '7001-1-2'],
    ['a final number of many digits', 'a1c2-4d3e-9f40-500303', 'a1c2-4d3e-9f40-500355'],
    ['upper and lower case', 'AB-1', 'ab-1'],
  ])('domain.md §3.13 MerchantRequestIDs that differ in %s are two customers', (_what, one, other) => {
    expect(checkoutsOf(planReplay([push(one, 'co-1', 0), push(other, 'co-2', 0)]))).toEqual([['co-1'], ['co-2']])
  })

  test('domain.md §3.13 a push is its CheckoutRequestID alone: told under another MerchantRequestID it is the same', () => {
    const plan = planReplay([push('7002-1-1', 'co-1', 0), push('9992-7-1', 'co-1', 0), push('9992-7-1', 'co-2', 0)])
    expect(checkoutsOf(plan)).toEqual([['co-1', 'co-1'], ['co-2']])
    expect(plan.bookings[0]?.steps.filter(({ kind }) => kind === 'attempt')).toHaveLength(1)
  })

  test.each<[number, number]>([
    [0, 100],
    [0.5, 100],
    [1500.5, 150_000],
    [99_999_999_999, 1_000_000_000_000],
  ])('domain.md §3.13 a booking whose first payment was %d has a price in whole shillings', (amount, price) => {
    expect(planReplay([push('m', 'co-1', 0, amount)]).bookings[0]?.priceMinor).toBe(price)
  })

  test('domain.md §3.13 several bodies on one line are each taken, and what is none is said with its place', () => {
    const [one, two, three] = [push('a', 'co-1', 0), push('b', 'co-2', 0), push('c', 'co-3', 0)]
    for (const line of [
      `${one}${two}${three}`,
      `${one} ${two}\t${three}`,
      `${one},${two},${three},`,
      `[${one},${two},${three}]`,
    ]) {
      const plan = planReplay([line])
      expect(checkoutsOf(plan)).toEqual([['co-1'], ['co-2'], ['co-3']])
      expect(plan).toMatchObject({ received: 3, malformed: [] })
    }
    const torn = planReplay([`HTTP 200 ${one}${two.slice(0, 60)}${three} and more`, `[${one},7]`])
    expect(checkoutsOf(torn)).toEqual([['co-1', 'co-1'], ['co-3']])
    expect(torn.received).toBe(7)
    expect(torn.malformed).toMatchObject([
      { line: 1, body: 1, field: 'body', reason: 'is not JSON' },
      { line: 1, body: 3, field: 'body' },
      { line: 1, body: 5, field: 'body' },
      { line: 2, body: 2, field: 'body', reason: 'is not an object' },
    ])
  })

  test('domain.md §3.13 braces and bodies inside a description are text', () => {
    const tricky = push('a', 'co-1', 0).replace('"x"', JSON.stringify('} {"Body": \\" [ \u2028'))
    expect(planReplay([`${tricky}${tricky}`])).toMatchObject({ received: 2, malformed: [] })
  })

  test('domain.md §3.13 a byte-order mark before a body is taken', () => {
    const plan = planReplay([
      `\uFEFF${push('a', 'co-1', 0)}`,
      `\uFEFF${push('b', 'co-2', 0)}\uFEFF${push('c', 'co-3', 0)}`,
    ])
    expect(plan).toMatchObject({ received: 3, malformed: [] })
  })

  test('domain.md §3.13 no two bookings of one client or therapist overlap', () => {
    const { bookings } = planReplay(generateCallbacks({ count: 2000, seed: 3 }), { lanes: 5, run: 'x' })
    const slots = bookings.map((booking) => `${booking.clientId} ${booking.therapistId} ${booking.startsAfterMs}`)
    expect(new Set(slots).size).toBe(bookings.length)
    expect(new Set(bookings.map((booking) => booking.clientId)).size).toBe(5)
    expect(bookings.every((booking) => booking.durationMin * 60_000 <= 3_600_000)).toBe(true)
  })
})
