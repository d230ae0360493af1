import { hash } from 'node:crypto'
import { decodeClientRequest } from './entry/client-request.ts'
import { foldJoined, foldNumber, foldString } from './value/running-hash.ts'
import { keyPart, keyParts } from './rows/key.ts'
import { decodePayload } from './entry/payload-codec.ts'
import type { ClientRequestPayload, PayloadByKind } from './entry/payload.ts'
import type { RunningHash } from './value/running-hash.ts'
import type { Value } from './value/value.ts'
import { decodeInput, decodeValue } from './value/decode.ts'
import { encodeValue } from './value/encode.ts'
import { encodeWalked } from './value/encode-walked.ts'
import { isEncodingOf } from './value/is-encoding-of.ts'
import { walk, walkRow } from './value/walk.ts'

/** The one guarded codec, handed to the session layer by constructor (architecture.md §5). */
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

/** The codec of every host: servers, the simulator and tests. */
export const sessionCodec: SessionCodec = {
  encodeValue,
  encodeWalked,
  decodeValue,
  decodeInput,
  isEncodingOf,
  walk,
  walkRow,
  foldNumber,
  foldString,
  foldJoined,
  decodeClientRequest,
  decodePayload,
  sha256,
  sha256Hex,
  keyPart,
  keyParts,
}

/** The platform's SHA-256; it gives a Buffer, which is not a value, so the 32 bytes are copied. */
function sha256(bytes: Uint8Array): Uint8Array {
  return new Uint8Array(hash('sha256', bytes, 'buffer'))
}

function sha256Hex(text: string): string {
  return hash('sha256', text, 'hex')
}
