import { createCipheriv, createDecipheriv, randomBytes } from 'node:crypto'
import { decodeValue } from '../codec/value/decode.ts'
import { encodeValue } from '../codec/value/encode.ts'
import {
  joinSealed,
  KEY_ID_BYTES,
  NONCE_BYTES,
  sealedHeader,
  type SealedParts,
  TAG_BYTES,
} from '../codec/value/sealed.ts'
import type { Value } from '../codec/value/value.ts'
import { KEY_BYTES, type SubjectKey } from './key-record.ts'

const CIPHER = 'aes-256-gcm'
const NOTHING = new Uint8Array(0)
const NO_TAG = new Uint8Array(TAG_BYTES)

/** A key of that subject, drawn now. */
export function drawKey(subject: Uint8Array): SubjectKey {
  return { subject, keyId: plain(randomBytes(KEY_ID_BYTES)), key: plain(randomBytes(KEY_BYTES)) }
}

/**
 * A value, sealed under a key and a nonce drawn for it alone: of 2^32 values under one key, two share one with a chance of
 * 2^-33.
 * Throws ValueError for what is no value.
 */
export function sealValue(value: Value, { subject, keyId, key }: SubjectKey): Uint8Array {
  const nonce = plain(randomBytes(NONCE_BYTES))
  const cipher = createCipheriv(CIPHER, key, nonce)
  cipher.setAAD(sealedHeader(joinSealed({ subject, keyId, nonce, cipher: NOTHING, tag: NO_TAG })))
  const body = Buffer.concat([cipher.update(encodeValue(value)), cipher.final()])
  return joinSealed({ subject, keyId, nonce, cipher: body, tag: cipher.getAuthTag() })
}

/** The value that was sealed; undefined for what that key has not sealed, or not so. */
export function openSealed(bytes: Uint8Array, parts: SealedParts, { key }: SubjectKey): Value | undefined {
  const decipher = createDecipheriv(CIPHER, key, parts.nonce)
  decipher.setAAD(sealedHeader(bytes))
  decipher.setAuthTag(parts.tag)
  try {
    return decodeValue(Buffer.concat([decipher.update(parts.cipher), decipher.final()]))
  } catch {
    return undefined
  }
}

/** No Buffer, which is no value, and no part of a pool that others write to. */
function plain(bytes: Buffer): Uint8Array {
  return Uint8Array.from(bytes)
}
