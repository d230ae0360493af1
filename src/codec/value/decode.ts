import { firstKey, KEY_UNITS_MAX, KEY_UNITS_MIN, knownKey, type KnownKey } from './known-key.ts'
import { readUtf8 } from '../bytes/native-text.ts'
import { cachedAscii } from '../bytes/text-cache.ts'
import type { Value } from './value.ts'
import { ValueError } from './value-error.ts'
import { ROW_BOUNDS, VALUE_BOUNDS, type ValueBounds } from './bounds.ts'

/**
 * The value that the bytes encode; copies everything, so that nothing aliases `bytes`. Accepts every width of an
 * integer, length or float that msgpack knows (both 2^40 as an integer and as a float64 become the number), because
 * other writers choose differently. Throws ValueError for extension types, integers beyond 2^53−1, NaN, infinities, −0,
 * keys that are not strings or occur twice or are `__proto__`, bad UTF-8, more levels than a row may have, and bytes
 * that are left over or missing. What it allocates is bounded by the input's length (bounds.ts).
 */
export function decodeValue(bytes: Uint8Array): Value {
  return decodeWithin(ROW_BOUNDS, bytes)
}

/** The same for what a client hands over, which may be no more than what a machine may set (`VALUE_BOUNDS`). */
export function decodeInput(bytes: Uint8Array): Value {
  return decodeWithin(VALUE_BOUNDS, bytes)
}

function decodeWithin(within: ValueBounds, bytes: Uint8Array): Value {
  if (bytes.length > within.bytes) bad('TOO_LARGE', `a value is larger than ${within.bytes} bytes`)
  depthMax = within.depth
  nodesMax = within.nodes
  source = bytes
  position = 0
  nodes = 0
  previousKey = firstKey
  try {
    const value = readAny(0)
    if (position !== bytes.length) bad('BAD_BYTES', `${bytes.length - position} bytes follow the value`)
    return value
  } finally {
    source = NOTHING
  }
}

const NOTHING = new Uint8Array(0)
const utf8 = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true })
const scratch = new DataView(new ArrayBuffer(8))

/** Strings up to this length are built from their units; crossing into native code costs more than that. */
const SHORT_TEXT = 24

/** An array of each length up to that, filled anew for each string. */
const UNITS: readonly number[][] = Array.from({ length: SHORT_TEXT + 1 }, (_, length) =>
  new Array<number>(length).fill(0),
)

let source: Uint8Array = NOTHING
let position = 0
let previousKey: KnownKey = firstKey
let nodes = 0
let depthMax = ROW_BOUNDS.depth
let nodesMax = ROW_BOUNDS.nodes

function readAny(depth: number): Value {
  nodes += 1
  if (nodes > nodesMax) bad('TOO_LARGE', 'a value has too many nodes')
  const byte = readByte()
  if (byte < 0x80) return byte
  if (byte < 0x90) return readMap(byte & 0x0f, depth + 1)
  if (byte < 0xa0) return readArray(byte & 0x0f, depth + 1)
  if (byte < 0xc0) return readString(byte & 0x1f)
  if (byte >= 0xe0) return byte - 0x100
  return readWide(byte, depth)
}

function readWide(byte: number, depth: number): Value {
  switch (byte) {
    case 0xc0:
      return null
    case 0xc2:
      return false
    case 0xc3:
      return true
    case 0xc4:
    case 0xc5:
    case 0xc6:
      return readBytes(readLength(byte - 0xc4))
    case 0xca:
    case 0xcb:
      return readFloat(byte === 0xcb)
    case 0xd9:
    case 0xda:
    case 0xdb:
      return readString(readLength(byte - 0xd9))
    case 0xdc:
    case 0xdd:
      return readArray(readLength(byte - 0xdb), depth + 1)
    case 0xde:
    case 0xdf:
      return readMap(readLength(byte - 0xdd), depth + 1)
    default:
      return readInteger(byte)
  }
}

function readInteger(byte: number): number {
  switch (byte) {
    case 0xcc:
      return readByte()
    case 0xcd:
      return readUint16()
    case 0xce:
      return readUint32()
    case 0xcf:
      return readWideInteger(readUint32())
    case 0xd0:
      return (readByte() << 24) >> 24
    case 0xd1:
      return (readUint16() << 16) >> 16
    case 0xd2:
      return readUint32() | 0
    case 0xd3:
      return readWideInteger(readUint32() | 0)
    default:
      return bad('BAD_BYTES', `0x${byte.toString(16)} starts an extension or nothing that a value may hold`)
  }
}

/** The second half of a 64-bit integer; refuses what a double cannot hold exactly. */
function readWideInteger(high: number): number {
  const value = high * 0x100000000 + readUint32()
  if (!Number.isSafeInteger(value)) bad('UNSAFE_INTEGER', 'an integer is beyond 2^53-1')
  return value
}

