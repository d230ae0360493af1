import { ByteReader, type ByteWriter } from './bytes.ts'
import type { DownMessage, QueryResultMessage } from './down-message.ts'
import { boolean, bytes, layout, Messages, name, oneOf, text, varint } from './fields.ts'
import { readFrame } from './frame.ts'
import { FRAME_BYTES_MAX, NAME_BYTES_MAX, TEXT_BYTES_MAX } from './limits.ts'
import { RESPONSE } from './response-fields.ts'

const channel = varint
const code = name(NAME_BYTES_MAX)
/** An encoded value. */
const value = bytes(FRAME_BYTES_MAX)

const QUERY_ANSWER = new Messages<QueryResultMessage['answer']>('query answer kind', {
  ok: [1, layout('ok', { value })],
  rejected: [2, layout('rejected', { code, details: value })],
  refused: [3, layout('refused', { code, details: value })],
})

const RESPONSE_NUMBER = 4

/** Numbers and fields on the wire (docs/format.md, "Session frames"). */
const DOWN = new Messages<DownMessage>('message kind', {
  greeting: [
    1,
    layout('greeting', {
      clusterId: text(TEXT_BYTES_MAX),
      group: varint,
      incarnation: varint,
      node: name(NAME_BYTES_MAX),
      leader: name(NAME_BYTES_MAX),
      leaderAddress: text(TEXT_BYTES_MAX),
      now: varint,
      commandBytesMax: varint,
      windowRequests: varint,
      credit: varint,
    }),
  ],
  opened: [2, layout('opened', { channel, group: varint, incarnation: varint, index: varint, existing: boolean })],
  attached: [
    3,
    layout('attached', {
      channel,
      epoch: varint,
      nextRequestId: varint,
      acknowledged: varint,
      timeoutMs: varint,
    }),
  ],
  response: [RESPONSE_NUMBER, RESPONSE],
  serverRequest: [
    5,
    layout('serverRequest', {
      channel,
      serverRequestId: varint,
      previousId: varint,
      attempt: varint,
      index: varint,
      now: varint,
      type: name(NAME_BYTES_MAX),
      payload: value,
    }),
  ],
  acknowledged: [6, layout('acknowledged', { channel, upTo: varint })],
  pong: [7, layout('pong', { channel })],
  queryResult: [
    8,
    layout('queryResult', { correlationId: varint, index: varint, incarnation: varint, answer: QUERY_ANSWER }),
  ],
  closed: [9, layout('closed', { channel })],
  ended: [10, layout('ended', { channel, reason: oneOf('end reason', ['expired', 'closed'], 1) })],
  superseded: [11, layout('superseded', { channel })],
  refused: [
    12,
    layout('refused', {
      channel,
      subject: oneOf('refused subject', ['open', 'attach', 'ack', 'ping', 'close']),
      code,
      details: value,
    }),
  ],
  leaderChanged: [13, layout('leaderChanged', { leader: name(NAME_BYTES_MAX), leaderAddress: text(TEXT_BYTES_MAX) })],
  failed: [14, layout('failed', { code, message: text(TEXT_BYTES_MAX) })],
  change: [15, layout('change', { subscriptionId: varint, index: varint, compacted: boolean, value })],
  subscriptionEnded: [
    16,
    layout('subscriptionEnded', {
      subscriptionId: varint,
      reason: oneOf('subscription end', ['rejected', 'refused']),
      code,
      details: value,
    }),
  ],
})

/** Appends one message; the caller has written `FRAME_VERSION` first. */
export function writeDown(writer: ByteWriter, message: DownMessage): void {
  if (message.kind !== 'response') return DOWN.write(writer, message)
  writer.byte(RESPONSE_NUMBER)
  RESPONSE.write(writer, message)
}

function readDown(reader: ByteReader): DownMessage {
  const number = reader.byte()
  return number === RESPONSE_NUMBER ? RESPONSE.read(reader) : DOWN.readFields(reader, number)
}

/** Decodes the frames of one connection, in order. */
export class DownFrameReader {
  private readonly reader = new ByteReader()

  /** As `readFrame`: null, or what is wrong with the frame. */
  read(frame: Uint8Array, receive: (message: DownMessage) => void): string | null {
    return readFrame(this.reader, frame, readDown, receive)
  }
}
