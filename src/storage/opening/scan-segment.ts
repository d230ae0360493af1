import { readUint32 } from '../../codec/bytes/integers.ts'
import { SECTOR_BYTES } from '../disk/disk.ts'
import { FRAME_BODY_BYTES_MAX, checkBody, frameHeaderBytes, readFrameHeader } from '../format/frame.ts'
import type { ReadFrameHeader } from '../format/frame.ts'
import { isZero, lastDataEnd } from '../disk/sectors.ts'
import type { ReadSegmentHeader } from '../format/segment-header.ts'

/** What a segment's bytes are, and how much of them must be intact. */
export interface ScanInput {
  /** The whole file. */
  readonly bytes: Uint8Array
  readonly header: ReadSegmentHeader
  /** Where the next segment says that this one ends; null for the newest. */
  readonly until: number | null
  /** The durable-end marker's offset when it lies here, else the end of the header. */
  readonly durableTo: number
}

export interface ScannedSegment {
  readonly kind: 'scanned'
  /** Intact frames in order, without a gap. */
  readonly frames: readonly ReadFrameHeader[]
  /** End of the last of them. */
  readonly end: number
  /** Checksum of the last header: the next frame's `previousChecksum`. */
  readonly checksum: number
  /** Bytes beyond `end` that a write which never completed has left; 0 when all is zero there. */
  readonly tornBytes: number
}

/** Damage that no torn write explains (storage.md §3.3): the node must not go on as if nothing were missing. */
export interface Rot {
  readonly kind: 'rot'
  readonly offset: number
  /** A sentence. */
  readonly what: string
  /** The frames before it, which are well. */
  readonly intact: IntactPrefix
}

/**
 * Reads the frames of one segment and tells a torn tail, which was never acknowledged, from rot (storage.md §3.2, §3.3). Pure.
 * It relies on one write being in flight at a time: a frame that a later frame follows was synced (storage.md §2.5).
 */
export function scanSegment(input: ScanInput): ScannedSegment | Rot {
  const { bytes, header, until } = input
  const frames: ReadFrameHeader[] = []
  let end = SECTOR_BYTES
  let checksum = header.checksum
  while (until === null || end < until) {
    const frame = readFrameHeader(bytes, { sequence: header.sequence, offset: end }, header.checksum)
    if (frame === null) return tailOf(input, { frames, end, checksum })
    const unchained = checkChained(frame, frames.at(-1), { header, checksum })
    if (unchained !== null) return rot({ frames, end, checksum }, end, unchained)
    const frameEnd = end + frame.frameBytes
    if (frameEnd > Math.min(until ?? bytes.length, bytes.length))
      return rot({ frames, end, checksum }, end, 'A write goes on beyond the end of its segment.')
    const body = checkBody(bytes, frame)
    if (body === 'wrong') return rot({ frames, end, checksum }, end, 'A checksum of the records does not match.')
    if (body === 'torn') return tornTail(input, { frames, end, checksum })
    frames.push(frame)
    checksum = frame.checksum
    end = frameEnd
  }
  return { kind: 'scanned', frames, end, checksum, tornBytes: 0 }
}

function rot(intact: IntactPrefix, offset: number, what: string): Rot {
  return { kind: 'rot', offset, what, intact }
}

/** What a scan has found intact so far. */
export interface IntactPrefix {
  readonly frames: readonly ReadFrameHeader[]
  readonly end: number
  readonly checksum: number
}

function checkChained(
  frame: ReadFrameHeader,
  previous: ReadFrameHeader | undefined,
  context: { header: ReadSegmentHeader; checksum: number },
): string | null {
  const { header, checksum } = context
  const previousEnd =
    previous === undefined ? { sequence: header.predecessor.sequence, offset: header.predecessor.end } : frame.at
  if (frame.previousChecksum !== checksum) return 'A write does not follow the one before it.'
  if (frame.previousEnd.sequence !== previousEnd.sequence) return 'A write follows another segment than this one does.'
  if (frame.previousEnd.offset !== previousEnd.offset) return 'A write is missing before this one.'
  return frame.write < (previous?.write ?? header.lastWrite)
    ? 'The number of a write is lower than of the one before it.'
    : null
}

/** There is no frame header at the end of what is intact: the end of the log, a torn header, or rot. */
function tailOf(input: ScanInput, progress: IntactPrefix): ScannedSegment | Rot {
  const { bytes } = input
  const { end } = progress
  if (isZero(bytes, end, Math.min(end + SECTOR_BYTES, bytes.length))) return tornTail(input, progress)
  return headerHasLostSector(bytes, end)
    ? tornTail(input, progress)
    : rot(progress, end, 'The header of a write is damaged.')
}

/** A header of several sectors of which one never arrived: no sector of a header is ever all zero (format/frame.ts). */
function headerHasLostSector(bytes: Uint8Array, offset: number): boolean {
  const bodyBytes = readUint32(bytes, offset + 44)
  if (bodyBytes > FRAME_BODY_BYTES_MAX) return false
  const end = Math.min(offset + frameHeaderBytes(bodyBytes), bytes.length)
  for (let sector = offset; sector < end; sector += SECTOR_BYTES) {
    if (isZero(bytes, sector, sector + SECTOR_BYTES)) return true
  }
  return false
}

/** The last frame is absent or incomplete. That is rot when the marker or a later write shows that it was synced. */
function tornTail(input: ScanInput, progress: IntactPrefix): ScannedSegment | Rot {
  const { bytes, header, until, durableTo } = input
  const { end } = progress
  if (until !== null) return rot(progress, end, `Writes are missing: the next segment goes on from offset ${until}.`)
  if (end < durableTo) return rot(progress, end, `Writes are missing that were on disk up to offset ${durableTo}.`)
  const dataEnd = lastDataEnd(bytes, end, bytes.length - (bytes.length % SECTOR_BYTES))
  const write = progress.frames.at(-1)?.write ?? header.lastWrite
  for (let offset = end + SECTOR_BYTES; offset < dataEnd; offset += SECTOR_BYTES) {
    const later = readFrameHeader(bytes, { sequence: header.sequence, offset }, header.checksum)
    if (later !== null && later.write >= write) {
      return rot(progress, end, `A write is damaged that a later one, at offset ${offset}, follows.`)
    }
  }
  return { kind: 'scanned', ...progress, tornBytes: dataEnd - end }
}
