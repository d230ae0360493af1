import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { RESULT_CODES, resultCodeOf } from '../../../../src/machines/payments/facts/result-codes.ts'
import { parseStkQuery } from '../../../../src/machines/payments/tools/stk-query.ts'

const answer = (changes: object = {}): object => ({
  ResponseCode: '0',
  ResponseDescription: 'The service request has been accepted successfully',
  MerchantRequestID: '8001-60001-1',
  CheckoutRequestID: 'ws_CO_1',
  ResultCode: '0',
  ResultDesc: 'The service request is processed successfully.',
  ...changes,
})

/** The codes that end a push, and those that do not, as the table of domain.md §3.13 has them. */
const FINAL = [
  '1',
  '2',
  '3',
  '4',
  '8',
  '17',
  '26',
  '1001',
  '1019',
  '1025',
  '1031',
  '1032',
  '1036',
  '1037',
  '2001',
  '2028',
  '9999',
  'SFC_IC0003',
]
const NOT_FINAL = ['4999', '500.001.1001', '500.003.02']

describe('domain.md §3.13 answers to queries', () => {
  test('domain.md §3.13 0 is a success, as text and as a number; it names the push and no amount', () => {
    const paid = {
      verdict: 'success',
      resultCode: '0',
      resultDesc: 'The service request is processed successfully.',
      checkoutRequestId: 'ws_CO_1',
    }
    expect(parseStkQuery(answer())).toEqual(paid)
    expect(parseStkQuery(answer({ ResultCode: 0 }))).toEqual(paid)
    expect(parseStkQuery(`\uFEFF${JSON.stringify(answer({ ResultCode: ' 00 ' }))}`)).toEqual(paid)
  })

  test.each(FINAL)('domain.md §3.13 %s is a failure', (code) => {
    expect(parseStkQuery(answer({ ResultCode: code }))).toMatchObject({ verdict: 'failure', resultCode: code })
    if (/^\d+$/.test(code)) expect(parseStkQuery(answer({ ResultCode: Number(code) })).verdict).toBe('failure')
  })

  test.each([...NOT_FINAL, '77', 'SFC_IC9999', '-1'])('domain.md §3.13 %s is not final', (code) => {
    expect(parseStkQuery(answer({ ResultCode: code }))).toMatchObject({ verdict: 'notFinal', resultCode: code })
  })

  test('domain.md §3.13 a refused query is not final, whatever else it says', () => {
    const refused = { requestId: '1', errorCode: '500.001.1001', errorMessage: 'The transaction is being processed' }
    expect(parseStkQuery(refused)).toEqual({
      verdict: 'notFinal',
      resultCode: '500.001.1001',
      resultDesc: 'The transaction is being processed',
      checkoutRequestId: null,
    })
    expect(parseStkQuery({ ...answer(), ...refused }).verdict).toBe('notFinal')
  })

  test('domain.md §3.13 a push that was accepted and has no result yet is not final', () => {
    expect(parseStkQuery(answer({ ResultCode: undefined })).verdict).toBe('notFinal')
  })

  test('domain.md §3.13 anything at all is a verdict, and only a known code ends a push', () => {
    fc.assert(
      fc.property(fc.oneof(fc.jsonValue(), fc.string(), fc.record({ ResultCode: fc.jsonValue() })), (value) => {
        const { verdict, resultCode } = parseStkQuery(value)
        if (verdict !== 'notFinal') expect(resultCodeOf(resultCode ?? '')?.final).toBe(true)
      }),
    )
  })

  test('domain.md §3.13 the table has each code once, with meaning, end, advice and source', () => {
    expect(RESULT_CODES.map(({ code }) => code)).toEqual([...new Set(RESULT_CODES.map(({ code }) => code))])
    const ends = (final: boolean): string[] =>
      RESULT_CODES.filter((known) => known.final === final)
        .map(({ code }) => code)
        .sort()
    expect(ends(true)).toEqual(['0', ...FINAL].sort())
    expect(ends(false)).toEqual([...NOT_FINAL].sort())
    for (const { meaning, retry, final } of RESULT_CODES) {
      expect(meaning).not.toBe('')
      expect(retry === 'ask').toBe(!final)
    }
  })
})
