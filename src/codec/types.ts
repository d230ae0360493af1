import type { GroupId, LogIndex, Millis, Term } from '../base/brand.ts'
import type { ClientRequestPayload, PayloadByKind } from './payload.ts'

/**
 * Plain data, the only thing that machines store, emit and return (machines.md §1): null, boolean, finite number (no −0;
 * integers to ±(2^53−1)), string (well-formed UTF-16), bytes, array, plain object; at most 32 deep (what wraps it may
 * add 8).
 */
export type Value = null | boolean | number | string | Uint8Array | readonly Value[] | { readonly [key: string]: Value }

/** What a value breaks, with the path to it: `.items[3].price`. */
export type ValueErrorReason =
  | 'UNDEFINED'
  | 'NOT_PLAIN'
  | 'NOT_FINITE'
  | 'NEGATIVE_ZERO'
  | 'UNSAFE_INTEGER'
  | 'BAD_STRING'
  | 'TOO_DEEP'
  | 'TOO_LARGE'
  | 'CYCLE'
  /** Only when decoding: the bytes are not the encoding of a value, or not the payload that they should be. */
  | 'BAD_BYTES'

/** Thrown by `encodeValue`, `decodeValue` and `walk`; the wrapper around a user machine catches it (FM-1). */
export class ValueError extends Error {
  override readonly name = 'ValueError'
  readonly reason: ValueErrorReason
  readonly path: string
  constructor(reason: ValueErrorReason, path: string, message: string) {
    super(message)
    this.reason = reason
    this.path = path
  }
}

/** A running 64-bit hash, mutated in place by `SessionCodec.walk` and the fold functions. Two uint32 halves. */
export interface RunningHash {
  high: number
  low: number
}

/** The one guarded codec, handed to the session layer by constructor (architecture.md §2). */
export interface SessionCodec {
  /** Canonical msgpack, within the bounds of rows. Throws ValueError. */
  encodeValue(value: Value): Uint8Array
  /**
   * The same bytes, without proof that it is a value: for what `walk` or `walkRow` accepted (and froze), or the product
   * built itself from plain data. A view of memory shared with other encodings: for bytes that are soon copied or gone.
   */
  encodeWalked(value: Value): Uint8Array
  /** The inverse; throws ValueError for bytes that are not a value's encoding. Never aliases `bytes`. */
  decodeValue(bytes: Uint8Array): Value
  /** The same for what a client hands over: at most what `walk` accepts. */
  decodeInput(bytes: Uint8Array): Value
  /** Whether `encodeValue(value)` would return these bytes, which `decodeInput` accepted; false for what is not a value. */
  isEncodingOf(value: unknown, bytes: Uint8Array): boolean
  /**
   * The one walk over a value set, emitted or returned: validates, deep-freezes, folds it into `hash` and returns its
   * size in bytes (the canonical encoding's, give or take header bytes: a pure function of the value). Throws ValueError.
   */
  walk(value: unknown, hash: RunningHash): number
  /** The same for a row or reply that wraps values which were walked: wide enough for each of them. */
  walkRow(value: unknown, hash: RunningHash): number
  foldNumber(hash: RunningHash, value: number): void
  foldString(hash: RunningHash, value: string): void
  /** What `foldString(hash, prefix + value)` folds. */
  foldJoined(hash: RunningHash, prefix: string, value: string): void
  decodeClientRequest(payload: Uint8Array): ClientRequestPayload
  /** Payload of any other kind, by kind. Throws ValueError for bytes that do not decode. */
  decodePayload<Kind extends keyof PayloadByKind>(kind: Kind, payload: Uint8Array): PayloadByKind[Kind]
  /** SHA-256, 32 bytes. */
  sha256(bytes: Uint8Array): Uint8Array
  /** SHA-256 of a text's UTF-8, as 64 lowercase hex digits. Lone surrogates count as U+FFFD. */
  sha256Hex(text: string): string
  /** Order-preserving key part: `escape(text) + terminator`; numbers as 8 bytes big-endian, sign bit flipped. */
  keyPart(part: string | number): string
  /** The inverse over a whole key (after its prefix): the list of parts. Strings and numbers carry a one-char tag. */
  keyParts(encoded: string): (string | number)[]
}

/** Kinds of log entry (sessions.md §1), with their number on disk and wire. */
export const ENTRY_KINDS = {
  Noop: 1,
  Configuration: 2,
  Limits: 3,
  OpenSession: 4,
  AttachSession: 5,
  ClientRequest: 6,
  ServerRequestAck: 7,
  KeepAlive: 8,
  ExpireSessions: 9,
  CloseSession: 10,
  RetryServerRequests: 11,
  Tick: 12,
  Snapshot: 13,
  AdvanceVersion: 14,
  SkipEntry: 15,
} as const

export type EntryKind = keyof typeof ENTRY_KINDS

/** The decoded fixed-width header of an entry record (storage.md §2). */
export interface EntryHeader {
  readonly kind: EntryKind
  readonly group: GroupId
  readonly index: LogIndex
  readonly term: Term
  /** Leader-time clock, ms (sessions.md §1). */
  readonly lease: Millis
  /** Wall clock agreed by the log, ms since the Unix epoch. */
  readonly now: Millis
  readonly envelopeVersion: number
  readonly flags: number
  readonly payloadLength: number
  readonly checksum: number
  /** Running chain value of the log up to and including this entry: uint32. */
  readonly chain: number
}

/** An entry ready to apply: header fields and the payload bytes (a view, valid during the call). */
export interface Entry {
  readonly kind: EntryKind
  readonly index: LogIndex
  readonly term: Term
  readonly lease: Millis
  readonly now: Millis
  readonly payload: Uint8Array
}
