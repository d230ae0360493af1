import { isSafeUint64, readUint32, readUint64, writeUint32, writeUint64 } from '../../codec/bytes/integers.ts'
import { crc32 } from '../../codec/bytes/crc.ts'
import { SECTOR_BYTES } from '../disk/disk.ts'
import { PAGE_BYTES } from '../disk/sectors.ts'

/** A place in the log's segments. In the marker: everything before it was on disk (storage.md §3.1). Never an index. */
export interface LogPosition {
  /** Sequence number of a segment, from 1. */
  readonly sequence: number
  /** Offset in it: the end of a frame, or of the segment's header. */
  readonly offset: number
}

/** What a slot says: a position, and which of the two slots is the newer. */
export interface MarkerSlot extends LogPosition {
  /** Rises by one with every write of the marker; its parity says which slot it is. */
  readonly counter: number
}

/** What a marker file says. */
export interface ReadMarker {
  /** The newer of the valid slots; null when none is. */
  readonly newest: MarkerSlot | null
  /** Both slots name the same position: the loss of either one loses nothing. */
  readonly twice: boolean
}

/** Bytes of the file: two slots, in pages of their own, so that a torn write damages the one that was being replaced only. */
export const MARKER_BYTES = 2 * PAGE_BYTES

const MAGIC = 0x484d726b // "HMrk"
const CHECKED_FROM = 8

/** Offset in the file of the slot that a write with this counter replaces: the older one. */
export function markerSlotOffset(counter: number): number {
  return (counter % 2) * PAGE_BYTES
}

/** The bytes of a slot, one sector. */
export function encodeMarkerSlot(slot: MarkerSlot): Uint8Array {
  const bytes = new Uint8Array(SECTOR_BYTES)
  writeUint32(bytes, 0, MAGIC)
  writeUint64(bytes, 8, slot.counter)
  writeUint32(bytes, 16, slot.sequence)
  writeUint32(bytes, 20, slot.offset)
  writeUint32(bytes, 4, crc32(bytes, CHECKED_FROM, SECTOR_BYTES, 0))
  return bytes
}

/** The slots of a marker file. One may have been lost, or torn while it was written; both may not (storage.md §3.1). */
export function readMarker(bytes: Uint8Array): ReadMarker {
  const [first, second] = [readSlot(bytes, 0), readSlot(bytes, PAGE_BYTES)]
  if (first === null || second === null) return { newest: first ?? second, twice: false }
  // A file that is too short is made anew by the open, without what it says.
  const whole = bytes.length >= MARKER_BYTES
  const twice = whole && first.sequence === second.sequence && first.offset === second.offset
  return { newest: first.counter > second.counter ? first : second, twice }
}

function readSlot(bytes: Uint8Array, offset: number): MarkerSlot | null {
  if (bytes.length < offset + SECTOR_BYTES || readUint32(bytes, offset) !== MAGIC) return null
  if (readUint32(bytes, offset + 4) !== crc32(bytes, offset + CHECKED_FROM, offset + SECTOR_BYTES, 0)) return null
  if (!isSafeUint64(bytes, offset + 8)) return null
  return {
    counter: readUint64(bytes, offset + 8),
    sequence: readUint32(bytes, offset + 16),
    offset: readUint32(bytes, offset + 20),
  }
}
