import { logIndex, indexBefore, term, writeNumber } from '../../base/brand.ts'
import type { LogIndex, Term, WriteNumber } from '../../base/brand.ts'
import { isSafeUint64, readUint32, readUint64, writeUint32, writeUint64 } from '../../codec/bytes/integers.ts'
import { crc32 } from '../../codec/bytes/crc.ts'
import type { HardState } from '../../raft/types.ts'
import type { LogPosition } from './marker-slot.ts'
import { SECTOR_BYTES } from '../disk/disk.ts'
import { PAGE_BYTES, alignUp, isZero } from '../disk/sectors.ts'
import type { LogBase } from './segment-header.ts'
import { VOTE_BYTES, readVote, writeVote } from './vote-field.ts'

/** Record bytes of one frame at most: a record of 16 MiB and a batch of others. Longer writes become several frames. */
export const FRAME_BODY_BYTES_MAX = 24 * 1024 * 1024

/** One write of the log (docs/format.md, storage.md §2.3): hard state, at most one truncation, then records. */
export interface FrameHeader {
  readonly write: WriteNumber
  /** Where the frame lies. */
  readonly at: LogPosition
  /** Where the write before it ended. */
  readonly previousEnd: LogPosition
  /** Checksum of the header before it: of the previous frame, or of the segment's header. */
  readonly previousChecksum: number
  readonly hardState: HardState
  /** The entries at and above it are dropped first; 0 for none. */
  readonly truncateFrom: LogIndex
  /** Index of the first record, or of the next entry when there are none. */
  readonly firstIndex: LogIndex
  /** Number of records. */
  readonly count: number
  /** The entry before the first record. */
  readonly previous: { readonly term: Term; readonly chain: number }
  /** Last entry of the log after this write. */
  readonly last: { readonly term: Term; readonly index: LogIndex }
  /** Bytes of the records, without padding. */
  readonly bodyBytes: number
  /** An open copied the frame here from above the marker (storage.md §3.4). */
  readonly copied: boolean
}

/** A header as it was found on disk. */
export interface ReadFrameHeader extends FrameHeader {
  /** CRC-32 of the header: the next frame's `previousChecksum`. */
  readonly checksum: number
  /** Bytes of the header, whole sectors. */
  readonly headerBytes: number
  /** Bytes of the whole frame, whole sectors. */
  readonly frameBytes: number
}

const MAGIC = 0x4846726d // "HFrm"
/** Version of a frame's header; any other is damage (storage.md §7). */
const FORMAT = 1
const COPIED = 1
const CHECKED_FROM = 8
const VOTE_AT = 104
const PAGES_AT = VOTE_AT + VOTE_BYTES
const PAGE_ENTRY_BYTES = 5
/** Ends the header, so that no sector of a header is ever all zero. */
const SENTINEL = 0xff

/** Bytes of the header of a frame of so many record bytes, whole sectors: five per page of the body behind fixed fields. */
export function frameHeaderBytes(bodyBytes: number): number {
  return alignUp(PAGES_AT + Math.ceil(alignUp(bodyBytes) / PAGE_BYTES) * PAGE_ENTRY_BYTES + 1)
}

/** Bytes that a frame of so many record bytes takes, whole sectors. */
export function frameBytes(bodyBytes: number): number {
  return frameHeaderBytes(bodyBytes) + alignUp(bodyBytes)
}

/** Zeros that end every body at a whole sector. */
const PADDING = new Uint8Array(SECTOR_BYTES)

/** What one write puts on disk: header, the very record buffers, padding. */
export interface EncodedFrame {
  readonly buffers: readonly Uint8Array[]
  readonly bytes: number
  /** For `previousChecksum` of the next frame. */
  readonly checksum: number
}

/**
 * The buffers of one write, ready for `writev`; record buffers are not copied. `seed` is the checksum of the segment's
 * header: a frame of another segment never passes.
 */
