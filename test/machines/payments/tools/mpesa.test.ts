import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { sessionCodec } from '../../../../src/codec/session-codec.ts'
import { mount } from '../../../../src/machine/run/mount.ts'
import { payments } from '../../../../src/machines/payments/machine.ts'
import { CAPTURE_MINOR_MAX } from '../../../../src/machines/payments/facts/payment-bounds.ts'
import { amountMinorOf, parseStkCallback } from '../../../../src/machines/payments/tools/mpesa.ts'
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
    [body({}, ['x']), 'Body.stkCallback.CallbackMetadata.Item', 'is not an object'],
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
      'is given twice, with two values',
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
