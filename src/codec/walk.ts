import { foldBytes, foldNumber, foldWord } from './hash.ts'
import type { RunningHash } from './types.ts'
import { ValueError } from './types.ts'
import { explainRefusal } from './value-explain.ts'
import { VALUE_BYTES_MAX, VALUE_DEPTH_MAX, VALUE_NODES_MAX } from './value-limits.ts'
import { checkNumber, dataProperty, isBytes, notPlainMessage, plainArrayLength, plainObjectSize, refuse, utf8Length } from './value-plain.ts'

/**
 * The one walk over a value that was set, emitted or returned (machines.md §1): validates, deep-freezes, folds the value
 * into `hash` and returns its exact encoded size in bytes. Throws ValueError, with `hash` as it was; parts of the value
 * may then be frozen already.
 *
 * Objects are folded in their own iteration order. Encoding keeps that order, so a value that came back from a snapshot
 * folds to the same hash as the live one, and a machine that iterates over it sees the same sequence.
 *
 * Bytes cannot be frozen in JavaScript. Whoever keeps a value that machine code can still reach copies them (the tables
 * of the kit do); nothing here keeps one.
 *
 * PERF: see docs/decisions/value-codec.md for the cost per row.
 */
export function walk(value: unknown, hash: RunningHash): number {
  const high = hash.high
  const low = hash.low
  nodes = 0
  try {
    const size = walkAny(value, hash, 0)
    if (size > VALUE_BYTES_MAX) refuse('TOO_LARGE', `a value is larger than ${VALUE_BYTES_MAX} bytes`)
    return size
  } catch (error) {
    hash.high = high
    hash.low = low
    throw error instanceof ValueError ? explainRefusal(value, error) : error
  }
}

/** Folded in front of each node, so that no two kinds of value fold alike. */
const TAG = { null: 1, false: 2, true: 3, int32: 4, double: 5, string: 6, bytes: 7, array: 8, object: 9 } as const

let nodes = 0

function walkAny(value: unknown, hash: RunningHash, depth: number): number {
  nodes += 1
  if (nodes > VALUE_NODES_MAX) refuse('TOO_LARGE', 'a value has too many nodes')
  switch (typeof value) {
    case 'string':
      foldWord(hash, TAG.string)
      return walkString(value, hash)
    case 'number':
      return walkNumber(value, hash)
    case 'boolean':
      foldWord(hash, value ? TAG.true : TAG.false)
      return 1
    case 'object':
      if (value !== null) return walkObject(value, hash, depth + 1)
      foldWord(hash, TAG.null)
      return 1
    case 'undefined':
      return refuse('UNDEFINED', 'undefined is not a value')
    default:
      return refuse('NOT_PLAIN', notPlainMessage(value))
  }
}

function walkObject(value: object, hash: RunningHash, depth: number): number {
  if (isBytes(value)) {
    foldWord(hash, TAG.bytes)
    foldBytes(hash, value)
    return value.length + (value.length <= 0xff ? 2 : value.length <= 0xffff ? 3 : 5)
  }
  if (depth > VALUE_DEPTH_MAX) refuse('TOO_DEEP', 'a value is nested too deep')
  return Array.isArray(value) ? walkArray(value, hash, depth) : walkPlainObject(value, hash, depth)
}

function walkPlainObject(value: object, hash: RunningHash, depth: number): number {
  const count = plainObjectSize(value)
  foldWord(hash, TAG.object)
  foldWord(hash, count)
  let size = containerHeader(count)
  for (const key in value) {
    const inner = dataProperty(value, key)
    size += walkString(key, hash)
    size += walkAny(inner, hash, depth)
  }
  Object.freeze(value)
  return size
}

function walkArray(value: readonly unknown[], hash: RunningHash, depth: number): number {
  const length = plainArrayLength(value)
  foldWord(hash, TAG.array)
  foldWord(hash, length)
  let size = containerHeader(length)
  for (let index = 0; index < length; index += 1) size += walkAny(dataProperty(value, `${index}`), hash, depth)
  Object.freeze(value)
  return size
}

function containerHeader(count: number): number {
  return count <= 15 ? 1 : count <= 0xffff ? 3 : 5
}

function walkNumber(value: number, hash: RunningHash): number {
  if ((value | 0) === value && (value !== 0 || !Object.is(value, -0))) {
    foldWord(hash, TAG.int32)
    foldWord(hash, value)
    if (value >= -32 && value < 0x80) return 1
    if (value >= -0x80 && value <= 0xff) return 2
    return value >= -0x8000 && value <= 0xffff ? 3 : 5
  }
  checkNumber(value)
  foldWord(hash, TAG.double)
  foldNumber(hash, value)
  return value > 0 && value <= 0xffffffff && Number.isInteger(value) ? 5 : 9
}

/** `foldString`, a check for lone surrogates and the length in UTF-8, in one pass over the units. */
function walkString(value: string, hash: RunningHash): number {
  const length = value.length
  foldWord(hash, length)
  let { high, low } = hash
  let seen = 0
  const even = length & ~1
  for (let index = 0; index < even; index += 2) {
    const first = value.charCodeAt(index)
    const second = value.charCodeAt(index + 1)
    seen |= first | second
    low = Math.imul(low ^ (first | (second << 16)), 0x9e3779b1)
    low ^= low >>> 15
    high = Math.imul(high + low, 0x85ebca77)
    high ^= high >>> 13
    low ^= high
  }
  hash.high = high >>> 0
  hash.low = low >>> 0
  if (even !== length) {
    const last = value.charCodeAt(even)
    seen |= last
    foldWord(hash, last)
  }
  return stringSize(seen < 0x80 ? length : utf8Length(value))
}

function stringSize(bytes: number): number {
  if (bytes <= 31) return bytes + 1
  if (bytes <= 0xff) return bytes + 2
  return bytes <= 0xffff ? bytes + 3 : bytes + 5
}
