import { SECTOR_BYTES } from '../disk/disk.ts'
import { encodeFrame } from '../format/frame.ts'
import type { ReadFrameHeader } from '../format/frame.ts'
import type { LogPosition } from '../format/marker-slot.ts'

/** Frames of the old newest segment in their new place. */
export interface CopiedTail {
  readonly buffers: readonly Uint8Array[]
  readonly bytes: number
  /** Checksum of the last header, for the next frame. */
  readonly checksum: number
}

/**
 * Re-frames what lies above the marker for a new segment (storage.md §3.4): the same record bytes, new positions and
 * chained checksums. Every frame keeps its size, so offsets move by one constant. Pure.
 */
export function copyFrames(
  source: { bytes: Uint8Array; frames: readonly ReadFrameHeader[] },
  target: { sequence: number; predecessor: LogPosition; checksum: number },
): CopiedTail {
  const buffers: Uint8Array[] = []
  let previousChecksum = target.checksum
  let offset = SECTOR_BYTES
  for (const frame of source.frames) {
    const bodyAt = frame.at.offset + frame.headerBytes
    const at = { sequence: target.sequence, offset }
    const previousEnd = offset === SECTOR_BYTES ? target.predecessor : at
    const body = source.bytes.subarray(bodyAt, bodyAt + frame.bodyBytes)
    const encoded = encodeFrame({ ...frame, at, previousEnd, previousChecksum, copied: true }, [body], target.checksum)
    buffers.push(...encoded.buffers)
    previousChecksum = encoded.checksum
    offset += encoded.bytes
  }
  return { buffers, bytes: offset - SECTOR_BYTES, checksum: previousChecksum }
}