export function encodeFrame(header: FrameHeader, body: readonly Uint8Array[], seed: number): EncodedFrame {
  const padding = alignUp(header.bodyBytes) - header.bodyBytes
  const padded = padding === 0 ? body : [...body, PADDING.subarray(0, padding)]
  const bytes = new Uint8Array(frameHeaderBytes(header.bodyBytes))
  writeFields(bytes, header)
  const end = writePages(bytes, padded)
  bytes[end] = SENTINEL
  const checksum = crc32(bytes, CHECKED_FROM, bytes.length, seed)
  writeUint32(bytes, 4, checksum)
  return { buffers: [bytes, ...padded], bytes: bytes.length + alignUp(header.bodyBytes), checksum }
}

/** The header at `offset` of a segment's bytes, or null when none of this segment and place is there. */
export function readFrameHeader(segment: Uint8Array, at: LogPosition, seed: number): ReadFrameHeader | null {
  return readFrameHeaderIn({ bytes: segment, from: 0 }, at, seed)
}

/** A part of a segment's bytes. */
export interface SegmentPart {
  readonly bytes: Uint8Array
  /** Offset in the segment of its first byte. */
  readonly from: number
}

/** The same where only a part of the segment was read; the whole header must lie in it. */
export function readFrameHeaderIn(part: SegmentPart, at: LogPosition, seed: number): ReadFrameHeader | null {
  const segment = part.bytes
  const start = at.offset - part.from
  if (start + SECTOR_BYTES > segment.length || readUint32(segment, start) !== MAGIC) return null
  const bodyBytes = readUint32(segment, start + 44)
  if (bodyBytes > FRAME_BODY_BYTES_MAX) return null
  const headerBytes = frameHeaderBytes(bodyBytes)
  if (start + headerBytes > segment.length) return null
  const bytes = segment.subarray(start, start + headerBytes)
  const checksum = crc32(bytes, CHECKED_FROM, headerBytes, seed)
  if (readUint32(bytes, 4) !== checksum || bytes[8] !== FORMAT) return null
  const fields = readFields(bytes)
  if (fields === null || fields.at.sequence !== at.sequence || fields.at.offset !== at.offset) return null
  return { ...fields, checksum, headerBytes, frameBytes: headerBytes + alignUp(bodyBytes) }
}

/**
 * `intact`, or `torn` when every wrong page contains a sector that is still all zero though it should hold data (its
 * write never completed), else `wrong` (storage.md §3.2). The frame must end within `segment`.
 */
export function checkBody(segment: Uint8Array, frame: ReadFrameHeader): 'intact' | 'torn' | 'wrong' {
  const bodyAt = frame.at.offset + frame.headerBytes
  const bodyEnd = frame.at.offset + frame.frameBytes
  let verdict: 'intact' | 'torn' = 'intact'
  let entry = frame.at.offset + PAGES_AT
  for (let page = bodyAt; page < bodyEnd; page += PAGE_BYTES) {
    const end = Math.min(page + PAGE_BYTES, bodyEnd)
    if (crc32(segment, page, end, 0) !== readUint32(segment, entry)) {
      if (!hasLostSector(segment, page, end, segment[entry + 4] as number)) return 'wrong'
      verdict = 'torn'
    }
    entry += PAGE_ENTRY_BYTES
  }
  return verdict
}

function hasLostSector(segment: Uint8Array, page: number, end: number, dataSectors: number): boolean {
  for (let sector = 0; page + sector * SECTOR_BYTES < end; sector += 1) {
    const at = page + sector * SECTOR_BYTES
    if ((dataSectors & (1 << sector)) !== 0 && isZero(segment, at, at + SECTOR_BYTES)) return true
  }
  return false
}

