import { unreachable } from '../../base/assert.ts'
import type { EntryKind } from '../../codec/entry/entry.ts'
import type { ClientRequestPayload, SessionNumbers } from '../../codec/entry/payload.ts'
import type { SessionCodec } from '../../codec/session-codec.ts'
import { ValueError } from '../../codec/value/value-error.ts'

/** What an entry says of sessions, for people who look at the log. */
export interface EntryFacts {
  /** Sessions that it names. An OpenSession entry names none: it makes the one of its own index. */
  readonly sessions: readonly SessionNumbers[]
  /** Of a ClientRequest: what was asked; `input` is a view of the payload. Else null. */
  readonly request: ClientRequestPayload | null
  /** Of a ServerRequestAck: the id acknowledged. Else null. */
  readonly acknowledged: number | null
}

const NOTHING: EntryFacts = { sessions: [], request: null, acknowledged: null }

/** Of an entry's payload; nothing for one that does not decode. */
export function entryFacts(codec: SessionCodec, kind: EntryKind, payload: Uint8Array): EntryFacts {
  try {
    return factsOf(codec, kind, payload)
  } catch (error) {
    if (error instanceof ValueError) return NOTHING
    throw error
  }
}

function factsOf(codec: SessionCodec, kind: EntryKind, payload: Uint8Array): EntryFacts {
  switch (kind) {
    case 'ClientRequest': {
      const request = codec.decodeClientRequest(payload)
      return { ...NOTHING, sessions: [request], request }
    }
    case 'ServerRequestAck': {
      const ack = codec.decodePayload(kind, payload)
      return { ...NOTHING, sessions: [ack], acknowledged: ack.serverRequestId }
    }
    case 'AttachSession':
    case 'CloseSession':
    case 'EvictSession':
      return { ...NOTHING, sessions: [codec.decodePayload(kind, payload)] }
    case 'KeepAlive':
    case 'ExpireSessions':
    case 'RetryServerRequests':
      return { ...NOTHING, sessions: codec.decodePayload(kind, payload).sessions }
    case 'OpenSession':
    case 'Noop':
    case 'Configuration':
    case 'Limits':
    case 'Tick':
    case 'Snapshot':
    case 'AdvanceVersion':
    case 'SkipEntry':
    case 'MoveDeadLetters':
    case 'ScheduleNext':
    case 'ForgetSubject':
      return NOTHING
    default:
      return unreachable(kind)
  }
}
