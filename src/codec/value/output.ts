import { KEY_UNITS_MAX, KEY_UNITS_MIN, firstKey, knownKey, type KnownKey } from './known-key.ts'
import { writeUtf8 } from '../bytes/native-text.ts'
import { ROW_BOUNDS } from './bounds.ts'
import { checkNumber, refuse, utf8Length } from './plain.ts'
import { ARRAY, BYTES, type Headers, MAP, STRING } from './msgpack-headers.ts'

/**
 * Where values are encoded: a slab, from which finished encodings are cut one after the other. Both encoders write here, so
 * that each kind of value has its bytes from one function. One encoding is under way at a time, from `beginOutput` to one of
 * the `take` functions; an encoding that is given up half-way leaves nothing behind.
 *
 * PERF: an allocation of its own costs each encoding beyond 64 bytes about 0.3 µs and the collector as much again; a view
 * of the slab costs 0.05 µs. The slab is not zeroed, because nobody sees a byte of it that was not written.
 */
const SLAB_BYTES = 64 * 1024

/** Strings up to this many units are written by a loop here (2 ns a unit); crossing into native code costs 80 ns. */
const LOOP_UNITS_MAX = 32

/** Longer strings are measured before they are written, rather than given room for three bytes a unit. */
const ROOMY_UNITS_MAX = 4096

/** Room that may be asked for beyond what is then written, so that a value of exactly the largest size fits. */
const SLACK_BYTES = 3 * ROOMY_UNITS_MAX + 64

let slab = newSlab(SLAB_BYTES)
let view = new DataView(slab.buffer)
/** First byte of the encoding under way. */
let start = 0
let position = 0
let previousKey: KnownKey = firstKey

export function beginOutput(): void {
  position = start
  previousKey = firstKey
}

/**
 * Ends the encoding. The bytes are a view of the slab, never written again; whoever keeps them keeps the slab (64 KiB). A
 * large value has bytes of its own.
 */
export function takeView(): Uint8Array {
  const length = checkedLength()
  if (slab.length > SLAB_BYTES) return takeCopy()
  const taken = new Uint8Array(slab.buffer, start, length)
  start = position
  return taken
}

/** Ends the encoding, with bytes of its own. */
export function takeCopy(): Uint8Array {
  checkedLength()
  const taken = slab.slice(start, position)
  dropLargeOutput()
  return taken
}

/** Gives the slab of a large value back, which else the next encodings would keep alive. */
export function dropLargeOutput(): void {
  if (slab.length > SLAB_BYTES) useSlab(newSlab(SLAB_BYTES))
}

function checkedLength(): number {
  const length = position - start
  if (length > ROW_BOUNDS.bytes) refuseSize()
  return length
}

export function writeNull(): void {
  writeByte(0xc0)
}

export function writeBoolean(value: boolean): void {
  writeByte(value ? 0xc3 : 0xc2)
}

/** Refuses numbers that are no values. */
export function writeNumber(value: number): void {
  reserve(9)
  if ((value | 0) !== value) return writeWideNumber(value)
  if (value > 0) return writeNatural(value)
  if (value === 0) return writeZero(value)
  if (value >= -32) {
    slab[position++] = value
  } else if (value >= -0x80) {
    slab[position] = 0xd0
    slab[position + 1] = value
    position += 2
  } else if (value >= -0x8000) {
    slab[position] = 0xd1
    view.setInt16(position + 1, value)
    position += 3
  } else {
    slab[position] = 0xd2
    view.setInt32(position + 1, value)
    position += 5
  }
}

/** An integer from 1 to 2^31 − 1. */
function writeNatural(value: number): void {
  if (value < 0x80) {
    slab[position++] = value
  } else if (value <= 0xff) {
    slab[position] = 0xcc
    slab[position + 1] = value
    position += 2
  } else if (value <= 0xffff) {
    slab[position] = 0xcd
    view.setInt16(position + 1, value)
    position += 3
  } else {
    slab[position] = 0xce
    view.setInt32(position + 1, value)
    position += 5
  }
}

function writeZero(value: number): void {
  if (Object.is(value, -0)) checkNumber(value)
  slab[position++] = 0
}

function writeWideNumber(value: number): void {
  if (!Number.isSafeInteger(value)) {
    checkNumber(value)
    slab[position] = 0xcb
    view.setFloat64(position + 1, value)
    position += 9
  } else if (value > 0 && value <= 0xffffffff) {
    slab[position] = 0xce
    view.setInt32(position + 1, value | 0)
    position += 5
  } else {
    // Floor division gives two's complement halves for negative numbers too.
    slab[position] = value > 0 ? 0xcf : 0xd3
    view.setInt32(position + 1, Math.floor(value / 0x100000000))
    view.setInt32(position + 5, value | 0)
    position += 9
  }
}

