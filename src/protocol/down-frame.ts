import { unreachable } from '../base/assert.ts'
import { ByteReader, type ByteWriter, FrameError } from './bytes.ts'
import type {
  DownMessage,
  GreetingMessage,
  QueryResultMessage,
  RefusedSubject,
  ResponseAnswer,
  ServerRequestMessage,
} from './down-message.ts'
import { FRAME_BYTES_MAX, NAME_BYTES_MAX, TEXT_BYTES_MAX } from './limits.ts'
import { readBoolean, readVersion } from './up-frame.ts'

const DOWN = {
  greeting: 1,
  opened: 2,
  attached: 3,
  response: 4,
  serverRequest: 5,
  acknowledged: 6,
  pong: 7,
  queryResult: 8,
  closed: 9,
  ended: 10,
  superseded: 11,
  refused: 12,
  leaderChanged: 13,
  failed: 14,
} as const
const ANSWER = { ok: 1, rejected: 2, refused: 3, notExecuted: 4, unknown: 5 } as const
const SUBJECTS: readonly RefusedSubject[] = ['open', 'attach', 'ack', 'ping', 'close']
const REPLAYED = 1
const INVALID_ACK = 2

/** Appends one message; the caller has written `FRAME_VERSION` first. */
export function writeDown(writer: ByteWriter, message: DownMessage): void {
  writer.byte(DOWN[message.kind])
  switch (message.kind) {
    case 'response':
      writer.varint(message.channel)
      writer.varint(message.requestId)
      writeAnswer(writer, message.answer)
      return
    case 'serverRequest':
      writer.varint(message.channel)
      writer.varint(message.serverRequestId)
      writer.varint(message.previousId)
      writer.varint(message.attempt)
      writer.varint(message.index)
      writer.varint(message.now)
      writer.text(message.type)
      writer.bytes(message.payload)
      return
    case 'greeting':
      writeGreeting(writer, message)
      return
    case 'queryResult':
      writeQueryResult(writer, message)
      return
    case 'leaderChanged':
      writer.text(message.leader)
      writer.text(message.leaderAddress)
      return
    case 'failed':
      writer.text(message.code)
      writer.text(message.message)
      return
    default:
      writeChannelMessage(writer, message)
  }
}

type ChannelMessage = Extract<
  DownMessage,
  { kind: 'opened' | 'attached' | 'acknowledged' | 'pong' | 'closed' | 'ended' | 'superseded' | 'refused' }
>

function writeChannelMessage(writer: ByteWriter, message: ChannelMessage): void {
  writer.varint(message.channel)
  switch (message.kind) {
    case 'opened':
      writer.varint(message.group)
      writer.varint(message.incarnation)
      writer.varint(message.index)
      writer.byte(message.existing ? 1 : 0)
      return
    case 'attached':
      writer.varint(message.epoch)
      writer.varint(message.nextRequestId)
      writer.varint(message.acknowledged)
      writer.varint(message.timeoutMs)
      return
    case 'acknowledged':
      writer.varint(message.upTo)
      return
    case 'pong':
    case 'closed':
    case 'superseded':
      return
    case 'ended':
      writer.byte(message.reason === 'expired' ? 1 : 2)
      return
    case 'refused':
      writer.byte(SUBJECTS.indexOf(message.subject))
      writer.text(message.code)
      writer.bytes(message.details)
      return
    default:
      unreachable(message)
  }
}

