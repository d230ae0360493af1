import type { DiskFile } from '../disk/disk.ts'
import type { MarkerSlot } from '../format/marker-slot.ts'
import type { SegmentHeader } from '../format/segment-header.ts'
import type { LogImage } from './log-image.ts'
import type { Segment } from './segment.ts'

/** What an open hands to the running log: all that the log held is on disk for certain, and writes may follow it. */
export interface ReadyLog {
  readonly image: LogImage
  /** Oldest first, at least one; writes go to the last. */
  readonly segments: readonly Segment[]
  /** Where the log before the current segment ends: what the segment's first frame names as the end of the write before. */
  readonly predecessor: SegmentHeader['predecessor']
  /** Checksum of the last header written, of a frame or of the segment: the next frame's `previousChecksum`. */
  readonly checksum: number
  readonly markerFile: DiskFile
  /** The newest slot of the marker file; both say the same. */
  readonly marker: MarkerSlot
  /** Bytes of a write that never completed, which the open has cut off; 0 for none. */
  readonly tornBytes: number
}
