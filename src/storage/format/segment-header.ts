import type { LogIndex, Term, WriteNumber } from '../../base/brand.ts'
import { isSafeUint64, readUint32, readUint64, writeUint32, writeUint64 } from '../../codec/bytes/integers.ts'
import { crc32 } from '../../codec/bytes/crc.ts'
import type { HardState } from '../../raft/types.ts'
import { SECTOR_BYTES } from '../disk/disk.ts'
import { isZero } from '../disk/sectors.ts'
import { readVote, writeVote } from './vote-field.ts'

/** The last entry before some place of the log: index and term 0 and chain CHAIN_START before the first entry. */
export interface LogBase {
  readonly index: LogIndex
  readonly term: Term
  readonly chain: number
}

/** First sector of a segment (docs/format.md). Durable before the segment's first frame is written. */
export interface SegmentHeader {
  readonly group: number
  readonly sequence: number
  /** Bytes of the file. */
  readonly size: number
  /** Where the log goes on from: what lies beyond it in that segment is void. Sequence 0: this is the first segment. */
  readonly predecessor: { readonly sequence: number; readonly end: number }
  /** The log starts here anew from an installed snapshot: everything before is void. */
  readonly reset: boolean
  readonly hardState: HardState
  readonly lastWrite: WriteNumber
  readonly base: LogBase
}

export interface ReadSegmentHeader extends SegmentHeader {
  /** Seed of the checksums of the segment's frames. */
  readonly checksum: number
}

const MAGIC = 0x48536567 // "HSeg"
const FORMAT = 1
const RESET = 1
const CHECKED_FROM = 8

/** One sector. */
export function encodeSegmentHeader(header: SegmentHeader): Uint8Array {
  const bytes = new Uint8Array(SECTOR_BYTES)
  writeUint32(bytes, 0, MAGIC)
  bytes[8] = FORMAT
  bytes[9] = header.reset ? RESET : 0
  bytes[10] = writeVote(bytes, 72, header.hardState.votedFor)
  writeUint32(bytes, 12, header.sequence)
  writeUint32(bytes, 16, header.size)
  writeUint32(bytes, 20, header.predecessor.sequence)
  writeUint32(bytes, 24, header.predecessor.end)
  writeUint32(bytes, 28, header.group)
  writeUint64(bytes, 32, header.hardState.currentTerm)
  writeUint64(bytes, 40, header.lastWrite)
  writeUint64(bytes, 48, header.base.index)
  writeUint64(bytes, 56, header.base.term)
  writeUint32(bytes, 64, header.base.chain)
  writeUint32(bytes, 4, crc32(bytes, CHECKED_FROM, SECTOR_BYTES, 0))
  return bytes
}

/** Checksum in an encoded header: the seed of its segment's frames. */
export function segmentSeed(header: Uint8Array): number {
  return readUint32(header, 4)
}

/** The header at the start of `bytes`; `unused` for zeros, `wrong` for anything that is no header of this format. */
export function readSegmentHeader(bytes: Uint8Array): ReadSegmentHeader | 'unused' | 'wrong' {
  if (bytes.length < SECTOR_BYTES) return isZero(bytes, 0, bytes.length) ? 'unused' : 'wrong'
  if (isZero(bytes, 0, SECTOR_BYTES)) return 'unused'
  const checksum = crc32(bytes, CHECKED_FROM, SECTOR_BYTES, 0)
  if (readUint32(bytes, 0) !== MAGIC || readUint32(bytes, 4) !== checksum || bytes[8] !== FORMAT) return 'wrong'
  for (let at = 32; at <= 56; at += 8) {
    if (!isSafeUint64(bytes, at)) return 'wrong'
  }
  const votedFor = readVote(bytes, 72, bytes[10] as number)
  if (votedFor === undefined) return 'wrong'
  return {
    checksum,
    group: readUint32(bytes, 28),
    sequence: readUint32(bytes, 12),
    size: readUint32(bytes, 16),
    predecessor: { sequence: readUint32(bytes, 20), end: readUint32(bytes, 24) },
    reset: bytes[9] === RESET,
    hardState: { currentTerm: readUint64(bytes, 32) as Term, votedFor },
    lastWrite: readUint64(bytes, 40) as WriteNumber,
    base: {
      index: readUint64(bytes, 48) as LogIndex,
      term: readUint64(bytes, 56) as Term,
      chain: readUint32(bytes, 64),
    },
  }
}
