import { assert } from '../base/assert.ts'
import type { Value } from './types.ts'
import { ValueError } from './types.ts'
import { explainRefusal } from './value-explain.ts'
import { ROW_BOUNDS } from './value-limits.ts'
import {
  checkNumber,
  dataProperty,
  isBytes,
  notPlainMessage,
  plainArrayNames,
  plainKeys,
  refuse,
  utf8Length,
} from './value-plain.ts'

/**
 * The canonical msgpack of a value: the smallest encoding of each integer, length and header; numbers that are not
 * integers as float64; keys in the object's own iteration order (docs/format.md says why they are not sorted). Returns
 * bytes of its own. Throws ValueError, with the path, for anything that is not a value: it never converts.
 *
 * PERF: a callback of 104 bytes 1.2 µs, a row of 388 bytes and 24 properties 4.9 µs, half of it the checks that keep it
 * from converting (docs/decisions/value-codec.md).
 *
 * Bounds are those of rows: everything that the walk accepted can be stored and sent, however it is wrapped.
 */
export function encodeValue(value: Value): Uint8Array {
  assert(!encoding, 'encodeValue was called from inside itself: a proxy is not a value')
  encoding = true
  position = 0
  nodes = 0
  try {
    writeAny(value, 0)
    if (position > ROW_BOUNDS.bytes) refuse('TOO_LARGE', TOO_LARGE_MESSAGE)
    return output.slice(0, position)
  } catch (error) {
    throw error instanceof ValueError ? explainRefusal(value, error, ROW_BOUNDS) : error
  } finally {
    encoding = false
    if (output.length > KEPT_BYTES) resize(KEPT_BYTES)
  }
}

/** Between calls the encoder keeps this much; a larger value's buffer is given back. */
const KEPT_BYTES = 256 * 1024

/** Strings up to this length are written by a loop here; crossing into native code costs more than that. */
const SHORT_TEXT = 32

const DEPTH_MAX = ROW_BOUNDS.depth
const NODES_MAX = ROW_BOUNDS.nodes
const TOO_LARGE_MESSAGE = `a value is larger than ${ROW_BOUNDS.bytes} bytes`

let output = new Uint8Array(KEPT_BYTES)
let text = Buffer.from(output.buffer)
let view = new DataView(output.buffer)
let position = 0
let nodes = 0
let encoding = false

function writeAny(value: unknown, depth: number): void {
  nodes += 1
  if (nodes > NODES_MAX) refuse('TOO_LARGE', 'a value has too many nodes')
  switch (typeof value) {
    case 'string':
      return writeString(value)
    case 'number':
      return writeNumber(value)
    case 'boolean':
      return writeByte(value ? 0xc3 : 0xc2)
    case 'object':
      return value === null ? writeByte(0xc0) : writeObject(value, depth + 1)
    case 'undefined':
      return refuse('UNDEFINED', 'undefined is not a value')
    default:
      return refuse('NOT_PLAIN', notPlainMessage(value))
  }
}

function writeObject(value: object, depth: number): void {
  if (isBytes(value)) return writeBytes(value)
  if (depth > DEPTH_MAX) refuse('TOO_DEEP', 'a value is nested too deep')
  if (Array.isArray(value)) return writeArray(value, depth)
  const keys = plainKeys(value)
  writeHeader(keys.length, MAP)
  for (const key of keys) {
    const inner = dataProperty(value, key)
    writeString(key)
    writeAny(inner, depth)
  }
}

function writeArray(value: readonly unknown[], depth: number): void {
  const names = plainArrayNames(value)
  const length = value.length
  writeHeader(length, ARRAY)
  // The first `length` names are the indices.
  for (let index = 0; index < length; index += 1) writeAny(dataProperty(value, names[index] as string), depth)
}

function writeNumber(value: number): void {
  reserve(9)
  if ((value | 0) === value && (value !== 0 || !Object.is(value, -0))) return writeInt32(value)
  checkNumber(value)
  if (!Number.isInteger(value)) {
    output[position] = 0xcb
    view.setFloat64(position + 1, value)
    position += 9
  } else if (value > 0 && value <= 0xffffffff) {
    output[position] = 0xce
    view.setUint32(position + 1, value)
    position += 5
  } else {
    // Floor division gives two's complement halves for negative numbers too.
    output[position] = value > 0 ? 0xcf : 0xd3
    view.setUint32(position + 1, Math.floor(value / 0x100000000) >>> 0)
    view.setUint32(position + 5, value >>> 0)
    position += 9
  }
}

