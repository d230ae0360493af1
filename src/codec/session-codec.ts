import { decodeClientRequest } from './entry/client-request.ts'
import { foldJoined, foldNumber, foldString } from './value/running-hash.ts'
import { keyPart, keyParts } from './rows/key.ts'
import { decodePayload } from './entry/payload-codec.ts'
import { sha256 as pureSha256 } from './bytes/sha256.ts'
import type { ClientRequestPayload, PayloadByKind } from './entry/payload.ts'
import type { RunningHash } from './value/running-hash.ts'
import type { Value } from './value/value.ts'
import { decodeInput, decodeValue } from './value/decode.ts'
import { encodeValue } from './value/encode.ts'
import { encodeWalked } from './value/encode-walked.ts'
import { isEncodingOf } from './value/match.ts'
import { walk, walkRow } from './value/walk.ts'

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

/**
 * The codec that the session layer gets by constructor. A host may hand in its native SHA-256, over bytes and over a text's
 * UTF-8; the default is the pure one, and all give the same.
 */
export function createSessionCodec(
  sha256: (bytes: Uint8Array) => Uint8Array = pureSha256,
  sha256Hex: (text: string) => string = (text) => hexText(sha256(Buffer.from(text, 'utf8'))),
): SessionCodec {
  return {
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
    sha256: (bytes) => plain(sha256(bytes)),
    sha256Hex,
    keyPart,
    keyParts,
  }
}

/** The codec with the pure SHA-256. */
export const sessionCodec: SessionCodec = createSessionCodec()

function hexText(bytes: Uint8Array): string {
  return Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength).toString('hex')
}

/** `createHash().digest()` gives a Buffer, which is not a value. */
function plain(bytes: Uint8Array): Uint8Array {
  return Object.getPrototypeOf(bytes) === Uint8Array.prototype ? bytes : new Uint8Array(bytes)
}
