import { logIndex, type LogIndex } from '../../base/brand.ts'
import { isSafeUint64, readUint32, readUint64, writeUint32, writeUint64 } from '../../codec/bytes/integers.ts'
import { crc32 } from '../../codec/bytes/crc.ts'
import { keyFromBytes, keyToBytes } from '../../codec/rows/key.ts'
import { forEachPacked } from '../../codec/rows/packed-rows.ts'
import type { SnapshotMeta } from '../../node/ports/snapshot-store.ts'
import type { DatabaseChange } from './snapshot-database.ts'

/**
 * The bytes of a snapshot in LevelDB (docs/format.md, "Snapshots"): three families of keys, told apart by their first
 * byte. Every value starts with a CRC-32 over its key and the rest of it, so that a value that rotted, or one that is
 * found under another key, is never taken for good.
 *
 *   c                         the record that switches a generation on (SwitchRecord, as JSON)
 *   g generation u64 slice u32  a slice of a generation, as it was written
 *   r key                     a row of the snapshot
 */
/** Key of the record that switches a generation on. */
export const SWITCH_KEY = Uint8Array.of(0x63)
/** The keys of all slices, [from, to). */
export const SLICES = { from: Uint8Array.of(0x67), to: Uint8Array.of(0x68) }
const ROW_FAMILY = 0x72
/** The keys of all rows, [from, to). */
export const ROWS = { from: Uint8Array.of(ROW_FAMILY), to: Uint8Array.of(ROW_FAMILY + 1) }

/** Version of this layout; a newer one is refused with NEWER_FORMAT (storage.md §7). */
export const SNAPSHOT_FORMAT = 1

/** The content of the record that switches a generation on (storage.md §4.4, §4.6). */
export interface SwitchRecord {
  readonly format: number
  /** Its name: the index of its boundary, which is meta.lastIncludedIndex. */
  readonly generation: LogIndex
  /** How many slices belong to it; they are numbered [0, slices). */
  readonly slices: number
  /** Rows in them, deletions included. */
  readonly rows: number
  /** Rows of the whole snapshot once the slices are folded. */
  readonly total: number
  readonly meta: SnapshotMeta
}

/** The database key of a row, by the row's key in the replicated dictionary. */
export function rowKey(key: string): Uint8Array {
  return keyToBytes(`r${key}`)
}

/** The inverse of `rowKey`. */
export function rowName(bytes: Uint8Array): string {
  return keyFromBytes(bytes.subarray(1))
}

/** The database key of a slice: generation, then its number, so that the order of keys is the order of writing. */
export function sliceKey(generation: LogIndex, slice: number): Uint8Array {
  const bytes = new Uint8Array(SLICE_KEY_BYTES)
  bytes[0] = 0x67
  writeUint64(bytes, 1, generation)
  writeUint32(bytes, 9, slice)
  return bytes
}

const SLICE_KEY_BYTES = 13

/** The generation and number that a slice's key names; null for a key that no slice was ever written under. */
export function parseSliceKey(bytes: Uint8Array): { generation: LogIndex; slice: number } | null {
  // The brand below asserts its range: a damaged key is refused, not a crash.
  if (bytes.length !== SLICE_KEY_BYTES || !isSafeUint64(bytes, 1)) return null
  return { generation: logIndex(readUint64(bytes, 1)), slice: readUint32(bytes, 9) }
}

/** `content` behind its checksum (4 bytes), as it is stored under `key` (storage.md §3.8). */
export function seal(key: Uint8Array, content: Uint8Array): Uint8Array {
  const bytes = new Uint8Array(4 + content.length)
  bytes.set(content, 4)
  writeUint32(bytes, 0, checksum(key, bytes))
  return bytes
}

/** The content of a stored value, as a view; null when its checksum says that these are not the bytes written. */
export function unseal(key: Uint8Array, bytes: Uint8Array): Uint8Array | null {
  if (bytes.length < 4 || readUint32(bytes, 0) !== checksum(key, bytes)) return null
  return bytes.subarray(4)
}

function checksum(key: Uint8Array, bytes: Uint8Array): number {
  return crc32(bytes, 4, bytes.length, crc32(key, 0, key.length, 0))
}

/**
 * The changes that fold a slice into the rows. Verified bytes of a slice are the caller's own and given up: a row's key and
 * value stay where they are, the byte before the key takes the family's letter and the value's length its checksum.
 *
 * PERF: nothing is copied, and no key becomes a string.
 */
export function rowChanges(slice: Uint8Array): DatabaseChange[] {
  const changes: DatabaseChange[] = []
  forEachPacked(slice, (keyStart, keyEnd, valueEnd) => {
    slice[keyStart - 1] = ROW_FAMILY
    const key = slice.subarray(keyStart - 1, keyEnd)
    if (valueEnd < 0) {
      changes.push({ key, value: null })
      return
    }
    const sum = crc32(slice, keyStart - 1, keyEnd, 0)
    writeUint32(slice, keyEnd, crc32(slice, keyEnd + 4, valueEnd, sum))
    changes.push({ key, value: slice.subarray(keyEnd, valueEnd) })
  })
  return changes
}

/** JSON in UTF-8. */
export function encodeSwitch(record: SwitchRecord): Uint8Array {
  return new Uint8Array(Buffer.from(JSON.stringify(record), 'utf8'))
}

/** The inverse; the bytes were verified by their checksum, so what they hold is what a node wrote. */
export function decodeSwitch(bytes: Uint8Array): SwitchRecord {
  return JSON.parse(Buffer.from(bytes).toString('utf8')) as SwitchRecord
}
