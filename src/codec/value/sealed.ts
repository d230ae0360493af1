import { hash } from 'node:crypto'

/*
 * Sealed values (docs/decisions/erasure.md): a value that was encrypted before it reached the log. To everything between the
 * proposer and the client it is bytes like any others; whoever has the subject's key opens it. The layout is in docs/format.md.
 */

/** Begins every sealed value. No text holds it, for its first byte is none of UTF-8. */
const MAGIC = Buffer.of(0xff, 0x48, 0x46, 0x73, 0x65, 0x61, 0x6c, 0x01)

/** Bytes of a subject's digest, of a key's id, of a nonce and of a tag. */
export const SUBJECT_BYTES = 32
export const KEY_ID_BYTES = 8
export const NONCE_BYTES = 12
export const TAG_BYTES = 16

const AT = { subject: 8, keyId: 40, nonce: 48, cipher: 60 } as const

/** Bytes that a sealed value has beyond the encoding of what is in it. */
export const SEALED_EXTRA_BYTES: number = AT.cipher + TAG_BYTES

/** A sealed value, taken apart; views of its bytes. */
export interface SealedParts {
  /** `subjectDigest` of whose it is. */
  readonly subject: Uint8Array
  readonly keyId: Uint8Array
  readonly nonce: Uint8Array
  readonly cipher: Uint8Array
  readonly tag: Uint8Array
}

/** The bytes of a sealed value. */
export function joinSealed({ subject, keyId, nonce, cipher, tag }: SealedParts): Uint8Array {
  const bytes = new Uint8Array(SEALED_EXTRA_BYTES + cipher.length)
  bytes.set(MAGIC, 0)
  bytes.set(subject, AT.subject)
  bytes.set(keyId, AT.keyId)
  bytes.set(nonce, AT.nonce)
  bytes.set(cipher, AT.cipher)
  bytes.set(tag, AT.cipher + cipher.length)
  return bytes
}

/** The parts of a sealed value; null for bytes that are none. */
export function sealedParts(bytes: Uint8Array): SealedParts | null {
  if (bytes.length < SEALED_EXTRA_BYTES || !MAGIC.every((byte, at) => bytes[at] === byte)) return null
  const end = bytes.length - TAG_BYTES
  return {
    subject: bytes.subarray(AT.subject, AT.keyId),
    keyId: bytes.subarray(AT.keyId, AT.nonce),
    nonce: bytes.subarray(AT.nonce, AT.cipher),
    cipher: bytes.subarray(AT.cipher, end),
    tag: bytes.subarray(end),
  }
}

/** What is authenticated beside the ciphertext: whose it is, and under which key. */
export function sealedHeader(bytes: Uint8Array): Uint8Array {
  return bytes.subarray(0, AT.nonce)
}

/** Whether an encoded value may hold a sealed one: false is certain. PERF: one native search, 0.1 µs per KiB. */
export function mayHoldSealed(encoded: Uint8Array): boolean {
  return Buffer.from(encoded.buffer, encoded.byteOffset, encoded.length).includes(MAGIC)
}

/** What stands for a subject's name in keys and in the log: SHA-256 of it behind a prefix of our own, 32 bytes. */
export function subjectDigest(subject: string): Uint8Array {
  return Uint8Array.from(hash('sha256', `holdfast:subject\0${subject}`, 'buffer'))
}
