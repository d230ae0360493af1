import type { LogIndex, Term, WriteNumber } from '../../base/brand.ts'
import type { StorageFault } from '../../node/ports/storage-fault.ts'
import type { HardState } from '../../raft/types.ts'
import { SECTOR_BYTES } from '../disk/disk.ts'
import type { DiskFile } from '../disk/disk.ts'
import { faultOf } from '../disk/faults.ts'
import { alignUp } from '../disk/sectors.ts'
import { encodeFrame, frameBytes } from '../format/frame.ts'
import type { LogPosition } from '../format/marker-slot.ts'
import { SEGMENT_GROWTH } from './log-options.ts'
import type { ReadyLog } from './ready-log.ts'
import type { PlacedRecords } from './extents.ts'
import type { Segment } from './segment.ts'
import type { SegmentSupply } from './segment-supply.ts'
import { encodeSegmentHeader, segmentSeed } from '../format/segment-header.ts'
import type { LogBase, SegmentHeader } from '../format/segment-header.ts'
import type { QueuedWrite } from './write-queue.ts'

/** The fill of a segment, as 1/n, at which the next one is made. */
const PREPARE_AT = 4

/** A frame that has its place, ready to be written. */
export interface PlacedFrame {
  readonly segment: Segment
  readonly offset: number
  readonly buffers: readonly Uint8Array[]
  readonly bytes: number
  /** The entries at and above it are dropped first; 0 for none. */
  readonly truncateFrom: LogIndex
  /** Where its records lie; null when it has none. */
  readonly records: PlacedRecords | null
}

/**
 * Gives every frame its place and its links to the one before, and goes on in the next segment when the current one is full
 * (storage.md §2.2, §2.3).
 */
export class FrameWriter {
  private readonly supply: SegmentSupply
  /** Bytes of a full-grown segment, of those that come from now on. */
  segmentBytes: number
  private current: Segment
  private checksum: number
  private previousEnd: LogPosition
  /** State of the log as of the last frame that was placed: for the next segment's header. */
  private hardState: HardState
  private lastWrite: WriteNumber
  private base: LogBase

  constructor(options: { supply: SegmentSupply; segmentBytes: number }, ready: ReadyLog) {
    this.supply = options.supply
    this.segmentBytes = options.segmentBytes
    this.current = ready.segments[ready.segments.length - 1] as Segment // a ready log has one at least
    this.checksum = ready.checksum
    const { predecessor } = ready
    this.previousEnd =
      this.current.end === SECTOR_BYTES ? { sequence: predecessor.sequence, offset: predecessor.end } : this.position()
    const state = ready.image.state()
    this.hardState = state.hardState
    this.lastWrite = state.lastWrite
    this.base = state.base
  }

  /** End of the last frame that was placed. */
  position(): LogPosition {
    return { sequence: this.current.sequence, offset: this.current.end }
  }

  /** Last entry of the log as of the last frame that was placed. */
  lastPlaced(): LogBase {
    return this.base
  }

  isCurrent(segment: Segment): boolean {
    return segment === this.current
  }

  /** Makes sure that the current segment has room for the batch; calls back with the new current segment, null if it stays. */
  reserve(batch: readonly QueuedWrite[], done: (fault: StorageFault | null, fresh: Segment | null) => void): void {
    const restart = batch.find((write) => write.restart !== null)
    const bytes = frameBytes(bodyBytesOf(batch))
    if (restart === undefined && this.current.end + bytes <= this.current.file.size) return done(null, null)
    const sequence = this.current.sequence + 1
    this.supply.take(sequence, { bytes: SECTOR_BYTES + bytes, size: this.nextSize() }, (fault, file) => {
      if (fault !== null || file === null) return done(fault, null)
      if (restart !== undefined) this.startAnew(restart)
      this.startSegment({ sequence, file, reset: restart !== undefined }, done)
    })
  }

