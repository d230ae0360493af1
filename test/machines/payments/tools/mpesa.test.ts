import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { sessionCodec } from '../../../../src/codec/session-codec.ts'
import { mount } from '../../../../src/machine/run/mount.ts'
import { generateCallbacks } from '../../../../src/machines/payments/tools/generate-callbacks.ts'
import { payments } from '../../../../src/machines/payments/machine.ts'
import { CAPTURE_MINOR_MAX } from '../../../../src/machines/payments/facts/payment-bounds.ts'
import { amountMinorOf, parseStkCallback } from '../../../../src/machines/payments/tools/mpesa.ts'
import { planReplay } from '../../../../src/machines/payments/tools/plan-replay.ts'
import { sample } from '../../../effort.ts'

const body = (changes: object = {}, items?: unknown): unknown => ({
  Body: {
    stkCallback: {
      MerchantRequestID: '29115-34620561-1',
      CheckoutRequestID: 'ws_CO_191220191020363925',
      ResultCode: 0,
      ResultDesc: 'The service request is processed successfully.',
      CallbackMetadata: {
        Item: items ?? [
          { Name: 'Amount', Value: 1.0 },
          { Name: 'MpesaReceiptNumber', Value: 'NLJ7RT61SV' },
          { Name: 'Balance' },
          { Name: 'TransactionDate', Value: 20191219102115 },
          { Name: 'PhoneNumber', Value: 254708374149 },
        ],
      },
      ...changes,
    },
  },
})

const CALLBACK = {
  transactionId: 'ws_CO_191220191020363925',
  checkoutRequestId: 'ws_CO_191220191020363925',
  merchantRequestId: '29115-34620561-1',
  outcome: 'success',
  amountMinor: 100,
  receipt: 'NLJ7RT61SV',
  resultCode: '0',
  resultDesc: 'The service request is processed successfully.',
}

describe('domain.md §3.13 the M-Pesa callback', () => {
  test("domain.md §3.13 the provider's own example parses, as value and as text; the phone number stays out", () => {
    expect(parseStkCallback(body())).toEqual({ ok: true, callback: CALLBACK })
    expect(parseStkCallback(JSON.stringify(body()))).toEqual({ ok: true, callback: CALLBACK })
    expect(JSON.stringify(parseStkCallback(body()))).not.toContain('254708374149')
  })

  test('the keys of a parsed callback stand as the schema orders them, so that the parser at the edge keeps its bytes', () => {
    const { parse } = mount([payments], sessionCodec)
    for (const changes of [{}, { ResultCode: 1032, CallbackMetadata: {} }]) {
      const parsed = parseStkCallback(body(changes))
      const bytes = sessionCodec.encodeValue(parsed.ok ? { ...parsed.callback } : null)
      const command = parse('payments', 'paymentCallback', bytes)
      expect(command.ok && command.input).toBe(bytes)
    }
  })

  test('domain.md §3.13 ResultCode 0 is success as number and as text; anything else is failure', () => {
    for (const code of [0, -0, '0', '00', ' 0 ']) {
      expect(parseStkCallback(body({ ResultCode: code }))).toMatchObject({
        callback: { outcome: 'success', resultCode: '0' },
      })
    }
    for (const code of [1, 1032, '1', '2001', 'SFC_IC0003', -1, 0.5]) {
      const parsed = parseStkCallback(body({ ResultCode: code }))
      expect(parsed).toMatchObject({ callback: { outcome: 'failure', resultCode: String(code) } })
    }
  })

  test('domain.md §3.13 a failure needs no metadata and carries no money', () => {
    const parsed = parseStkCallback(
      body({ ResultCode: 1032, ResultDesc: 'Request cancelled by user', CallbackMetadata: 'x' }),
    )
    expect(parsed).toEqual({
      ok: true,
      callback: {
        transactionId: 'ws_CO_191220191020363925',
        checkoutRequestId: 'ws_CO_191220191020363925',
        merchantRequestId: '29115-34620561-1',
        outcome: 'failure',
        resultCode: '1032',
        resultDesc: 'Request cancelled by user',
      },
    })
  })

  test.each<[unknown, string, string]>([
    ['', 'body', 'is not JSON'],
    ['{"Body":', 'body', 'is not JSON'],
    ['null', 'body', 'is not an object'],
    [undefined, 'body', 'is missing'],
    [[], 'body', 'is not an object'],
    [{}, 'Body', 'is missing'],
    [{ Body: {} }, 'Body.stkCallback', 'is missing'],
    [body({ MerchantRequestID: undefined }), 'Body.stkCallback.MerchantRequestID', 'is missing'],
    [body({ CheckoutRequestID: 7 }), 'Body.stkCallback.CheckoutRequestID', 'is not a string'],
    [body({ CheckoutRequestID: ' ' }), 'Body.stkCallback.CheckoutRequestID', 'is empty'],
    [body({ CheckoutRequestID: 'x'.repeat(129) }), 'Body.stkCallback.CheckoutRequestID', 'is longer than 128'],
    [body({ CheckoutRequestID: 'x\ud800' }), 'Body.stkCallback.CheckoutRequestID', 'is not well-formed text'],
    [body({ ResultCode: null }), 'Body.stkCallback.ResultCode', 'is not a string'],
    [body({ ResultDesc: 5 }), 'Body.stkCallback.ResultDesc', 'is not a string'],
    [body({ CallbackMetadata: undefined }), 'Body.stkCallback.CallbackMetadata', 'is missing'],
    [body({ CallbackMetadata: {} }), 'Body.stkCallback.CallbackMetadata.Item', 'is not a list'],
    [body({}, []), 'Body.stkCallback.CallbackMetadata.Item.Amount', 'is not an amount in shillings'],
    [body({}, [null]), 'Body.stkCallback.CallbackMetadata.Item', 'is not an object'],
    [
      body({}, [{ Name: 'Amount', Value: -1 }]),
      'Body.stkCallback.CallbackMetadata.Item.Amount',
      'is not an amount in shillings',
    ],
    [
      body({}, [
        { Name: 'Amount', Value: 1 },
        { Name: 'Amount', Value: 2 },
      ]),
      'Body.stkCallback.CallbackMetadata.Item.Amount',
      'is given twice',
    ],
    [
      body({}, [
        { Name: 'Amount', Value: 1 },
        { Name: 'MpesaReceiptNumber', Value: 9 },
      ]),
      'Body.stkCallback.CallbackMetadata.Item.MpesaReceiptNumber',
      'is not a string',
    ],
  ])('domain.md §3.13 %j is refused at %s: %s', (input, field, reason) => {
    expect(parseStkCallback(input)).toEqual({ ok: false, field, reason })
  })

  test('domain.md §3.13 a missing or over-long description does not lose the money', () => {
    expect(parseStkCallback(body({ ResultDesc: undefined }))).toMatchObject({ callback: { resultDesc: '' } })
    expect(parseStkCallback(body({ ResultDesc: 'x'.repeat(999) }))).toMatchObject({
      callback: { resultDesc: 'x'.repeat(256) },
    })
    expect(parseStkCallback(body({ ResultDesc: 'a\ud800' }))).toMatchObject({ callback: { resultDesc: 'a\ufffd' } })
    expect(parseStkCallback(body({}, [{ Name: 'Amount', Value: 7 }]))).toMatchObject({
      ok: true,
      callback: { amountMinor: 700 },
    })
  })

  test('domain.md §3.13 any JSON is a value, never a throw', () => {
    fc.assert(
      fc.property(fc.oneof(fc.jsonValue(), fc.string()), (value) => {
        expect(typeof parseStkCallback(value).ok).toBe('boolean')
      }),
    )
  })
})

