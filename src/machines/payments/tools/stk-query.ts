import { resultCodeOf } from '../facts/result-codes.ts'

/**
 * What the provider says of a push that is asked about (domain.md §3.13): the answer to an STK-push query. `notFinal` is
 * everything that does not say how the push ended: it is being processed, the query was refused, the code is unknown, the
 * answer cannot be read. It is asked again, and never fails a payment.
 */
export interface StkQueryAnswer {
  readonly verdict: 'success' | 'failure' | 'notFinal'
  /** The provider's code; null when the answer has none. */
  readonly resultCode: string | null
  readonly resultDesc: string
  /** Of the push; null when the answer does not name it. */
  readonly checkoutRequestId: string | null
}

/** Judges an answer, given as text or as the value of its JSON. Never throws. It names no amount: the push's is the one. */
export function parseStkQuery(json: unknown): StkQueryAnswer {
  const answer = objectOf(json)
  const said = { resultDesc: textOf(answer['ResultDesc'] ?? answer['errorMessage']) ?? '' }
  const checkoutRequestId = textOf(answer['CheckoutRequestID'])
  // An answer with an error code was refused: what else it says is not of the push.
  const resultCode = codeOf(answer['errorCode'] ?? answer['ResultCode'])
  return { verdict: verdictOf(resultCode), resultCode, ...said, checkoutRequestId }
}

function verdictOf(code: string | null): StkQueryAnswer['verdict'] {
  const known = code === null ? null : resultCodeOf(code)
  if (known === null || !known.final) return 'notFinal'
  return known.code === '0' ? 'success' : 'failure'
}

/** The code as text: zeros of any form are 0. */
function codeOf(value: unknown): string | null {
  const text = typeof value === 'number' ? String(value) : textOf(value)
  return text !== null && /^[+-]?0+$/.test(text) ? '0' : text
}

function textOf(value: unknown): string | null {
  const text = typeof value === 'string' ? value.trim() : ''
  return text === '' ? null : text
}

function objectOf(json: unknown): { readonly [key: string]: unknown } {
  let value = json
  if (typeof json === 'string') {
    try {
      value = JSON.parse(json.replace(/^\uFEFF/, ''))
    } catch {
      value = null
    }
  }
  return typeof value === 'object' && value !== null ? (value as { readonly [key: string]: unknown }) : {}
}
