import { crc32, crc32OfUint32 } from './crc.ts'
import { keyToBytes } from './key.ts'

/**
 * CRC-32 chain over rows in key order, continued from `seed` (0 at the start), so that slices of any size give the same
 * digest. Per row: length of the key, its bytes, length of the value plus one (0: the row is deleted), its bytes; the
 * lengths as big-endian uint32. Replicas compare it at equal boundaries (storage.md §4). Returns a uint32.
 */
export function rowsDigest(
  rows: readonly { readonly key: string; readonly value: Uint8Array | null }[],
  seed = 0,
): number {
  let digest = seed
  for (const row of rows) {
    const key = keyToBytes(row.key)
    digest = crc32(key, 0, key.length, crc32OfUint32(key.length, digest))
    digest = crc32OfUint32(row.value === null ? 0 : row.value.length + 1, digest)
    if (row.value !== null) digest = crc32(row.value, 0, row.value.length, digest)
  }
  return digest
}
