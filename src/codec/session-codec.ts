import { decodeClientRequest } from './client-request.ts'
import { foldNumber, foldString } from './hash.ts'
import { keyPart, keyParts } from './key.ts'
import { decodePayload } from './payloads.ts'
import { sha256 as pureSha256 } from './sha256.ts'
import type { SessionCodec } from './types.ts'
import { decodeInput, decodeValue, encodeValue } from './value.ts'
import { walk, walkRow } from './walk.ts'

/**
 * The codec that the session layer gets by constructor. A host may hand in its native SHA-256; the default is the pure
 * one, and both give the same bytes.
 */
export function createSessionCodec(sha256: (bytes: Uint8Array) => Uint8Array = pureSha256): SessionCodec {
  return {
    encodeValue,
    decodeValue,
    decodeInput,
    walk,
    walkRow,
    foldNumber,
    foldString,
    decodeClientRequest,
    decodePayload,
    sha256: (bytes) => plain(sha256(bytes)),
    keyPart,
    keyParts,
  }
}

/** The codec with the pure SHA-256. */
export const sessionCodec: SessionCodec = createSessionCodec()

/** `createHash().digest()` gives a Buffer, which is not a value. */
function plain(bytes: Uint8Array): Uint8Array {
  return Object.getPrototypeOf(bytes) === Uint8Array.prototype ? bytes : new Uint8Array(bytes)
}
