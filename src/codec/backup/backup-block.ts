import { crc32 } from '../bytes/crc.ts'
import { readUint32, writeUint32 } from '../bytes/integers.ts'

/** What a block holds: facts first, then log, then rows, the totals last. */
export type BlockKind = 'facts' | 'log' | 'rows' | 'totals'

/** First four bytes of every block: "HBak". */
const BLOCK_MAGIC = 0x4842616b
/** Magic, kind with three zeros, length of the content, checksum. */
export const BLOCK_HEADER_BYTES = 16
/** Content of a block at most: one row or one record, whatever its size, fits. */
const BLOCK_CONTENT_MAX = 64 * 1024 * 1024

const NUMBER_OF: { readonly [kind in BlockKind]: number } = { facts: 1, log: 2, rows: 3, totals: 4 }
const KIND_OF = new Map<number, BlockKind>([
  [1, 'facts'],
  [2, 'log'],
  [3, 'rows'],
  [4, 'totals'],
])

/** A block's bytes: its checksum covers kind, length and content. */
export function encodeBlock(kind: BlockKind, content: Uint8Array): Uint8Array {
  const bytes = new Uint8Array(BLOCK_HEADER_BYTES + content.length)
  writeUint32(bytes, 0, BLOCK_MAGIC)
  bytes[4] = NUMBER_OF[kind]
  writeUint32(bytes, 8, content.length)
  bytes.set(content, BLOCK_HEADER_BYTES)
  writeUint32(bytes, 12, checksumOf(bytes))
  return bytes
}

/** What a header says; null: it is none of a block. Whether the content is right `isIntact` tells. */
export function readBlockHeader(bytes: Uint8Array): { readonly kind: BlockKind; readonly length: number } | null {
  const kind = KIND_OF.get(bytes[4] ?? 0)
  const length = readUint32(bytes, 8)
  const padded = bytes[5] === 0 && bytes[6] === 0 && bytes[7] === 0
  if (readUint32(bytes, 0) !== BLOCK_MAGIC || kind === undefined || !padded || length > BLOCK_CONTENT_MAX) return null
  return { kind, length }
}

/** Whether a whole block is as it was written. */
export function isIntact(block: Uint8Array): boolean {
  return readUint32(block, 12) === checksumOf(block)
}

function checksumOf(block: Uint8Array): number {
  return crc32(block, BLOCK_HEADER_BYTES, block.length, crc32(block, 4, 12, 0))
}
