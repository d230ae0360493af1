import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { decodeErrorInfo, encodeStatus, grpcFailure } from '../../src/protocol/error-info.ts'
import { explainError, GRPC_STATUS, isRetryable, listErrors } from '../../src/protocol/errors.ts'

describe('the registry of errors', () => {
  test('P-07 every entry has a cause and a cure in full sentences and a gRPC status', () => {
    for (const { code, scope, entry } of listErrors()) {
      expect([scope, code, /^[A-Z][A-Z_]+$/.test(code)]).toEqual([scope, code, true])
      for (const sentence of [entry.cause, entry.cure]) expect([code, /^\S.*[.]$/.test(sentence)]).toEqual([code, true])
      expect(GRPC_STATUS[entry.status]).toBeGreaterThan(0)
    }
  })

  test('a code is looked up by scope, and unknown ones are neither explained nor retried', () => {
    expect(explainError('request', 'NOT_LEADER')).toMatchObject({ status: 'UNAVAILABLE', retryable: true })
    expect(explainError('peer', 'NOT_LEADER')).toBe(null)
    expect(explainError('request', 'constructor')).toBe(null)
    expect([
      isRetryable('request', 'OVERLOADED'),
      isRetryable('request', 'VALIDATION_ERROR'),
      isRetryable('request', 'x'),
    ]).toEqual([true, false, false])
    expect(listErrors('MALFORMED_FRAME').map(({ scope }) => scope)).toEqual(['connection', 'peer'])
  })

  test('a failure is a google.rpc.Status with an ErrorInfo of domain holdfast', () => {
    const failure = grpcFailure('request', 'NOT_LEADER', { leader: 'n2', address: 'h:1' })
    expect(failure.code).toBe(14)
    expect(decodeErrorInfo(failure.statusDetails)).toEqual({
      reason: 'NOT_LEADER',
      metadata: { scope: 'request', leader: 'n2', address: 'h:1' },
    })
    // Bytes as any protobuf library writes them.
    expect(encodeStatus(14, 'm', { reason: 'R', metadata: {} }).toString('hex')).toBe(
      [
        '080e',
        '12016d',
        '1a39',
        '0a28',
        Buffer.from('type.googleapis.com/google.rpc.ErrorInfo').toString('hex'),
        '120d',
        '0a0152',
        '1208',
        Buffer.from('holdfast').toString('hex'),
      ].join(''),
    )
    expect(grpcFailure('request', 'NO_SUCH_CODE').code).toBe(GRPC_STATUS.INTERNAL)
  })

  test('garbage is no ErrorInfo and never throws', () => {
    fc.assert(fc.property(fc.uint8Array({ maxLength: 80 }), (garbage) => void decodeErrorInfo(garbage)))
    const foreign = encodeStatus(1, '', { reason: 'R', metadata: {} })
    foreign.write('elsewher', foreign.length - 8)
    expect(decodeErrorInfo(foreign)).toBe(null)
  })
})
