import { decodeValue } from '../codec/value/decode.ts'
import { encodeValue } from '../codec/value/encode.ts'
import type { Value } from '../codec/value/value.ts'
import { KEY_ID_BYTES, SUBJECT_BYTES } from '../codec/value/sealed.ts'
import { KEY_BYTES, type SubjectKey } from './key-record.ts'

/** Keys in one message, 80 KiB. */
export const KEYS_PER_MESSAGE = 1024

/** What one node asks of another about keys. */
export type KeyRequest =
  /** To hold these durably. */
  | { readonly kind: 'store'; readonly keys: readonly SubjectKey[] }
  /** For the key of that id. */
  | { readonly kind: 'want'; readonly keyId: Uint8Array }
  /** For keys with an id above that, in their order; the empty one asks for the first, unless `sum` is that of all. */
  | { readonly kind: 'all'; readonly after: Uint8Array; readonly sum: Uint8Array }
  /** Whether no key of that subject is left, once the entry at `index` is applied. */
  | { readonly kind: 'destroyed'; readonly subject: Uint8Array; readonly index: number }

/** What it is answered. */
export type KeyAnswer =
  | { readonly kind: 'stored' }
  | { readonly kind: 'keys'; readonly keys: readonly SubjectKey[]; readonly more: boolean }
  | { readonly kind: 'destroyed' }
  /** It has a subject of these forgotten, or cannot say so in time. */
  | { readonly kind: 'no' }

/** A request or an answer as bytes (docs/format.md). */
export function encodeMessage(message: KeyRequest | KeyAnswer): Uint8Array {
  return encodeValue('keys' in message ? { ...message, keys: message.keys.map(fieldsOf) } : message)
}

/** What was asked; null for what is no request. */
export function decodeRequest(bytes: Uint8Array): KeyRequest | null {
  const found = decoded(bytes)
  if (found === null) return null
  const { kind, keyId, after, sum, subject, index } = found
  const keys = keysIn(found['keys'])
  if (kind === 'store' && keys !== null) return { kind, keys }
  if (kind === 'want' && isBytes(keyId, KEY_ID_BYTES)) return { kind, keyId }
  if (kind === 'all' && after instanceof Uint8Array && sum instanceof Uint8Array) return { kind, after, sum }
  if (kind === 'destroyed' && isBytes(subject, SUBJECT_BYTES) && isIndex(index)) return { kind, subject, index }
  return null
}

/** What was answered; null for what is no answer. */
export function decodeAnswer(bytes: Uint8Array): KeyAnswer | null {
  const found = decoded(bytes)
  if (found === null) return null
  const { kind, more } = found
  const keys = keysIn(found['keys'])
  if (kind === 'keys' && keys !== null && typeof more === 'boolean') return { kind, keys, more }
  return kind === 'stored' || kind === 'destroyed' || kind === 'no' ? { kind } : null
}

function fieldsOf({ subject, keyId, key }: SubjectKey): Value {
  return { subject, keyId, key }
}

function decoded(bytes: Uint8Array): { readonly [name: string]: Value } | null {
  try {
    return fieldsIn(decodeValue(bytes))
  } catch {
    return null
  }
}

function fieldsIn(value: Value | undefined): { readonly [name: string]: Value } | null {
  const plain = typeof value === 'object' && value !== null && !Array.isArray(value) && !(value instanceof Uint8Array)
  return plain ? (value as { readonly [name: string]: Value }) : null
}

function keysIn(value: Value | undefined): readonly SubjectKey[] | null {
  if (!Array.isArray(value) || value.length > KEYS_PER_MESSAGE) return null
  const keys: SubjectKey[] = []
  for (const item of value as readonly Value[]) {
    const { subject, keyId, key } = fieldsIn(item) ?? {}
    if (!isBytes(subject, SUBJECT_BYTES) || !isBytes(keyId, KEY_ID_BYTES) || !isBytes(key, KEY_BYTES)) return null
    keys.push({ subject, keyId, key })
  }
  return keys
}

function isIndex(value: Value | undefined): value is number {
  return typeof value === 'number' && Number.isSafeInteger(value) && value >= 0
}

function isBytes(value: Value | undefined, length: number): value is Uint8Array {
  return value instanceof Uint8Array && value.length === length
}