function writeFields(bytes: Uint8Array, header: FrameHeader): void {
  writeUint32(bytes, 0, MAGIC)
  bytes[8] = FORMAT
  bytes[9] = header.copied ? COPIED : 0
  bytes[10] = writeVote(bytes, VOTE_AT, header.hardState.votedFor)
  writeUint64(bytes, 16, header.write)
  writeUint32(bytes, 24, header.at.sequence)
  writeUint32(bytes, 28, header.at.offset)
  writeUint32(bytes, 32, header.previousEnd.sequence)
  writeUint32(bytes, 36, header.previousEnd.offset)
  writeUint32(bytes, 40, header.previousChecksum)
  writeUint32(bytes, 44, header.bodyBytes)
  writeUint64(bytes, 48, header.hardState.currentTerm)
  writeUint64(bytes, 56, header.truncateFrom)
  writeUint64(bytes, 64, header.firstIndex)
  writeUint32(bytes, 72, header.count)
  writeUint32(bytes, 76, header.previous.chain)
  writeUint64(bytes, 80, header.previous.term)
  writeUint64(bytes, 88, header.last.term)
  writeUint64(bytes, 96, header.last.index)
}

function readFields(bytes: Uint8Array): FrameHeader | null {
  // The brands below assert their range: what no reader of ours could hold is refused first.
  for (const at of [16, 48, 56, 64, 80, 88, 96]) {
    if (!isSafeUint64(bytes, at)) return null
  }
  const votedFor = readVote(bytes, VOTE_AT, bytes[10] as number)
  if (votedFor === undefined) return null
  return {
    write: writeNumber(readUint64(bytes, 16)),
    at: { sequence: readUint32(bytes, 24), offset: readUint32(bytes, 28) },
    previousEnd: { sequence: readUint32(bytes, 32), offset: readUint32(bytes, 36) },
    previousChecksum: readUint32(bytes, 40),
    hardState: { currentTerm: term(readUint64(bytes, 48)), votedFor },
    truncateFrom: logIndex(readUint64(bytes, 56)),
    firstIndex: logIndex(readUint64(bytes, 64)),
    count: readUint32(bytes, 72),
    previous: { chain: readUint32(bytes, 76), term: term(readUint64(bytes, 80)) },
    last: { term: term(readUint64(bytes, 88)), index: logIndex(readUint64(bytes, 96)) },
    bodyBytes: readUint32(bytes, 44),
    copied: bytes[9] === COPIED,
  }
}

/** The entry before a frame's first record, as a base of the log. */
export function baseOf(frame: FrameHeader): LogBase {
  return { index: indexBefore(frame.firstIndex), term: frame.previous.term, chain: frame.previous.chain }
}

/** Checksum and data sectors of every page of a body that lies in several buffers; returns where the table ends. */
function writePages(header: Uint8Array, body: readonly Uint8Array[]): number {
  const table = new PageTable(header)
  for (const buffer of body) table.add(buffer)
  return table.finish()
}

class PageTable {
  private readonly header: Uint8Array
  private entry = PAGES_AT
  private checksum = 0
  private dataSectors = 0
  /** Bytes of the current page so far. */
  private filled = 0

  constructor(header: Uint8Array) {
    this.header = header
  }

  add(buffer: Uint8Array): void {
    let offset = 0
    while (offset < buffer.length) {
      const end = Math.min(buffer.length, offset + PAGE_BYTES - this.filled)
      this.checksum = crc32(buffer, offset, end, this.checksum)
      this.markSectors(buffer, offset, end)
      this.filled += end - offset
      offset = end
      if (this.filled === PAGE_BYTES) this.closePage()
    }
  }

  finish(): number {
    if (this.filled > 0) this.closePage()
    return this.entry
  }

  private markSectors(buffer: Uint8Array, start: number, end: number): void {
    let offset = start
    while (offset < end) {
      const filled = this.filled + offset - start
      const sector = Math.floor(filled / SECTOR_BYTES)
      const sectorEnd = Math.min(end, offset + SECTOR_BYTES - (filled % SECTOR_BYTES))
      const bit = 1 << sector
      if ((this.dataSectors & bit) === 0 && !isZero(buffer, offset, sectorEnd)) this.dataSectors |= bit
      offset = sectorEnd
    }
  }

  private closePage(): void {
    writeUint32(this.header, this.entry, this.checksum)
    this.header[this.entry + 4] = this.dataSectors
    this.entry += PAGE_ENTRY_BYTES
    this.checksum = 0
    this.dataSectors = 0
    this.filled = 0
  }
}
