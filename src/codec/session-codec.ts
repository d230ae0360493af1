import { decodeClientRequest } from './client-request.ts'
import { foldJoined, foldNumber, foldString } from './hash.ts'
import { keyPart, keyParts } from './key.ts'
import { decodePayload } from './payloads.ts'
import { sha256 as pureSha256 } from './sha256.ts'
import type { SessionCodec } from './types.ts'
import { decodeInput, decodeValue, encodeValue, encodeWalked, isEncodingOf } from './value.ts'
import { walk, walkRow } from './walk.ts'

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
