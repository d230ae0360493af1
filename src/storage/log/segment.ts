import type { DiskFile } from '../disk/disk.ts'

/** An open segment. The newest one is written to; the others are read from and removed as a whole. */
export interface Segment {
  readonly sequence: number
  readonly path: string
  readonly file: DiskFile
  /** Checksum of its header: seed of the checksums of its frames. */
  readonly seed: number
  /** End of its last frame. */
  end: number
  /** Highest index that any of its frames ever held, 0 for none: it may go when that is no longer needed. */
  highest: number
  /** Reads under way; a segment in use is not removed. */
  readers: number
}
