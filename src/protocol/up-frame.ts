import type { Millis } from '../base/brand.ts'
import type { SessionNumbers } from '../codec/entry/payload.ts'
import { ByteReader, type ByteWriter } from './bytes.ts'
import {
  boolean,
  bytes,
  type Field,
  type FieldsOf,
  layout,
  list,
  Messages,
  name,
  oneOf,
  text,
  uint32,
  varint,
} from './fields.ts'
import { readFrame } from './frame.ts'
import {
  CAPABILITY_BYTES_MAX,
  CLIENT_NAME_BYTES_MAX,
  FRAME_BYTES_MAX,
  NAME_BYTES_MAX,
  NONCE_BYTES,
  ROLES_MAX,
  SECRET_BYTES_MAX,
  TEXT_BYTES_MAX,
} from './limits.ts'

/** How fresh a query's answer must be (sessions.md §6). */
export type Consistency = 'linearizable' | 'sequential' | 'stale'

/** A client asks for a session; idempotent in `secret`, repeated unchanged in every copy (sessions.md §4). */
export interface OpenMessage {
  readonly kind: 'open'
  /** Chosen by the client, unique on its connection; the answer names it. */
  readonly channel: number
  /** 16 to 64 random bytes; the log holds their SHA-256 only. */
  readonly secret: Uint8Array
  readonly principal: string
  readonly roles: readonly string[]
  /** Encoded value: a plain object. */
  readonly capabilities: Uint8Array
  readonly name: string
  readonly timeoutMs: Millis
  /** `now` of the connection's greeting + 2 min, repeated unchanged. */
  readonly validUntil: Millis
  readonly ordered: boolean
}

/**
 * A connection takes a session over (sessions.md §4). From its answer on, `channel` names the session; requests there may
 * ride behind it before that (wire.md §3, step 3).
 */
export interface AttachMessage extends SessionNumbers {
  readonly kind: 'attach'
  readonly channel: number
  readonly secret: Uint8Array
  readonly replaces: number
  readonly nonce: Uint8Array
}

/** A command. The connection that is attached, or about to be, stands for session and epoch. */
export interface RequestMessage {
  readonly kind: 'request'
  readonly channel: number
  readonly requestId: number
  /** Lowest id without a response when this copy was sent; 0 is refused (LR-006). */
  readonly lowestPendingRequestId: number
  /** Cumulative ack that rides along; 0: none. */
  readonly ackServerRequests: number
  readonly machine: string
  readonly command: string
  /** The client's encoded input, a view of the frame. */
  readonly input: Uint8Array
}

/** What a query says, bound to its session or not. */
interface QueryFields {
  /** Session that asks; 0: none. */
  readonly channel: number
  /** Chosen by the client's library; the answer names it. */
  readonly correlationId: number
  readonly consistency: Consistency
  /** Index token for `sequential`: the answer shows at least this index of this incarnation; else 0. */
  readonly incarnation: number
  readonly minIndex: number
  readonly machine: string
  readonly query: string
  readonly input: Uint8Array
}

export interface QueryMessage extends QueryFields {
  readonly kind: 'query'
}

/** A query that is answered only while the session that asks it lives, as of the state that it reads (sessions.md §6). */
export interface BoundQueryMessage extends QueryFields {
  readonly kind: 'boundQuery'
}

/** A query of either kind. */
export type AnyQueryMessage = QueryMessage | BoundQueryMessage

/**
 * A query that is to be answered now, and again whenever its answer changes. The first `change` is the answer at `minIndex` of
 * that incarnation or later; 0: at whatever is applied.
 */
export interface SubscribeMessage {
  readonly kind: 'subscribe'
  /** Session that asks; it must be attached. */
  readonly channel: number
  /** Chosen by the client's library, never used twice on a connection; every change names it. */
  readonly subscriptionId: number
  readonly incarnation: number
  readonly minIndex: number
  readonly machine: string
  readonly query: string
  readonly input: Uint8Array
}

/** What a client says on its stream. */
export type UpMessage =
  | OpenMessage
  | AttachMessage
  | RequestMessage
  /** Every server request up to this id is handled. */
  | { readonly kind: 'ack'; readonly channel: number; readonly serverRequestId: number }
  | { readonly kind: 'ping'; readonly channel: number }
  | QueryMessage
  /** Ends the session, after what was sent before. */
  | { readonly kind: 'close'; readonly channel: number }
  | SubscribeMessage
  /** No further change is wanted; some may be under way. */
  | { readonly kind: 'unsubscribe'; readonly channel: number; readonly subscriptionId: number }
  | BoundQueryMessage