describe('domain.md §3.13 amounts', () => {
  test.each<[unknown, number | null]>([
    ['1500.00', 150_000],
    [1500, 150_000],
    [1500.5, 150_050],
    ['1500.50', 150_050],
    ['0.01', 1],
    [0.07, 7],
    [1.1, 110],
    [0, 0],
    ['007', 700],
    [' 12.3 ', 1230],
    ['1500.005', null],
    ['1500.500', 150_050],
    [1e21, null],
    [1e-7, null],
    ['1e3', null],
    ['+5', null],
    [-5, null],
    ['', null],
    ['.5', null],
    ['5.', null],
    [Number.NaN, null],
    [null, null],
    [true, null],
    ['9999999999999.99', CAPTURE_MINOR_MAX],
    ['10000000000000', null],
    ['0x10', null],
    ['1,500', null],
  ])('domain.md §3.13 %j is %j minor units', (value, minor) => expect(amountMinorOf(value)).toBe(minor))

  test('domain.md §3.13 every amount up to fifteen digits survives, as text and as a JSON number', () => {
    fc.assert(
      fc.property(fc.integer({ min: 0, max: CAPTURE_MINOR_MAX }), (minor) => {
        const text = `${Math.floor(minor / 100)}.${String(minor % 100).padStart(2, '0')}`
        expect(amountMinorOf(text)).toBe(minor)
        expect(amountMinorOf(JSON.parse(text))).toBe(minor)
      }),
      { numRuns: sample(1000) },
    )
  })
})

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
})

describe('domain.md §3.13 planning a replay', () => {
  const push = (merchant: string, checkout: string, code: number, amount = 5): string =>
    JSON.stringify(
      body({ MerchantRequestID: merchant, CheckoutRequestID: checkout, ResultCode: code }, [
        { Name: 'Amount', Value: amount },
      ]),
    )

  test('domain.md §3.13 the steps of a booking: attempt 1, its callbacks, attempt 2, its callbacks', () => {
    const plan = planReplay([
      push('a-1-1', 'co-1', 1032),
      push('a-2-1', 'co-9', 0, 12.5),
      '',
      push('a-1-1', 'co-1', 1032),
      'nonsense',
      push('a-1-2', 'co-2', 0),
      push('a-1-1', 'co-1', 1032),
    ])
    expect(plan.received).toBe(6)
    expect(plan.malformed).toEqual([{ line: 5, field: 'body', reason: 'is not JSON' }])
    expect(plan.bookings.map((booking) => [booking.key, booking.number, booking.priceMinor])).toEqual([
      ['a-1', 1, 500],
      ['a-2', 2, 1250],
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

  test('domain.md §3.13 no two bookings of one client or therapist overlap', () => {
    const { bookings } = planReplay(generateCallbacks({ count: 2000, seed: 3 }), { lanes: 5, run: 'x' })
    const slots = bookings.map((booking) => `${booking.clientId} ${booking.therapistId} ${booking.startsAfterMs}`)
    expect(new Set(slots).size).toBe(bookings.length)
    expect(new Set(bookings.map((booking) => booking.clientId)).size).toBe(5)
    expect(bookings.every((booking) => booking.durationMin * 60_000 <= 3_600_000)).toBe(true)
  })
})
