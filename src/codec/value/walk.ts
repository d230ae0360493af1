import { foldBytes, mixHigh, mixLow } from './running-hash.ts'
import type { RunningHash } from './running-hash.ts'
import { ValueError } from './value-error.ts'
import { explainRefusal } from './explain-refusal.ts'
import { ROW_BOUNDS, VALUE_BOUNDS, type ValueBounds } from './bounds.ts'
import {
  checkNumber,
  checkPlainArray,
  dataElement,
  dataProperty,
  isBytes,
  notPlainMessage,
  plainKeys,
  refuse,
  utf8Length,
} from './plain.ts'

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
 * PERF: about 1 µs for 100 bytes and 6 properties, 4.6 µs for a row of 388 bytes, 24 properties and 5 objects, on a machine
 * that is busy with other work; the checks of plainness are half of it (docs/decisions/value-codec.md).
 */
export function walk(value: unknown, hash: RunningHash): number {
  return walkWithin(VALUE_BOUNDS, value, hash)
}

/** The same walk over a row or another wrapping of values that were walked before (`ROW_BOUNDS`). */
export function walkRow(value: unknown, hash: RunningHash): number {
  return walkWithin(ROW_BOUNDS, value, hash)
}

function walkWithin(within: ValueBounds, value: unknown, hash: RunningHash): number {
  nodes = 0
  depthMax = within.depth
  nodesMax = within.nodes
  high = hash.high | 0
  low = hash.low | 0
  try {
    const size = walkAny(value, 0)
    if (size > within.bytes) refuse('TOO_LARGE', `a value is larger than ${within.bytes} bytes`)
    hash.high = high >>> 0
    hash.low = low >>> 0
    return size
  } catch (error) {
    throw error instanceof ValueError ? explainRefusal(value, error, within) : error
  }
}

/** Folded in front of each node, so that no two kinds of value fold alike. */
const TAG = { null: 1, false: 2, true: 3, int32: 4, double: 5, string: 6, bytes: 7, array: 8, object: 9 } as const

/**
 * The lanes of the hash during a walk, as signed integers: those V8 keeps unboxed, while the uint32 of a RunningHash would
 * be a new heap number at every word. Nothing that a walk calls runs machine code
 * (proxies apart), so no walk is ever inside another.
 */
let high = 0
let low = 0
let nodes = 0
let depthMax = VALUE_BOUNDS.depth
let nodesMax = VALUE_BOUNDS.nodes

/** `foldWord` of running-hash.ts on the lanes. */
function fold(word: number): void {
  low = mixLow(low, word)
  high = mixHigh(high, low)
  low ^= high
}

function walkAny(value: unknown, depth: number): number {
  nodes += 1
  if (nodes > nodesMax) refuse('TOO_LARGE', 'a value has too many nodes')
  switch (typeof value) {
    case 'string':
      fold(TAG.string)
      return walkString(value)
    case 'number':
      return walkNumber(value)
    case 'boolean':
      fold(value ? TAG.true : TAG.false)
      return 1
    case 'object':
      if (value !== null) return walkObject(value, depth + 1)
      fold(TAG.null)
      return 1
    case 'undefined':
      return refuse('UNDEFINED', 'undefined is not a value')
    default:
      return refuse('NOT_PLAIN', notPlainMessage(value))
  }
}

function walkObject(value: object, depth: number): number {
  if (isBytes(value)) {
    fold(TAG.bytes)
    foldBytesInto(value)
    return value.length + (value.length <= 0xff ? 2 : value.length <= 0xffff ? 3 : 5)
  }
  if (depth > depthMax) refuse('TOO_DEEP', 'a value is nested too deep')
  return Array.isArray(value) ? walkArray(value, depth) : walkPlainObject(value, depth)
}

function walkPlainObject(value: object, depth: number): number {
  const keys = plainKeys(value)
  fold(TAG.object)
  fold(keys.length)
  let size = containerHeader(keys.length)
  for (const key of keys) {
    const inner = dataProperty(value, key)
    size += walkString(key)
    size += walkAny(inner, depth)
  }
  freeze(value)
  return size
}

/** PERF: most parts of a row that is written again are frozen already, and asking costs a fifth of freezing. */
function freeze(value: object): void {
  if (!Object.isFrozen(value)) Object.freeze(value)
}

function walkArray(value: readonly unknown[], depth: number): number {
  checkPlainArray(value)
  const length = value.length
  fold(TAG.array)
  fold(length)
  let size = containerHeader(length)
  for (let index = 0; index < length; index += 1) size += walkAny(dataElement(value, index), depth)
  freeze(value)
  return size
}

function containerHeader(count: number): number {
  return count <= 15 ? 1 : count <= 0xffff ? 3 : 5
}

function walkNumber(value: number): number {
  if ((value | 0) === value && (value !== 0 || !Object.is(value, -0))) {
    fold(TAG.int32)
    fold(value)
    if (value >= -32 && value < 0x80) return 1
    if (value >= -0x80 && value <= 0xff) return 2
    return value >= -0x8000 && value <= 0xffff ? 3 : 5
  }
  checkNumber(value)
  fold(TAG.double)
  scratch.setFloat64(0, value)
  fold(scratch.getInt32(0))
  fold(scratch.getInt32(4))
  return value > 0 && value <= 0xffffffff && Number.isInteger(value) ? 5 : 9
}

/**
 * `foldString` of running-hash.ts on the lanes, a check for lone surrogates and the length in UTF-8, in one pass over
 * the units.
 */
function walkString(value: string): number {
  const length = value.length
  fold(length)
  const even = length & ~1
  let seen = 0
  // PERF: `| 0` tells the compiler that they are integers before the loop as well; without it the loop costs twice as much.
  let h = high | 0
  let l = low | 0
  for (let index = 0; index < even; index += 2) {
    const first = value.charCodeAt(index)
    const second = value.charCodeAt(index + 1)
    seen |= first | second
    l = mixLow(l, first | (second << 16))
    h = mixHigh(h, l)
    l ^= h
  }
  high = h
  low = l
  if (even !== length) {
    const last = value.charCodeAt(even)
    seen |= last
    fold(last)
  }
  return stringSize(seen < 0x80 ? length : utf8Length(value))
}

function stringSize(bytes: number): number {
  if (bytes <= 31) return bytes + 1
  if (bytes <= 0xff) return bytes + 2
  return bytes <= 0xffff ? bytes + 3 : bytes + 5
}

const scratch = new DataView(new ArrayBuffer(8))

/** `foldBytes` of running-hash.ts on the lanes. */
function foldBytesInto(bytes: Uint8Array): void {
  const hash: RunningHash = { high, low }
  foldBytes(hash, bytes)
  high = hash.high | 0
  low = hash.low | 0
}
