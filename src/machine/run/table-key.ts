import { assert } from '../../base/assert.ts'
import type { SessionCodec } from '../../codec/session-codec.ts'
import type { KeyPart, TableKey } from '../define/schema.ts'

/** The part of the codec that tables need. */
export type KeyCodec = Pick<SessionCodec, 'keyPart' | 'keyParts'>

/** Where the rows of a table begin; the session layer puts `user/` before it (session/user-machine.ts). */
export const tablePrefix = (machine: string, table: string): string => `${machine}/${table}/`

/** Order-preserving bytes (as a binary string) of a key or of the first parts of one. */
export function encodeKey(codec: KeyCodec, key: TableKey): string {
  if (typeof key !== 'object') return codec.keyPart(key)
  let encoded = ''
  for (const part of key) encoded += codec.keyPart(part)
  return encoded
}

/** The inverse; `single` tells a key of one part from a tuple of one. */
export function decodeKey(codec: KeyCodec, encoded: string, single: boolean): TableKey {
  const parts = codec.keyParts(encoded)
  return single ? onlyPart(parts) : parts
}

/** The least binary string above every string that begins with `prefix`. */
export function prefixEnd(prefix: string): string {
  let length = prefix.length
  while (length > 0 && prefix.charCodeAt(length - 1) >= 0xff) length -= 1
  assert(length > 0, 'a prefix of nothing but 0xff has no end', { prefix })
  return prefix.slice(0, length - 1) + String.fromCharCode(prefix.charCodeAt(length - 1) + 1)
}

/** Of two keys the later one, or the earlier one. */
export const greater = (left: string, right: string): string => (left > right ? left : right)
export const lesser = (left: string, right: string): string => (left < right ? left : right)

function onlyPart(parts: readonly KeyPart[]): KeyPart {
  const [part] = parts
  assert(part !== undefined && parts.length === 1, 'a row of this table has a key of one part', { parts: parts.length })
  return part
}
