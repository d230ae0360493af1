const HIGH = 0x1_0000_0000

/** A uint64 above 2^53 − 1 has a high half of at least this. */
export const UNSAFE_HIGH = 0x20_0000

/**
 * The big-endian uint16 at `offset`. Here and below the caller has checked that the number lies within the bytes: beyond
 * their end a reader takes zeros and a writer writes nothing.
 */
export function readUint16(bytes: Uint8Array, offset: number): number {
  return ((bytes[offset] as number) << 8) | (bytes[offset + 1] as number)
}

/** The big-endian uint32 at `offset`. */
export function readUint32(bytes: Uint8Array, offset: number): number {
  return (
    (((bytes[offset] as number) << 24) |
      ((bytes[offset + 1] as number) << 16) |
      ((bytes[offset + 2] as number) << 8) |
      (bytes[offset + 3] as number)) >>>
    0
  )
}

/** The big-endian uint64 at `offset`: exact up to 2^53 − 1, which `isSafeUint64` tells. */
export function readUint64(bytes: Uint8Array, offset: number): number {
  return readUint32(bytes, offset) * HIGH + readUint32(bytes, offset + 4)
}

/** Whether the big-endian uint64 at `offset` is at most 2^53 − 1. */
export function isSafeUint64(bytes: Uint8Array, offset: number): boolean {
  return readUint32(bytes, offset) < UNSAFE_HIGH
}

/** Writes the low 32 bits of an integer, big-endian. */
export function writeUint32(bytes: Uint8Array, offset: number, value: number): void {
  bytes[offset] = value >>> 24
  bytes[offset + 1] = value >>> 16
  bytes[offset + 2] = value >>> 8
  bytes[offset + 3] = value
}

/** Writes an integer from 0 to 2^53 − 1 as a big-endian uint64. */
export function writeUint64(bytes: Uint8Array, offset: number, value: number): void {
  writeUint32(bytes, offset, Math.floor(value / HIGH))
  writeUint32(bytes, offset + 4, value >>> 0)
}