function writeAnswer(writer: ByteWriter, answer: ResponseAnswer): void {
  writer.byte(ANSWER[answer.kind])
  switch (answer.kind) {
    case 'ok':
      writer.varint(answer.index)
      writer.byte((answer.replayed ? REPLAYED : 0) | (answer.invalidAck ? INVALID_ACK : 0))
      writer.bytes(answer.value)
      return
    case 'rejected':
      writer.varint(answer.index)
      writer.byte((answer.replayed ? REPLAYED : 0) | (answer.invalidAck ? INVALID_ACK : 0))
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

function writeGreeting(writer: ByteWriter, message: GreetingMessage): void {
  writer.text(message.clusterId)
  writer.varint(message.group)
  writer.varint(message.incarnation)
  writer.text(message.node)
  writer.text(message.leader)
  writer.text(message.leaderAddress)
  writer.varint(message.now)
  writer.varint(message.commandBytesMax)
  writer.varint(message.windowRequests)
  writer.varint(message.credit)
}

function writeQueryResult(writer: ByteWriter, message: QueryResultMessage): void {
  writer.varint(message.correlationId)
  writer.varint(message.index)
  writer.varint(message.incarnation)
  writer.byte(ANSWER[message.answer.kind])
  if (message.answer.kind === 'ok') {
    writer.bytes(message.answer.value)
    return
  }
  writer.text(message.answer.code)
  writer.bytes(message.answer.details)
}

/** Decodes the frames of one connection, in order. */
export class DownFrameReader {
  private readonly reader = new ByteReader()

  /** As `UpFrameReader.read`: null, or what is wrong with the frame. */
  read(frame: Uint8Array, receive: (message: DownMessage) => void): string | null {
    const reader = this.reader
    if (frame.length > FRAME_BYTES_MAX) return `a frame of ${frame.length} bytes exceeds ${FRAME_BYTES_MAX}`
    reader.reset(frame)
    for (let first = true; first || !reader.done; first = false) {
      let message: DownMessage
      try {
        if (first && readVersion(reader)) return null
        message = readDown(reader)
      } catch (error) {
        if (error instanceof FrameError) return error.message
        throw error
      }
      receive(message)
    }
    return null
  }
}

function readDown(reader: ByteReader): DownMessage {
  const kind = reader.byte()
  switch (kind) {
    case DOWN.response:
      return { kind: 'response', channel: reader.varint(), requestId: reader.varint(), answer: readAnswer(reader) }
    case DOWN.serverRequest:
      return readServerRequest(reader)
    case DOWN.greeting:
      return readGreeting(reader)
    case DOWN.queryResult:
      return readQueryResult(reader)
    case DOWN.leaderChanged:
      return { kind: 'leaderChanged', leader: reader.name(NAME_BYTES_MAX), leaderAddress: reader.text(TEXT_BYTES_MAX) }
    case DOWN.failed:
      return { kind: 'failed', code: reader.name(NAME_BYTES_MAX), message: reader.text(TEXT_BYTES_MAX) }
    default:
      return readChannelMessage(reader, kind)
  }
}

function readChannelMessage(reader: ByteReader, kind: number): DownMessage {
  const channel = reader.varint()
  switch (kind) {
    case DOWN.opened:
      return {
        kind: 'opened',
        channel,
        group: reader.varint(),
        incarnation: reader.varint(),
        index: reader.varint(),
        existing: readBoolean(reader),
      }
    case DOWN.attached:
      return {
        kind: 'attached',
        channel,
        epoch: reader.varint(),
        nextRequestId: reader.varint(),
        acknowledged: reader.varint(),
        timeoutMs: reader.varint(),
      }
    case DOWN.acknowledged:
      return { kind: 'acknowledged', channel, upTo: reader.varint() }
    case DOWN.pong:
      return { kind: 'pong', channel }
    case DOWN.closed:
      return { kind: 'closed', channel }
    case DOWN.superseded:
      return { kind: 'superseded', channel }
    case DOWN.ended:
      return { kind: 'ended', channel, reason: readEndReason(reader) }
    case DOWN.refused:
      return {
        kind: 'refused',
        channel,
        subject: readSubject(reader),
        code: reader.name(NAME_BYTES_MAX),
        details: reader.bytes(FRAME_BYTES_MAX),
      }
    default:
      throw new FrameError(`message kind ${kind} is unknown`)
  }
}

function readAnswer(reader: ByteReader): ResponseAnswer {
  const kind = reader.byte()
  switch (kind) {
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
      throw new FrameError(`answer kind ${kind} is unknown`)
  }
}

function readFlags(reader: ByteReader): number {
  const flags = reader.byte()
  if (flags > (REPLAYED | INVALID_ACK)) throw new FrameError(`answer flags ${flags} are unknown`)
  return flags
}

function readServerRequest(reader: ByteReader): ServerRequestMessage {
  return {
    kind: 'serverRequest',
    channel: reader.varint(),
    serverRequestId: reader.varint(),
    previousId: reader.varint(),
    attempt: reader.varint(),
    index: reader.varint(),
    now: reader.varint(),
    type: reader.name(NAME_BYTES_MAX),
    payload: reader.bytes(FRAME_BYTES_MAX),
  }
}

function readGreeting(reader: ByteReader): GreetingMessage {
  return {
    kind: 'greeting',
    clusterId: reader.text(TEXT_BYTES_MAX),
    group: reader.varint(),
    incarnation: reader.varint(),
    node: reader.name(NAME_BYTES_MAX),
    leader: reader.name(NAME_BYTES_MAX),
    leaderAddress: reader.text(TEXT_BYTES_MAX),
    now: reader.varint(),
    commandBytesMax: reader.varint(),
    windowRequests: reader.varint(),
    credit: reader.varint(),
  }
}

function readQueryResult(reader: ByteReader): QueryResultMessage {
  const head = {
    kind: 'queryResult',
    correlationId: reader.varint(),
    index: reader.varint(),
    incarnation: reader.varint(),
  } as const
  const kind = reader.byte()
  if (kind === ANSWER.ok) return { ...head, answer: { kind: 'ok', value: reader.bytes(FRAME_BYTES_MAX) } }
  if (kind !== ANSWER.rejected && kind !== ANSWER.refused) throw new FrameError(`query answer kind ${kind} is unknown`)
  const code = reader.name(NAME_BYTES_MAX)
  const details = reader.bytes(FRAME_BYTES_MAX)
  return { ...head, answer: { kind: kind === ANSWER.rejected ? 'rejected' : 'refused', code, details } }
}

function readEndReason(reader: ByteReader): 'expired' | 'closed' {
  const value = reader.byte()
  if (value === 1) return 'expired'
  if (value === 2) return 'closed'
  throw new FrameError(`end reason ${value} is unknown`)
}

function readSubject(reader: ByteReader): RefusedSubject {
  const subject = SUBJECTS[reader.byte()]
  if (subject === undefined) throw new FrameError('a refused subject is unknown')
  return subject
}
