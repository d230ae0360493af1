import { assert } from '../../base/assert.ts'
import { ValueError } from '../value/value-error.ts'

/**
 * Keys of the replicated dictionary. A key is a binary string: one char per byte, 0–255, so that JavaScript's comparison
 * of two keys is the comparison of their bytes, in memory and in LevelDB alike. A composite key is its parts one after
 * the other, each encoded so that the order of the keys is the order of the lists of parts: numbers before strings,
 * numbers by value, strings by code point, a list before every longer list that it starts.
 */

/** Tags, in the order that the kinds of part have. */
const NUMBER_TAG = '\x01'
const STRING_TAG = '\x02'

/** Ends a string part: below every escaped byte, so that `a` sorts before `ab` whatever follows. */
const TERMINATOR = '\x00'

/** In front of the two bytes that would otherwise be read as a terminator or an escape; 0 becomes 1,1 and 1 becomes 1,2. */
const ESCAPE = '\x01'

/**
 * One part of a key: a string in escaped UTF-8, or an integer within ±(2^53−1) as 8 bytes big-endian with its sign bit
 * flipped. Refuses other numbers and lone surrogates with ValueError.
 */
export function keyPart(part: string | number): string {
  return typeof part === 'string' ? STRING_TAG + escapeText(part) + TERMINATOR : NUMBER_TAG + numberText(part)
}

/**
 * The parts of a key that was made by `keyPart` for each of them in a row, without a prefix. Throws ValueError when
 * it is not a list of parts.
 */
export function keyParts(encoded: string): (string | number)[] {
  const parts: (string | number)[] = []
  let position = 0
  while (position < encoded.length) {
    const tag = encoded[position]
    if (tag === NUMBER_TAG) {
      parts.push(parseNumber(encoded, position + 1))
      position += 9
    } else if (tag === STRING_TAG) {
      const end = encoded.indexOf(TERMINATOR, position)
      if (end < 0) bad('a string part has no end')
      parts.push(unescapeText(encoded.slice(position + 1, end)))
      position = end + 1
    } else bad('a part has an unknown tag')
  }
  return parts
}

/**
 * The least binary string above every key that starts with `prefix`: the exclusive end of its range. Null when there is
 * none (an empty prefix, or one of 255s alone).
 */
export function prefixEnd(prefix: string): string | null {
  let last = prefix.length - 1
  while (last >= 0 && prefix.charCodeAt(last) === 0xff) last -= 1
  if (last < 0) return null
  return prefix.slice(0, last) + String.fromCharCode(prefix.charCodeAt(last) + 1)
}

/** The bytes of a binary string. */
export function keyToBytes(encoded: string): Uint8Array {
  const bytes = new Uint8Array(encoded.length)
  for (let index = 0; index < encoded.length; index += 1) {
    const unit = encoded.charCodeAt(index)
    if (unit > 0xff) assert(false, 'a key is a binary string', { index, unit })
    bytes[index] = unit
  }
  return bytes
}

/** The inverse of `keyToBytes`. */
export function keyFromBytes(bytes: Uint8Array): string {
  return Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength).toString('latin1')
}

/** Compares two binary strings, or any two strings by UTF-16 unit: negative, 0 or positive, for `sort`. */
export function compareKeys(a: string, b: string): number {
  return a < b ? -1 : a > b ? 1 : 0
}

function escapeText(part: string): string {
  // PERF: most parts are printable ASCII, which is its own UTF-8 and needs no escape.
  if (/^[\x02-\x7f]*$/.test(part)) return part
  const bytes = Buffer.from(part, 'utf8')
  if (bytes.toString('utf8') !== part) throw new ValueError('BAD_STRING', '', 'a key part has a lone surrogate')
  return bytes.toString('latin1').replace(/[\x00\x01]/g, (byte) => ESCAPE + (byte === '\x00' ? '\x01' : '\x02'))
}

function unescapeText(escaped: string): string {
  if (/^[\x02-\x7f]*$/.test(escaped)) return escaped
  let bytes = ''
  for (let index = 0; index < escaped.length; index += 1) {
    if (escaped[index] !== ESCAPE) {
      bytes += escaped.charAt(index)
      continue
    }
    index += 1
    const code = escaped.charCodeAt(index)
    if (code !== 1 && code !== 2) bad('a string part has a bad escape')
    bytes += String.fromCharCode(code - 1)
  }
  const text = Buffer.from(bytes, 'latin1').toString('utf8')
  if (Buffer.from(text, 'utf8').toString('latin1') !== bytes) bad('a string part is not UTF-8')
  return text
}

function numberText(part: number): string {
  if (!Number.isSafeInteger(part))
    throw new ValueError('UNSAFE_INTEGER', '', `${part} in a key is not an integer within ±(2^53-1)`)
  const high = (Math.floor(part / 0x100000000) ^ 0x80000000) >>> 0
  const low = part >>> 0
  return String.fromCharCode(
    high >>> 24,
    (high >>> 16) & 0xff,
    (high >>> 8) & 0xff,
    high & 0xff,
    low >>> 24,
    (low >>> 16) & 0xff,
    (low >>> 8) & 0xff,
    low & 0xff,
  )
}

function parseNumber(encoded: string, position: number): number {
  if (position + 8 > encoded.length) bad('a number part has fewer than 8 bytes')
  let high = 0
  let low = 0
  for (let index = 0; index < 4; index += 1) {
    high = (high << 8) | encoded.charCodeAt(position + index)
    low = (low << 8) | encoded.charCodeAt(position + 4 + index)
  }
  const value = (high ^ 0x80000000) * 0x100000000 + (low >>> 0)
  if (!Number.isSafeInteger(value)) bad('a number part is beyond 2^53-1')
  return value
}

function bad(message: string): never {
  throw new ValueError('BAD_BYTES', '', `not a key: ${message}`)
}
