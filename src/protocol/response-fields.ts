import { unreachable } from '../base/assert.ts'
import { type ByteReader, type ByteWriter, FrameError } from './bytes.ts'
import type { ResponseAnswer, ResponseMessage } from './down-message.ts'
import type { Field } from './fields.ts'
import { FRAME_BYTES_MAX, NAME_BYTES_MAX } from './limits.ts'

const ANSWER = { ok: 1, rejected: 2, refused: 3, notExecuted: 4, unknown: 5 } as const
const REPLAYED = 1
const INVALID_ACK = 2

/**
 * PERF: by hand, because the answer to every command passes here (`layout` says what its loop costs). The reader of an
 * answer stands behind its writer and names the same fields in the same order.
 */
export const RESPONSE: Field<ResponseMessage> = {
  write: (writer, response) => {
    writer.varint(response.channel)
    writer.varint(response.requestId)
    writeAnswer(writer, response.answer)
  },
  read: (reader) => ({
    kind: 'response',
    channel: reader.varint(),
    requestId: reader.varint(),
    answer: readAnswer(reader),
  }),
}

function writeAnswer(writer: ByteWriter, answer: ResponseAnswer): void {
  writer.byte(ANSWER[answer.kind])
  switch (answer.kind) {
    case 'ok':
      writer.varint(answer.index)
      writer.byte(flagsOf(answer))
      writer.bytes(answer.value)
      return
    case 'rejected':
      writer.varint(answer.index)
      writer.byte(flagsOf(answer))
      writer.text(answer.code)
      writer.bytes(answer.details)
      return
    case 'refused':
      writer.varint(answer.index)
      writer.text(answer.code)
      writer.bytes(answer.details)
      return
    case 'notExecuted':
      writer.text(answer.code)
      writer.bytes(answer.details)
      return
    case 'unknown':
      writer.text(answer.code)
      return
    default:
      unreachable(answer)
  }
}

function readAnswer(reader: ByteReader): ResponseAnswer {
  const number = reader.byte()
  switch (number) {
    case ANSWER.ok: {
      const index = reader.varint()
      const flags = readFlags(reader)
      const value = reader.bytes(FRAME_BYTES_MAX)
      return { kind: 'ok', index, replayed: (flags & REPLAYED) !== 0, invalidAck: (flags & INVALID_ACK) !== 0, value }
    }
    case ANSWER.rejected: {
      const index = reader.varint()
      const flags = readFlags(reader)
      return {
        kind: 'rejected',
        index,
        replayed: (flags & REPLAYED) !== 0,
        invalidAck: (flags & INVALID_ACK) !== 0,
        code: reader.name(NAME_BYTES_MAX),
        details: reader.bytes(FRAME_BYTES_MAX),
      }
    }
    case ANSWER.refused:
      return {
        kind: 'refused',
        index: reader.varint(),
        code: reader.name(NAME_BYTES_MAX),
        details: reader.bytes(FRAME_BYTES_MAX),
      }
    case ANSWER.notExecuted:
      return { kind: 'notExecuted', code: reader.name(NAME_BYTES_MAX), details: reader.bytes(FRAME_BYTES_MAX) }
    case ANSWER.unknown:
      return { kind: 'unknown', code: reader.name(NAME_BYTES_MAX) }
    default:
      throw new FrameError(`answer kind ${number} is unknown`)
  }
}

function flagsOf(answer: { readonly replayed: boolean; readonly invalidAck: boolean }): number {
  return (answer.replayed ? REPLAYED : 0) | (answer.invalidAck ? INVALID_ACK : 0)
}

function readFlags(reader: ByteReader): number {
  const flags = reader.byte()
  if (flags > (REPLAYED | INVALID_ACK)) throw new FrameError(`answer flags ${flags} are unknown`)
  return flags
}