  /** Has the next segment made once the current one is a quarter full (storage.md §2.1). */
  prepareNext(): void {
    if (this.current.end * PREPARE_AT >= this.current.file.size)
      this.supply.prepare(this.current.sequence + 1, this.nextSize())
  }

  /**
   * Builds the frame of a batch at the end of the current segment, which has room for it. `previous` is the entry before the
   * first record.
   */
  place(batch: readonly QueuedWrite[], previous: { term: Term; chain: number }): PlacedFrame {
    const first = batch[0] as QueuedWrite // a batch is never empty
    const last = batch[batch.length - 1] as QueuedWrite
    const { current } = this
    const at = this.position()
    const bodyBytes = bodyBytesOf(batch)
    const count = batch.reduce((sum, write) => sum + write.count, 0)
    const { truncateFrom, firstIndex } = first
    const links = { at, previousEnd: this.previousEnd, previousChecksum: this.checksum, copied: false }
    const entries = { truncateFrom, firstIndex, count, previous, last: last.last, bodyBytes }
    const header = { write: last.write, hardState: last.hardState, ...links, ...entries }
    const body = batch.filter((write) => write.count > 0).map((write) => write.records)
    const encoded = encodeFrame(header, body, current.seed)
    this.checksum = encoded.checksum
    current.end += encoded.bytes
    this.previousEnd = this.position()
    this.hardState = last.hardState
    this.lastWrite = last.write
    // Without records the entry before is the last one.
    this.base = { index: last.last.index, term: last.last.term, chain: last.last.chain ?? previous.chain }
    const placed = { segment: current, offset: at.offset, bytes: encoded.bytes, buffers: encoded.buffers, truncateFrom }
    if (count === 0) return { ...placed, records: null }
    current.highest = Math.max(current.highest, last.last.index)
    const place = {
      segment: current,
      offset: at.offset,
      bodyOffset: current.end - alignUp(bodyBytes),
      end: current.end,
    }
    const { chain } = previous
    return { ...placed, records: { ...place, first: firstIndex, last: last.last.index, chain, body } }
  }

  private nextSize(): number {
    return Math.min(this.segmentBytes, this.current.file.size * SEGMENT_GROWTH)
  }

  /** The next segment's header says what the restart does: where the log goes on, with the hard state as of now. */
  private startAnew({ hardState, write, last }: QueuedWrite): void {
    this.hardState = hardState
    this.lastWrite = write
    this.base = { index: last.index, term: last.term, chain: last.chain ?? 0 }
  }

  /** The header is durable before the first frame: a segment without one holds nothing. */
  private startSegment(
    { sequence, file, reset }: { sequence: number; file: DiskFile; reset: boolean },
    done: (fault: StorageFault | null, fresh: Segment | null) => void,
  ): void {
    // A log that begins anew goes on from nothing: whatever the segments before it hold is void.
    const predecessor = reset ? { sequence: 0, end: 0 } : { sequence: this.current.sequence, end: this.current.end }
    const { hardState, lastWrite, base } = this
    const header: SegmentHeader = {
      group: this.supply.group,
      sequence,
      size: file.size,
      predecessor,
      reset,
      hardState,
      lastWrite,
      base,
    }
    const bytes = encodeSegmentHeader(header)
    file.write(0, [bytes], (written) => {
      if (!written.ok) return done(faultOf(written.error), null)
      file.sync((synced) => {
        if (!synced.ok) return done(faultOf(synced.error), null)
        const seed = segmentSeed(bytes)
        this.checksum = seed
        this.previousEnd = { sequence: predecessor.sequence, offset: predecessor.end }
        const path = this.supply.path(sequence)
        this.current = { sequence, path, file, seed, end: SECTOR_BYTES, highest: 0, readers: 0 }
        done(null, this.current)
      })
    })
  }
}

function bodyBytesOf(batch: readonly QueuedWrite[]): number {
  let bytes = 0
  for (const write of batch) bytes += write.records.length
  return bytes
}