/** A key of an object: like a string, but most were seen before. */
export function writeKey(key: string): void {
  let known: KnownKey | null = previousKey.next
  if (known.text !== key) {
    if (key.length < KEY_UNITS_MIN || key.length > KEY_UNITS_MAX) return writeString(key)
    known = knownKey(key)
    if (known === null) return writeString(key)
    previousKey.next = known
  }
  previousKey = known
  const { words, bytes } = known
  reserve(4 * words.length)
  for (let index = 0; index < words.length; index += 1)
    view.setInt32(position + 4 * index, words[index] as number, true)
  position += bytes.length
}

/** Refuses lone surrogates. */
export function writeString(value: string): void {
  const { length } = value
  if (length > LOOP_UNITS_MAX ? writeLongAscii(value, length) : writeShortAscii(value, length)) return
  const bytes = utf8Length(value)
  writeHeader(bytes, STRING)
  reserve(bytes)
  writeUtf8(slab, value, position, bytes)
  position += bytes
}

/** False, with nothing written, when the string is not ASCII. */
function writeShortAscii(value: string, length: number): boolean {
  reserve(2 + LOOP_UNITS_MAX)
  const from = position + (length < 32 ? 1 : 2)
  let seen = 0
  for (let index = 0; index < length; index += 1) {
    const unit = value.charCodeAt(index)
    seen |= unit
    slab[from + index] = unit
  }
  if (seen > 0x7f) return false
  if (length < 32) {
    slab[position] = 0xa0 | length
  } else {
    slab[position] = 0xd9
    slab[position + 1] = length
  }
  position = from + length
  return true
}

/**
 * False, with nothing kept, when the string is not ASCII.
 *
 * PERF: a unit beyond ASCII takes more bytes than units in any case, so the length that was written tells without a look
 * at the units.
 */
function writeLongAscii(value: string, length: number): boolean {
  if (length > ROOMY_UNITS_MAX) return false
  // All the room at once: making room may move what was written.
  reserve(3 * length + 5)
  const before = position
  writeHeader(length, STRING)
  if (writeUtf8(slab, value, position, 3 * length) === length) {
    position += length
    return true
  }
  position = before
  return false
}

export function writeBytes(value: Uint8Array): void {
  writeHeader(value.length, BYTES)
  reserve(value.length)
  slab.set(value, position)
  position += value.length
}

/** Before the elements of an array. */
export function writeArrayHeader(length: number): void {
  if (length > 15) return writeHeader(length, ARRAY)
  reserve(1)
  slab[position++] = 0x90 | length
}

/** Before the keys and values of an object. */
export function writeMapHeader(size: number): void {
  if (size > 15) return writeHeader(size, MAP)
  reserve(1)
  slab[position++] = 0x80 | size
}

function writeHeader(length: number, headers: Headers): void {
  reserve(5)
  if (length <= headers.fixMax) {
    slab[position++] = headers.fix | length
  } else if (length <= 0xff && headers.wide8 !== 0) {
    slab[position] = headers.wide8
    slab[position + 1] = length
    position += 2
  } else if (length <= 0xffff) {
    slab[position] = headers.wide16
    view.setInt16(position + 1, length)
    position += 3
  } else {
    slab[position] = headers.wide32
    view.setUint32(position + 1, length)
    position += 5
  }
}

function writeByte(byte: number): void {
  reserve(1)
  slab[position++] = byte
}

/** Makes room for `bytes` more, up to the largest value there may be. */
function reserve(bytes: number): void {
  if (position + bytes > slab.length) grow(bytes)
}

function grow(bytes: number): void {
  const held = position - start
  const needed = held + bytes
  if (needed > ROW_BOUNDS.bytes + SLACK_BYTES) refuseSize()
  // Twice what is needed, or a slab: what was written of this encoding moves to the front of it.
  const larger = newSlab(needed <= SLAB_BYTES ? SLAB_BYTES : 2 * needed)
  larger.set(slab.subarray(start, position))
  useSlab(larger)
  position = held
}

function newSlab(bytes: number): Uint8Array {
  const { buffer } = Buffer.allocUnsafeSlow(bytes)
  return new Uint8Array(buffer)
}

function useSlab(bytes: Uint8Array): void {
  slab = bytes
  view = new DataView(slab.buffer)
  start = 0
  position = 0
}

function refuseSize(): never {
  return refuse('TOO_LARGE', `a value is larger than ${ROW_BOUNDS.bytes} bytes`)
}
