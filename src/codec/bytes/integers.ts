/**
 * Big-endian numbers in byte arrays. The offsets are the caller's promise: reads beyond the end give NaN-free garbage
 * (zeros), so every caller checks its bounds first.
 */

const HIGH = 0x1_0000_0000
/** A uint64 above 2^53 − 1 has a high half of at least this. */
export const UNSAFE_HIGH = 0x20_0000

export function readUint16(bytes: Uint8Array, offset: number): number {
  return ((bytes[offset] as number) << 8) | (bytes[offset + 1] as number)
}

export function readUint32(bytes: Uint8Array, offset: number): number {
  return (
    (((bytes[offset] as number) << 24) |
      ((bytes[offset + 1] as number) << 16) |
      ((bytes[offset + 2] as number) << 8) |
      (bytes[offset + 3] as number)) >>>
    0
  )
}

/** Exact up to 2^53 − 1; `isSafeUint64` tells whether it is. */
export function readUint64(bytes: Uint8Array, offset: number): number {
  return readUint32(bytes, offset) * HIGH + readUint32(bytes, offset + 4)
}

export function isSafeUint64(bytes: Uint8Array, offset: number): boolean {
  return readUint32(bytes, offset) < UNSAFE_HIGH
}

export function writeUint16(bytes: Uint8Array, offset: number, value: number): void {
  bytes[offset] = value >>> 8
  bytes[offset + 1] = value
}

export function writeUint32(bytes: Uint8Array, offset: number, value: number): void {
  bytes[offset] = value >>> 24
  bytes[offset + 1] = value >>> 16
  bytes[offset + 2] = value >>> 8
  bytes[offset + 3] = value
}

/** `value` is an integer from 0 to 2^53 − 1. */
export function writeUint64(bytes: Uint8Array, offset: number, value: number): void {
  writeUint32(bytes, offset, Math.floor(value / HIGH))
  writeUint32(bytes, offset + 4, value >>> 0)
}