const REQUEST_NUMBER = 3

/**
 * PERF: by hand and looked for first, because every command of every client passes here (`layout` says what its loop
 * costs). Reader and writer name the same fields in the same order.
 */
const REQUEST: Field<RequestMessage> = {
  write: (writer, request) => {
    writer.varint(request.channel)
    writer.varint(request.requestId)
    writer.varint(request.lowestPendingRequestId)
    writer.varint(request.ackServerRequests)
    writer.text(request.machine)
    writer.text(request.command)
    writer.bytes(request.input)
  },
  read: (reader) => ({
    kind: 'request',
    channel: reader.varint(),
    requestId: reader.varint(),
    lowestPendingRequestId: reader.varint(),
    ackServerRequests: reader.varint(),
    machine: reader.name(NAME_BYTES_MAX),
    command: reader.name(NAME_BYTES_MAX),
    input: reader.bytes(FRAME_BYTES_MAX),
  }),
}

/** In the order in which they travel. */
const QUERY: FieldsOf<QueryMessage> = {
  channel: varint,
  correlationId: varint,
  consistency: oneOf('consistency', ['linearizable', 'sequential', 'stale']),
  incarnation: varint,
  minIndex: varint,
  machine: name(NAME_BYTES_MAX),
  query: name(NAME_BYTES_MAX),
  input: bytes(FRAME_BYTES_MAX),
}

/** Numbers and fields on the wire (docs/format.md, "Session frames"). */
const UP = new Messages<UpMessage>('message kind', {
  open: [
    1,
    layout('open', {
      channel: varint,
      secret: bytes(SECRET_BYTES_MAX),
      principal: text(TEXT_BYTES_MAX),
      roles: list('roles', name(NAME_BYTES_MAX), ROLES_MAX),
      capabilities: bytes(CAPABILITY_BYTES_MAX),
      name: text(CLIENT_NAME_BYTES_MAX),
      timeoutMs: varint,
      validUntil: varint,
      ordered: boolean,
    }),
  ],
  attach: [
    2,
    layout('attach', {
      channel: varint,
      group: uint32('a session id'),
      incarnation: uint32('a session id'),
      index: varint,
      secret: bytes(SECRET_BYTES_MAX),
      replaces: varint,
      nonce: bytes(NONCE_BYTES),
    }),
  ],
  request: [REQUEST_NUMBER, REQUEST],
  ack: [4, layout('ack', { channel: varint, serverRequestId: varint })],
  ping: [5, layout('ping', { channel: varint })],
  query: [6, layout<QueryMessage>('query', QUERY)],
  close: [7, layout('close', { channel: varint })],
  subscribe: [
    8,
    layout('subscribe', {
      channel: varint,
      subscriptionId: varint,
      incarnation: varint,
      minIndex: varint,
      machine: name(NAME_BYTES_MAX),
      query: name(NAME_BYTES_MAX),
      input: bytes(FRAME_BYTES_MAX),
    }),
  ],
  unsubscribe: [9, layout('unsubscribe', { channel: varint, subscriptionId: varint })],
  boundQuery: [10, layout<BoundQueryMessage>('boundQuery', QUERY)],
})

/** Appends one message; the caller has written `FRAME_VERSION` first. */
export function writeUp(writer: ByteWriter, message: UpMessage): void {
  if (message.kind !== 'request') return UP.write(writer, message)
  writer.byte(REQUEST_NUMBER)
  REQUEST.write(writer, message)
}

function readUp(reader: ByteReader): UpMessage {
  const number = reader.byte()
  return number === REQUEST_NUMBER ? REQUEST.read(reader) : UP.readFields(reader, number)
}

/** Decodes the frames of one connection, in order. */
export class UpFrameReader {
  private readonly reader = new ByteReader()

  /** As `readFrame`: null, or what is wrong with the frame. */
  read(frame: Uint8Array, receive: (message: UpMessage) => void): string | null {
    return readFrame(this.reader, frame, readUp, receive)
  }
}
