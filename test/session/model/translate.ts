import type { Entry } from '../../../src/codec/entry/entry.ts'
import { codec } from '../log.ts'
import type { Operation } from '../operations.ts'
import type { ModelEntry } from './types.ts'

/** The entry as the model reads it: from its bytes, so that both see the same. */
export function translate(step: Operation, entry: Entry): ModelEntry {
  switch (step.kind) {
    case 'open':
      return { ...step, who: `${step.who}` }
    case 'attach': {
      const payload = codec.decodePayload('AttachSession', entry.payload)
      return {
        kind: 'attach',
        session: payload.index,
        replaces: payload.replaces,
        nonce: payload.nonce[0] ?? 0,
        known: true,
      }
    }
    case 'request':
    case 'repeat': {
      const payload = codec.decodeClientRequest(entry.payload)
      const { requestId: id, lowestPendingRequestId: lowest, ackServerRequests: ack, epoch } = payload
      return {
        kind: 'request',
        session: payload.index,
        id,
        lowest,
        ack,
        epoch,
        version: payload.version,
        machine: payload.machine,
        command: payload.command,
        input: codec.decodeValue(payload.input),
      }
    }
    case 'ack': {
      const { index: session, serverRequestId: upTo, epoch } = codec.decodePayload('ServerRequestAck', entry.payload)
      return { kind: 'ack', session, upTo, epoch }
    }
    case 'keepAlive':
      return {
        kind: 'keepAlive',
        sessions: codec.decodePayload('KeepAlive', entry.payload).sessions.map(({ index }) => index),
      }
    case 'expire':
      return { kind: 'expire', sessions: [...codec.decodePayload('ExpireSessions', entry.payload).sessions] }
    case 'close': {
      const { index: session, epoch } = codec.decodePayload('CloseSession', entry.payload)
      return { kind: 'close', session, epoch }
    }
    case 'retry':
      return {
        kind: 'retry',
        session: codec.decodePayload('RetryServerRequests', entry.payload).sessions[0]?.index ?? 0,
      }
    case 'switch':
      return { kind: 'switch', advances: [...codec.decodePayload('AdvanceVersion', entry.payload).machines] }
    case 'evict':
      return { kind: 'evict', session: codec.decodePayload('EvictSession', entry.payload).index }
    case 'move': {
      const { move, letters } = codec.decodePayload('MoveDeadLetters', entry.payload)
      return { kind: 'move', move, letters: [...letters] }
    }
    case 'limits': {
      const { basedOn = 0, ...limits } = codec.decodePayload('Limits', entry.payload)
      return { kind: 'limits', limits, basedOn }
    }
    case 'propose':
    case 'operate':
      return { kind: 'schedules', steps: codec.decodePayload('ScheduleNext', entry.payload).steps }
    case 'skipping':
      return translate(step.of, entry)
    case 'skip':
      return { kind: 'skip', ...codec.decodePayload('SkipEntry', entry.payload) }
    default:
      return { kind: 'tick' }
  }
}
