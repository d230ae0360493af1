import { logIndex, term, writeNumber } from '../../base/brand.ts'
import type { LogIndex, Term, WriteNumber } from '../../base/brand.ts'
import { isSafeUint64, readUint32, readUint64, writeUint32, writeUint64 } from '../../codec/bytes/integers.ts'
import { crc32 } from '../../codec/bytes/crc.ts'
import type { HardState } from '../../raft/types.ts'
import { SECTOR_BYTES } from '../disk/disk.ts'
import { isZero } from '../disk/sectors.ts'
import { readVote, writeVote } from './vote-field.ts'

/** The last entry before some place of the log: index, term and chain value 0 before the first entry. */
export interface LogBase {
  readonly index: LogIndex
  readonly term: Term
  readonly chain: number
}

/** What holds at one place of the log: a segment that starts there repeats it in its header. */
export interface LogState {
  readonly hardState: HardState
  /** Number of the newest write so far; 0 for none. */
  readonly lastWrite: WriteNumber
  readonly base: LogBase
}

/** A log that never held anything. */
export const EMPTY_STATE: LogState = {
  hardState: { currentTerm: term(0), votedFor: null },
  lastWrite: writeNumber(0),
  base: { index: logIndex(0), term: term(0), chain: 0 },
}

/**
 * First sector of a segment (docs/format.md), and the state of the log before it. Durable before the segment's first frame
 * is written (storage.md §2.2).
 */
export interface SegmentHeader extends LogState {
  readonly group: number
  /** Number of the segment, from 1, as in the file's name. */
  readonly sequence: number
  /** Bytes of the file. */
  readonly size: number
  /** Where the log goes on from: what lies beyond it in that segment is void. Sequence 0: this is the first segment. */
  readonly predecessor: { readonly sequence: number; readonly end: number }
  /** The log starts here anew from a snapshot: everything before is void (storage.md §4.7). */
  readonly reset: boolean
}

/** A header as it was found on disk. */
export interface ReadSegmentHeader extends SegmentHeader {
  /** CRC-32 of the header: seed of the checksums of the segment's frames. */
  readonly checksum: number
}

const MAGIC = 0x48536567 // "HSeg"
/** Version of a segment's header; any other is damage (storage.md §7). */
const FORMAT = 1
const RESET = 1
const DRAFT = 2
const CHECKED_FROM = 8

/** The bytes of a header, one sector. */
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

/**
 * What stands in the first sector while an open copies frames into a new segment, synced before the first of them: so a
 * first sector of zeros above data is always one that was lost, never a copy that was interrupted (storage.md §3.4).
 */
export function encodeDraftHeader(header: SegmentHeader): Uint8Array {
  const bytes = encodeSegmentHeader(header)
  bytes[9] = DRAFT
  writeUint32(bytes, 4, crc32(bytes, CHECKED_FROM, SECTOR_BYTES, 0))
  return bytes
}

/** Checksum in an encoded header: the seed of its segment's frames. */
export function segmentSeed(header: Uint8Array): number {
  return readUint32(header, 4)
}

/**
 * The header at the start of `bytes`; `unused` for zeros, `draft` for a copy that was never finished, `wrong` for anything
 * that is no header of this format.
 */
export function readSegmentHeader(bytes: Uint8Array): ReadSegmentHeader | 'unused' | 'draft' | 'wrong' {
  if (bytes.length < SECTOR_BYTES) return isZero(bytes, 0, bytes.length) ? 'unused' : 'wrong'
  if (isZero(bytes, 0, SECTOR_BYTES)) return 'unused'
  const checksum = crc32(bytes, CHECKED_FROM, SECTOR_BYTES, 0)
  if (readUint32(bytes, 0) !== MAGIC || readUint32(bytes, 4) !== checksum || bytes[8] !== FORMAT) return 'wrong'
  if (bytes[9] === DRAFT) return 'draft'
  // The brands below assert their range: what no reader of ours could hold is refused first.
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
    hardState: { currentTerm: term(readUint64(bytes, 32)), votedFor },
    lastWrite: writeNumber(readUint64(bytes, 40)),
    base: {
      index: logIndex(readUint64(bytes, 48)),
      term: term(readUint64(bytes, 56)),
      chain: readUint32(bytes, 64),
    },
  }
}