function readFloat(double: boolean): number {
  scratch.setUint32(0, readUint32())
  if (double) scratch.setUint32(4, readUint32())
  const value = double ? scratch.getFloat64(0) : scratch.getFloat32(0)
  if (!Number.isFinite(value)) bad('NOT_FINITE', 'a number is not finite')
  if (Object.is(value, -0)) bad('NEGATIVE_ZERO', 'a number is -0')
  if (Number.isInteger(value) && !Number.isSafeInteger(value)) bad('UNSAFE_INTEGER', 'an integer is beyond 2^53-1')
  return value
}

/** Bytes of a string, byte string, array or map header: a length of 1, 2 or 4 bytes. */
function readLength(width: number): number {
  if (width === 0) return readByte()
  return width === 1 ? readUint16() : readUint32()
}

function readBytes(length: number): Uint8Array {
  const start = take(length)
  // Not slice: on a Buffer that would be a view.
  const copy = new Uint8Array(length)
  copy.set(source.subarray(start, start + length))
  return copy
}

function readString(length: number): string {
  const start = take(length)
  return (length <= SHORT_TEXT ? readShortAscii(start, length) : null) ?? readText(start, start + length)
}

/** Null when the bytes are not ASCII. */
function readShortAscii(start: number, length: number): string | null {
  const units = UNITS[length] as number[] // length ≤ SHORT_TEXT
  let seen = 0
  for (let index = 0; index < length; index += 1) {
    const byte = source[start + index] as number // taken by the caller
    seen |= byte
    units[index] = byte
  }
  return seen > 0x7f ? null : String.fromCharCode(...units)
}

/** PERF: a text without U+FFFD had nothing to be replaced; only the others are read again, strictly. */
function readText(start: number, end: number): string {
  const text = readUtf8(source, start, end)
  return text.includes('\ufffd') ? readStrictly(start, end) : text
}

function readStrictly(start: number, end: number): string {
  try {
    return utf8.decode(source.subarray(start, end))
  } catch {
    return bad('BAD_STRING', 'a string is not well-formed UTF-8')
  }
}

function readArray(length: number, depth: number): Value[] {
  checkContainer(length, depth)
  const array: Value[] = []
  for (let index = 0; index < length; index += 1) array.push(readAny(depth))
  return array
}

function readMap(size: number, depth: number): { readonly [key: string]: Value } {
  checkContainer(2 * size, depth)
  const map: { [key: string]: Value } = {}
  for (let index = 0; index < size; index += 1) {
    const key = readKey()
    map[key] = readAny(depth)
  }
  if (Object.keys(map).length !== size) bad('BAD_BYTES', 'an object has the same key twice')
  return map
}

/** PERF: objects of one kind have the same keys in the same order, so most are known before they are read. */
function readKey(): string {
  const foreseen = previousKey.next
  if (startsWith(foreseen.bytes)) {
    position += foreseen.bytes.length
    previousKey = foreseen
    return foreseen.text
  }
  const key = readNewKey()
  const known = key.length < KEY_UNITS_MIN || key.length > KEY_UNITS_MAX ? null : knownKey(key)
  if (known !== null) {
    previousKey.next = known
    previousKey = known
  }
  return key
}

function startsWith(bytes: Uint8Array): boolean {
  // Beyond the end there is undefined, which is no byte.
  for (let index = 0; index < bytes.length; index += 1) {
    if (source[position + index] !== bytes[index]) return false
  }
  return true
}

function readNewKey(): string {
  const byte = readByte()
  const isFix = byte >= 0xa0 && byte < 0xc0
  if (!isFix && (byte < 0xd9 || byte > 0xdb)) bad('BAD_BYTES', 'a key is not a string')
  const length = isFix ? byte & 0x1f : readLength(byte - 0xd9)
  const key = cachedKey(length) ?? readString(length)
  // Assigned like the others it would set the prototype.
  if (key === '__proto__') bad('NOT_PLAIN', 'an object has a key named __proto__')
  return key
}

/** A key that is short ASCII, which nearly every key is; null, with nothing read, otherwise. */
function cachedKey(length: number): string | null {
  const end = position + length
  if (end > source.length) return null
  const key = cachedAscii(source, position, end)
  if (key !== null) position = end
  return key
}

/** Every element is at least one byte, so a header that promises more than is left lies. */
function checkContainer(elements: number, depth: number): void {
  if (depth > depthMax) bad('TOO_DEEP', `a value is nested more than ${depthMax} deep`)
  if (elements > source.length - position) bad('BAD_BYTES', 'the bytes end inside an array or object')
}

/** Moves past `length` bytes and returns where they start. */
function take(length: number): number {
  const start = position
  if (length > source.length - start) bad('BAD_BYTES', 'the bytes end inside a value')
  position = start + length
  return start
}

function readByte(): number {
  return source[take(1)] ?? 0
}

function readUint16(): number {
  const start = take(2)
  return ((source[start] ?? 0) << 8) | (source[start + 1] ?? 0)
}

function readUint32(): number {
  const start = take(4)
  const high = ((source[start] ?? 0) << 8) | (source[start + 1] ?? 0)
  return high * 0x10000 + (((source[start + 2] ?? 0) << 8) | (source[start + 3] ?? 0))
}

function bad(reason: ValueError['reason'], message: string): never {
  throw new ValueError(reason, '', position === 0 ? message : `${message} (before byte ${position})`)
}
