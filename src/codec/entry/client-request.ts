import { assert } from '../../base/assert.ts'
import { readUint32, UNSAFE_HIGH, writeUint32, writeUint64 } from '../bytes/integers.ts'
import type { ClientRequestPayload } from './payload.ts'
import { ENTRY_PAYLOAD_BYTES_MAX } from './record.ts'
import { cachedAscii } from '../bytes/text-cache.ts'
import { ValueError } from '../value/value-error.ts'

/**
 * The hot payload: packed binary, big-endian, no msgpack (docs/format.md).
 *
 *   group u32 | incarnation u32 | index u64 | epoch u64 | requestId u64 | lowestPendingRequestId u64 |
 *   ackServerRequests u64 | hashHigh u32 | hashLow u32 | version u32 | machine length u8 | command length u8 |
 *   machine | command | input
 *
 * Names are ASCII; the input is the rest.
 */
export const CLIENT_REQUEST_FIXED_BYTES = 62

/** Longest name that the packed form has room for, bytes: its length is one. `NAME_BYTES_MAX` (names.ts) allows fewer. */
export const PACKED_NAME_BYTES_MAX = 255

/** Longest input of a command, bytes: with the longest names it still fits one log entry. */
export const COMMAND_INPUT_BYTES_MAX = ENTRY_PAYLOAD_BYTES_MAX - CLIENT_REQUEST_FIXED_BYTES - 2 * PACKED_NAME_BYTES_MAX

/** Bytes that `writeClientRequest` will write. */
export function clientRequestLength(payload: ClientRequestPayload): number {
  return CLIENT_REQUEST_FIXED_BYTES + payload.machine.length + payload.command.length + payload.input.length
}

/** Writes the payload at `offset`, where the caller made room; returns the offset behind it. */
export function writeClientRequest(target: Uint8Array, offset: number, payload: ClientRequestPayload): number {
  const end = offset + clientRequestLength(payload)
  if (end > target.length) assert(false, 'the buffer is too short for the request', { end, length: target.length })
  writeUint32(target, offset, uint32(payload.group))
  writeUint32(target, offset + 4, uint32(payload.incarnation))
  writeUint64(target, offset + 8, natural(payload.index))
  writeUint64(target, offset + 16, natural(payload.epoch))
  writeUint64(target, offset + 24, natural(payload.requestId))
  writeUint64(target, offset + 32, natural(payload.lowestPendingRequestId))
  writeUint64(target, offset + 40, natural(payload.ackServerRequests))
  writeUint32(target, offset + 48, uint32(payload.hashHigh))
  writeUint32(target, offset + 52, uint32(payload.hashLow))
  writeUint32(target, offset + 56, uint32(payload.version))
  const afterMachine = writeName(target, offset + CLIENT_REQUEST_FIXED_BYTES, payload.machine)
  const afterCommand = writeName(target, afterMachine, payload.command)
  target[offset + 60] = payload.machine.length
  target[offset + 61] = payload.command.length
  target.set(payload.input, afterCommand)
  return end
}

/** The same into bytes of its own. */
export function encodeClientRequest(payload: ClientRequestPayload): Uint8Array {
  const bytes = new Uint8Array(clientRequestLength(payload))
  writeClientRequest(bytes, 0, payload)
  return bytes
}

/**
 * The inverse. `input` is a view of `bytes`, valid as long as they are. Throws ValueError for bytes that are too short,
 * names that are not ASCII and numbers beyond 2^53−1; whether the numbers make sense is for apply to say (INVALID).
 */
export function decodeClientRequest(bytes: Uint8Array): ClientRequestPayload {
  if (bytes.length < CLIENT_REQUEST_FIXED_BYTES) bad('it is shorter than its fixed part')
  const machineEnd = CLIENT_REQUEST_FIXED_BYTES + (bytes[60] as number) // within the fixed part
  const commandEnd = machineEnd + (bytes[61] as number)
  if (commandEnd > bytes.length) bad('it ends inside a name')
  return {
    group: readUint32(bytes, 0),
    incarnation: readUint32(bytes, 4),
    index: safeUint64(bytes, 8),
    epoch: safeUint64(bytes, 16),
    requestId: safeUint64(bytes, 24),
    lowestPendingRequestId: safeUint64(bytes, 32),
    ackServerRequests: safeUint64(bytes, 40),
    hashHigh: readUint32(bytes, 48),
    hashLow: readUint32(bytes, 52),
    version: readUint32(bytes, 56),
    machine: readName(bytes, CLIENT_REQUEST_FIXED_BYTES, machineEnd),
    command: readName(bytes, machineEnd, commandEnd),
    input: bytes.subarray(commandEnd),
  }
}

/** True for a name that fits the packed form: 1–255 printable ASCII characters. PERF: 20 ns, as a pattern 200. */
export function isName(text: string): boolean {
  if (text.length === 0 || text.length > PACKED_NAME_BYTES_MAX) return false
  for (let index = 0; index < text.length; index += 1) {
    const unit = text.charCodeAt(index)
    if (unit < 0x21 || unit > 0x7e) return false
  }
  return true
}

function writeName(target: Uint8Array, offset: number, name: string): number {
  if (name.length > PACKED_NAME_BYTES_MAX) assert(false, 'a name is at most 255 bytes', { name })
  for (let index = 0; index < name.length; index += 1) {
    const unit = name.charCodeAt(index)
    if (unit > 0x7f) assert(false, 'a name is ASCII', { name })
    target[offset + index] = unit
  }
  return offset + name.length
}

function readName(bytes: Uint8Array, start: number, end: number): string {
  const known = cachedAscii(bytes, start, end)
  if (known !== null) return known
  let text = ''
  for (let index = start; index < end; index += 1) {
    const byte = bytes[index] as number // start ≤ index < end ≤ length
    if (byte > 0x7f) bad('a name is not ASCII')
    text += String.fromCharCode(byte)
  }
  return text
}

function safeUint64(bytes: Uint8Array, offset: number): number {
  const high = readUint32(bytes, offset)
  if (high >= UNSAFE_HIGH) throw new ValueError('UNSAFE_INTEGER', '', 'not a ClientRequest: a number is beyond 2^53-1')
  return high * 0x100000000 + readUint32(bytes, offset + 4)
}

/** PERF: the values of an assertion are only gathered where it fails; gathering them each time doubled the cost. */
function natural(value: number): number {
  if (!Number.isSafeInteger(value) || value < 0) assert(false, 'a number of a request is from 0 to 2^53-1', { value })
  return value
}

function uint32(value: number): number {
  if (value >>> 0 !== value) assert(false, 'a number of a request is a uint32', { value })
  return value
}

function bad(message: string): never {
  throw new ValueError('BAD_BYTES', '', `not a ClientRequest: ${message}`)
}
