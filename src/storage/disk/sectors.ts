import { SECTOR_BYTES } from './disk.ts'

/** Bytes of a page: body bytes that share one checksum in a frame; the marker's two slots lie in pages of their own. */
export const PAGE_BYTES = 4096

/** The lowest multiple of SECTOR_BYTES that is at least `bytes`. */
export function alignUp(bytes: number): number {
  return Math.ceil(bytes / SECTOR_BYTES) * SECTOR_BYTES
}

/** True when bytes [start, end) are all zero. PERF: ends at the first byte that is not, usually the first. */
export function isZero(bytes: Uint8Array, start: number, end: number): boolean {
  for (let offset = start; offset < end; offset += 1) {
    if (bytes[offset] !== 0) return false
  }
  return true
}

/** Zeros are skipped in blocks of this, by native code: an open looks at up to 64 MiB of them. */
const BLOCK_BYTES = 64 * 1024
const ZERO_BLOCK = new Uint8Array(BLOCK_BYTES)

/** True when there is nothing but zeros. PERF: about 30 ms for the 64 MiB of a full-grown segment. */
export function isAllZero(bytes: Uint8Array): boolean {
  const whole = bytes.length - (bytes.length % SECTOR_BYTES)
  return lastDataEnd(bytes, 0, whole) === 0 && isZero(bytes, whole, bytes.length)
}

/** End of the last sector of [start, end) that is not all zero; `start` when there is none. Both are aligned. */
export function lastDataEnd(bytes: Uint8Array, start: number, end: number): number {
  let rest = end
  while (rest - start >= BLOCK_BYTES && Buffer.compare(bytes.subarray(rest - BLOCK_BYTES, rest), ZERO_BLOCK) === 0)
    rest -= BLOCK_BYTES
  for (let sector = rest - SECTOR_BYTES; sector >= start; sector -= SECTOR_BYTES) {
    if (!isZero(bytes, sector, sector + SECTOR_BYTES)) return sector + SECTOR_BYTES
  }
  return start
}
