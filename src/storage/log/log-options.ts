import type { GroupId } from '../../base/brand.ts'
import type { Clock } from '../../node/ports/clock.ts'
import type { LogListener } from '../../node/ports/log-store.ts'
import type { Disk } from '../disk/disk.ts'

/** Where the snapshot ends that the log goes on from. */
export interface SnapshotPosition {
  /** Last index that it includes, ≥ 1; term, chain value and clocks are those of that entry. */
  readonly index: number
  readonly term: number
  readonly chain: number
  readonly lease: number
  readonly now: number
}

/** What `openLog` is given. */
export interface OpenLogOptions {
  readonly disk: Disk
  /** The group's directory below the disk's root, e.g. `group-0`: its `log/` and `marker` belong to the log. */
  readonly directory: string
  readonly group: GroupId
  /** Null without a snapshot: the log holds everything. */
  readonly snapshot: SnapshotPosition | null
  /** The log was opened here before, so it is there: none at all is a lost one. Default false: one may be made. */
  readonly started?: boolean
  /**
   * Other nodes hold the log, too: one that is damaged is cut off before the damage, and what this node owes until it may vote
   * again is noted beside it (storage.md §3). Default false: damage refuses the open.
   */
  readonly repairs?: boolean
  readonly clock: Pick<Clock, 'monotonicMs' | 'setTimer'>
  /** Bytes of a segment at most (`segmentBytesFor`). Default 64 MiB; at least 4 KiB, at most 1 GiB. */
  readonly segmentBytes?: number
  /** Bytes of the segment that an open creates; each one after it is four times as large. Default 1 MiB. */
  readonly firstSegmentBytes?: number
  /** Bound of the tail cache. Default 64 MiB. */
  readonly cacheBytes?: number
  /** Record bytes of one frame at most; one record must fit. Default and maximum FRAME_BODY_BYTES_MAX, 24 MiB. */
  readonly frameBodyBytesMax?: number
  readonly listener: LogListener
}

/** Default of `segmentBytes`. */
export const SEGMENT_BYTES = 64 * 1024 * 1024
/** Segments between two snapshots, at least: up to three of them hold nothing that is needed (storage.md §2.7). */
const SEGMENTS_PER_INTERVAL = 8
/** However often snapshots come: making a segment costs a few syncs. */
const SEGMENT_BYTES_MIN = 64 * 1024

/** Bytes of a full-grown segment where a snapshot comes every `recordBytes`, and none is larger than `bytesMax`. */
export function segmentBytesFor(recordBytes: number, bytesMax: number): number {
  return Math.min(bytesMax, Math.max(SEGMENT_BYTES_MIN, Math.floor(recordBytes / SEGMENTS_PER_INTERVAL)))
}

/** Default of `firstSegmentBytes`. An open waits for these zeros (about 3 ms); the next segments are made in the background. */
export const FIRST_SEGMENT_BYTES = 1024 * 1024
/** Each segment is this many times as large as the one before it, up to `segmentBytes`. */
export const SEGMENT_GROWTH = 4
/** Default of `cacheBytes`. */
export const CACHE_BYTES = 64 * 1024 * 1024
