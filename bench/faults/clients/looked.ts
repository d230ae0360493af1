import { decodeValue } from '../../../src/codec/value/decode.ts'
import { encodeValue } from '../../../src/client/index.ts'
import type { QueryRequest, RawQueryOutcome } from '../../../src/client/calls/query-board.ts'
import type { HistoryEvent, Step } from '../history.ts'

/** Of whom queries are asked: of whoever leads, or of one node. */
export interface Asked {
  query(request: QueryRequest, deadlineMs: number, done: (outcome: RawQueryOutcome) => void): void
}

/** How a call ended, as a history has it. */
export type End = Pick<HistoryEvent, 'value' | 'index'> & { readonly type: 'ok' | 'fail' | 'info' }

/** Asks the clients' machine for what the step reads. Whatever becomes of a read, it changes nothing: none is unknown. */
export function looked(asked: Asked, { id: _, ...question }: Step, patienceMs: number): Promise<End> {
  const input = encodeValue({ ...question })
  const given = { consistency: 'linearizable', incarnation: 0, minIndex: 0, machine: 'proof', query: 'look' } as const
  return new Promise((resolve) =>
    asked.query({ ...given, input }, patienceMs, (outcome) => {
      if (outcome.kind === 'ok') resolve({ type: 'ok', value: decodeValue(outcome.value), index: outcome.index })
      else resolve({ type: 'fail', value: outcome.code })
    }),
  )
}
