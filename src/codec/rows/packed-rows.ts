import { assert } from '../../base/assert.ts'
import { readUint32, writeUint32 } from '../bytes/integers.ts'
import { crc32 } from '../bytes/crc.ts'
import { keyFromBytes } from './key.ts'

/** One row of a snapshot; null deletes. The key is a binary string (one char per byte). */
export interface KeyedBytes {
  readonly key: string
  readonly value: Uint8Array | null
}

/**
 * Rows one after the other, as a slice of a snapshot stores them (docs/format.md, "Snapshots"): length of the key, its
 * bytes, length of the value plus one (0: the row is deleted), its bytes; the lengths as big-endian uint32.
 */
export function packRows(rows: readonly KeyedBytes[]): Uint8Array {
  let length = 0
  for (const { key, value } of rows) length += 8 + key.length + (value === null ? 0 : value.length)
  const bytes = new Uint8Array(length)
  let offset = 0
  for (const { key, value } of rows) {
    writeUint32(bytes, offset, key.length)
    offset = writeKey(bytes, offset + 4, key)
    writeUint32(bytes, offset, value === null ? 0 : value.length + 1)
    offset += 4
    if (value === null) continue
    bytes.set(value, offset)
    offset += value.length
  }
  return bytes
}

/** The inverse; values are views. The bytes were verified by their checksum. */
export function unpackRows(bytes: Uint8Array): KeyedBytes[] {
  const rows: KeyedBytes[] = []
  forEachPacked(bytes, (keyStart, keyEnd, valueEnd) => {
    const key = keyFromBytes(bytes.subarray(keyStart, keyEnd))
    rows.push({ key, value: valueEnd < 0 ? null : bytes.subarray(keyEnd + 4, valueEnd) })
  })
  return rows
}

/**
 * Calls back with where each row's key and value lie; the value begins 4 bytes behind the key, and ends at −1 when
 * there is none.
 */
export function forEachPacked(
  bytes: Uint8Array,
  onRow: (keyStart: number, keyEnd: number, valueEnd: number) => void,
): void {
  let offset = 0
  while (offset < bytes.length) {
    const keyStart = offset + 4
    const keyEnd = keyStart + readUint32(bytes, offset)
    const stored = readUint32(bytes, keyEnd)
    offset = keyEnd + 4 + Math.max(stored - 1, 0)
    onRow(keyStart, keyEnd, stored === 0 ? -1 : offset)
  }
}

/**
 * CRC-32 chain over rows in key order, continued from `seed` (0 at the start), so that slices of any size give the same
 * digest. Replicas compare it at equal boundaries (storage.md §4). Returns a uint32.
 */
export function packedDigest(bytes: Uint8Array, seed: number): number {
  return crc32(bytes, 0, bytes.length, seed)
}

function writeKey(bytes: Uint8Array, offset: number, key: string): number {
  let seen = 0
  for (let index = 0; index < key.length; index += 1) {
    const unit = key.charCodeAt(index)
    seen |= unit
    bytes[offset + index] = unit
  }
  if (seen > 0xff) assert(false, 'a key is a binary string', { key })
  return offset + key.length
}
