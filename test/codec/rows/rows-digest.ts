import { crc32 } from 'node:zlib'
import type { KeyedBytes } from '../../../src/codec/rows/packed-rows.ts'

/** The digest of rows in key order, row by row as docs/format.md has it: the product takes it over packed rows at once. */
export function rowsDigest(rows: readonly KeyedBytes[], seed = 0): number {
  let digest = seed
  for (const { key, value } of rows) {
    digest = crc32(uint32(key.length), digest)
    digest = crc32(Buffer.from(key, 'latin1'), digest)
    digest = crc32(uint32(value === null ? 0 : value.length + 1), digest)
    if (value !== null) digest = crc32(value, digest)
  }
  return digest
}

function uint32(value: number): Buffer {
  const bytes = Buffer.alloc(4)
  bytes.writeUInt32BE(value)
  return bytes
}
