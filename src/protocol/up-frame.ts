import { unreachable } from '../base/assert.ts'
import type { Millis } from '../base/brand.ts'
import type { SessionNumbers } from '../codec/entry/payload.ts'
import { ByteReader, type ByteWriter, FrameError } from './bytes.ts'
import {
  CAPABILITY_BYTES_MAX,
  FRAME_BYTES_MAX,
  FRAME_ROLES_MAX,
  NAME_BYTES_MAX,
  NONCE_BYTES,
  SECRET_BYTES_MAX,
  TEXT_BYTES_MAX,
} from './limits.ts'

/** First byte of every frame; another one is refused (docs/format.md, "Session frames"). */
export const FRAME_VERSION = 1

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

/** A connection takes a session over (sessions.md §4). From its answer on, `channel` names the session. */
export interface AttachMessage extends SessionNumbers {
  readonly kind: 'attach'
  readonly channel: number
  readonly secret: Uint8Array
  readonly replaces: number
  readonly nonce: Uint8Array
}

/** A command. The attached connection stands for session and epoch. */
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

export interface QueryMessage {
  readonly kind: 'query'
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

const UP = { open: 1, attach: 2, request: 3, ack: 4, ping: 5, query: 6, close: 7 } as const
const CONSISTENCIES: readonly Consistency[] = ['linearizable', 'sequential', 'stale']

/** Appends one message; the caller has written `FRAME_VERSION` first. */
export function writeUp(writer: ByteWriter, message: UpMessage): void {
  writer.byte(UP[message.kind])
  writer.varint(message.channel)
  switch (message.kind) {
    case 'request':
      writer.varint(message.requestId)
      writer.varint(message.lowestPendingRequestId)
      writer.varint(message.ackServerRequests)
      writer.text(message.machine)
      writer.text(message.command)
      writer.bytes(message.input)
      return
    case 'ack':
      writer.varint(message.serverRequestId)
      return
    case 'ping':
    case 'close':
      return
    case 'query':
      writer.varint(message.correlationId)
      writer.byte(CONSISTENCIES.indexOf(message.consistency))
      writer.varint(message.incarnation)
      writer.varint(message.minIndex)
      writer.text(message.machine)
      writer.text(message.query)
      writer.bytes(message.input)
      return
    case 'open':
      writeOpen(writer, message)
      return
    case 'attach':
      writer.varint(message.group)
      writer.varint(message.incarnation)
      writer.varint(message.index)
      writer.bytes(message.secret)
      writer.varint(message.replaces)
      writer.bytes(message.nonce)
      return
    default:
      unreachable(message)
  }
}

function writeOpen(writer: ByteWriter, message: OpenMessage): void {
  writer.bytes(message.secret)
  writer.text(message.principal)
  writer.varint(message.roles.length)
  for (const role of message.roles) writer.text(role)
  writer.bytes(message.capabilities)
  writer.text(message.name)
  writer.varint(message.timeoutMs)
  writer.varint(message.validUntil)
  writer.byte(message.ordered ? 1 : 0)
}

/** Decodes the frames of one connection, in order. */
export class UpFrameReader {
  private readonly reader = new ByteReader()

  /**
   * Hands over every message of the frame. Messages before a bad one have then been seen already; the answer is null or
   * a sentence about what is wrong, after which the connection must end. Never throws for bad bytes.
   */
  read(frame: Uint8Array, receive: (message: UpMessage) => void): string | null {
    const reader = this.reader
    if (frame.length > FRAME_BYTES_MAX) return `a frame of ${frame.length} bytes exceeds ${FRAME_BYTES_MAX}`
    reader.reset(frame)
    for (let first = true; first || !reader.done; first = false) {
      let message: UpMessage
      try {
        if (first && readVersion(reader)) return null
        message = readUp(reader)
      } catch (error) {
        if (error instanceof FrameError) return error.message
        throw error
      }
      receive(message)
    }
    return null
  }
}

/** Checks the version byte; true when the frame holds nothing else. */
export function readVersion(reader: ByteReader): boolean {
  const version = reader.byte()
  if (version !== FRAME_VERSION) throw new FrameError(`frame version ${version} is not ${FRAME_VERSION}`)
  return reader.done
}

function readUp(reader: ByteReader): UpMessage {
  const kind = reader.byte()
  const channel = reader.varint()
  switch (kind) {
    case UP.request:
      return {
        kind: 'request',
        channel,
        requestId: reader.varint(),
        lowestPendingRequestId: reader.varint(),
        ackServerRequests: reader.varint(),
        machine: reader.name(NAME_BYTES_MAX),
        command: reader.name(NAME_BYTES_MAX),
        input: reader.bytes(FRAME_BYTES_MAX),
      }
    case UP.ack:
      return { kind: 'ack', channel, serverRequestId: reader.varint() }
    case UP.ping:
      return { kind: 'ping', channel }
    case UP.close:
      return { kind: 'close', channel }
    case UP.query:
      return readQuery(reader, channel)
    case UP.open:
      return readOpen(reader, channel)
    case UP.attach:
      return readAttach(reader, channel)
    default:
      throw new FrameError(`message kind ${kind} is unknown`)
  }
}

function readQuery(reader: ByteReader, channel: number): QueryMessage {
  const correlationId = reader.varint()
  const consistency = CONSISTENCIES[reader.byte()]
  if (consistency === undefined) throw new FrameError('a consistency is unknown')
  return {
    kind: 'query',
    channel,
    correlationId,
    consistency,
    incarnation: reader.varint(),
    minIndex: reader.varint(),
    machine: reader.name(NAME_BYTES_MAX),
    query: reader.name(NAME_BYTES_MAX),
    input: reader.bytes(FRAME_BYTES_MAX),
  }
}

function readOpen(reader: ByteReader, channel: number): OpenMessage {
  const secret = reader.bytes(SECRET_BYTES_MAX)
  const principal = reader.text(TEXT_BYTES_MAX)
  const count = reader.varint()
  if (count > FRAME_ROLES_MAX) throw new FrameError(`${count} roles exceed ${FRAME_ROLES_MAX}`)
  const roles: string[] = []
  for (let index = 0; index < count; index += 1) roles.push(reader.name(NAME_BYTES_MAX))
  return {
    kind: 'open',
    channel,
    secret,
    principal,
    roles,
    capabilities: reader.bytes(CAPABILITY_BYTES_MAX),
    name: reader.text(TEXT_BYTES_MAX),
    timeoutMs: reader.varint(),
    validUntil: reader.varint(),
    ordered: readBoolean(reader),
  }
}

function readAttach(reader: ByteReader, channel: number): AttachMessage {
  const group = reader.varint()
  const incarnation = reader.varint()
  if (group > 0xffffffff || incarnation > 0xffffffff) throw new FrameError('a session id exceeds 32 bits')
  return {
    kind: 'attach',
    channel,
    group,
    incarnation,
    index: reader.varint(),
    secret: reader.bytes(SECRET_BYTES_MAX),
    replaces: reader.varint(),
    nonce: reader.bytes(NONCE_BYTES),
  }
}

/** 0 or 1; anything else is refused, so that every frame has one meaning and one encoding. */
export function readBoolean(reader: ByteReader): boolean {
  const value = reader.byte()
  if (value > 1) throw new FrameError(`${value} is not a boolean`)
  return value === 1
}