function writeInt32(value: number): void {
  if (value >= -32 && value < 0x80) {
    output[position++] = value
  } else if (value >= -0x80 && value <= 0xff) {
    output[position++] = value > 0 ? 0xcc : 0xd0
    output[position++] = value
  } else if (value >= -0x8000 && value <= 0xffff) {
    output[position++] = value > 0 ? 0xcd : 0xd1
    output[position++] = value >> 8
    output[position++] = value
  } else {
    output[position++] = value > 0 ? 0xce : 0xd2
    view.setInt32(position, value)
    position += 4
  }
}

function writeString(value: string): void {
  const length = value.length
  if (length > SHORT_TEXT || !writeShortAscii(value, length)) writeLongString(value)
}

/** Writes a string of at most 32 ASCII characters in one pass; false, with nothing written, when it is not ASCII. */
function writeShortAscii(value: string, length: number): boolean {
  reserve(2 + SHORT_TEXT)
  const start = position + (length < 32 ? 1 : 2)
  for (let index = 0; index < length; index += 1) {
    const unit = value.charCodeAt(index)
    if (unit > 0x7f) return false
    output[start + index] = unit
  }
  if (length < 32) {
    output[position] = 0xa0 | length
  } else {
    output[position] = 0xd9
    output[position + 1] = length
  }
  position = start + length
  return true
}

function writeLongString(value: string): void {
  const bytes = utf8Length(value)
  writeHeader(bytes, STRING)
  reserve(bytes)
  text.write(value, position, bytes, bytes === value.length ? 'latin1' : 'utf8')
  position += bytes
}

function writeBytes(value: Uint8Array): void {
  writeHeader(value.length, BYTES)
  reserve(value.length)
  output.set(value, position)
  position += value.length
}

/** First bytes of a kind's headers; 0: the kind has no such form. `fixMax` is the greatest length of the one-byte form. */
interface Headers {
  readonly fix: number
  readonly fixMax: number
  readonly wide8: number
  readonly wide16: number
  readonly wide32: number
}
const STRING: Headers = { fix: 0xa0, fixMax: 31, wide8: 0xd9, wide16: 0xda, wide32: 0xdb }
const BYTES: Headers = { fix: 0, fixMax: -1, wide8: 0xc4, wide16: 0xc5, wide32: 0xc6 }
const ARRAY: Headers = { fix: 0x90, fixMax: 15, wide8: 0, wide16: 0xdc, wide32: 0xdd }
const MAP: Headers = { fix: 0x80, fixMax: 15, wide8: 0, wide16: 0xde, wide32: 0xdf }

function writeHeader(length: number, headers: Headers): void {
  reserve(5)
  if (length <= headers.fixMax) {
    output[position++] = headers.fix | length
  } else if (length <= 0xff && headers.wide8 !== 0) {
    output[position++] = headers.wide8
    output[position++] = length
  } else if (length <= 0xffff) {
    output[position++] = headers.wide16
    output[position++] = length >> 8
    output[position++] = length
  } else {
    output[position] = headers.wide32
    view.setUint32(position + 1, length)
    position += 5
  }
}

function writeByte(byte: number): void {
  reserve(1)
  output[position++] = byte
}

/** Makes room for `bytes` more, up to the largest value there may be. */
function reserve(bytes: number): void {
  const needed = position + bytes
  if (needed <= output.length) return
  // The slack lets a value of exactly the largest size reserve more than it then writes.
  if (needed > ROW_BOUNDS.bytes + 64) refuse('TOO_LARGE', TOO_LARGE_MESSAGE)
  resize(Math.max(needed, 2 * output.length))
}

function resize(length: number): void {
  const larger = new Uint8Array(length)
  larger.set(output.subarray(0, Math.min(position, length)))
  output = larger
  text = Buffer.from(larger.buffer)
  view = new DataView(larger.buffer)
}
