import { unreachable } from '../../base/assert.ts'
import { decodeValue } from '../../codec/value/decode.ts'
import { encodeValue } from '../../codec/value/encode.ts'
import type { Value } from '../../codec/value/value.ts'
import { OUTCOME_QUERY, OWN_MACHINE } from '../../protocol/own-queries.ts'
import type { CommandOutcome } from './call.ts'
import type { QueryRequest, RawQueryOutcome } from './query-board.ts'

/**
 * Asks what became of a command of the session's earlier holder. From the attach of the new one on every copy of it is
 * fenced, so that what the rows say at the attach or later is final.
 */
export function earlierOutcomeQuery(
  requestId: number,
  attach: { index: number; incarnation: number },
): Omit<QueryRequest, 'channel'> {
  return {
    consistency: 'sequential',
    incarnation: attach.incarnation,
    minIndex: attach.index,
    machine: OWN_MACHINE,
    query: OUTCOME_QUERY,
    input: encodeValue({ requestId }),
  }
}

/** The answer to that query as the outcome of the command. */
export function earlierOutcome(raw: RawQueryOutcome, requestId: number): CommandOutcome {
  if (raw.kind !== 'ok') return { kind: 'unknown', requestId, code: raw.code }
  const answer = decodeValue(raw.value) as EarlierAnswer
  switch (answer.kind) {
    case 'ok':
      return { kind: 'ok', requestId, value: answer.value, index: answer.index, replayed: true }
    case 'rejected': {
      const { code, details, index } = answer
      return { kind: 'rejected', requestId, code, details, index, replayed: true }
    }
    case 'evicted':
      return { kind: 'unknown', requestId, code: 'RESPONSE_EVICTED' }
    case 'never':
      return { kind: 'notExecuted', requestId, code: 'NEVER_EXECUTED', details: null }
    default:
      return unreachable(answer)
  }
}

/** What a node answers (gateway/queries/gateway-queries.ts). */
type EarlierAnswer =
  | { readonly kind: 'ok'; readonly value: Value; readonly index: number }
  | { readonly kind: 'rejected'; readonly code: string; readonly details: Value; readonly index: number }
  | { readonly kind: 'evicted' }
  | { readonly kind: 'never' }
