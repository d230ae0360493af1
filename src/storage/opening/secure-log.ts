import type { GroupId } from '../../base/brand.ts'
import type { StorageFault } from '../../node/ports/storage-fault.ts'
import { SECTOR_BYTES } from '../disk/disk.ts'
import type { Disk, DiskFile, DiskResult } from '../disk/disk.ts'
import { faultOf } from '../disk/faults.ts'
import { inOrder } from '../disk/in-order.ts'
import { logDirectory, markerPath, segmentName } from '../format/file-names.ts'
import type { Inspection, NewestSegment } from './inspect-log.ts'
import { LogImage } from '../log/log-image.ts'
import type { ReadyLog } from '../log/ready-log.ts'
import { openMarkerFile, writeMarkerSlot } from '../log/marker-file.ts'
import type { LogPosition, MarkerSlot } from '../format/marker-slot.ts'
import type { Segment } from '../log/segment.ts'
import { EMPTY_STATE, encodeDraftHeader, encodeSegmentHeader, segmentSeed } from '../format/segment-header.ts'
import type { LogState, SegmentHeader } from '../format/segment-header.ts'
import { copyFrames } from './copy-frames.ts'
import type { CopiedTail } from './copy-frames.ts'

/** Where the log lies. */
export interface LogPlace {
  readonly disk: Disk
  /** The group's directory below the disk's root. */
  readonly directory: string
  readonly group: GroupId
  /** Bytes of a segment that is created here. */
  readonly firstSegmentBytes: number
}

/** What is made of the log that was found. */
export interface SecurePlan {
  readonly inspection: Inspection
  /** Not null: what was found is given up, and the log starts anew from here (storage.md §4.7). */
  readonly reset: LogState | null
}

export type SecureDone = (fault: StorageFault | null, ready: ReadyLog | null) => void

/**
 * The writing half of an open: afterwards all that the log is about to report is on disk for certain, and the marker says
 * so in both slots (storage.md §3.4). A clean newest segment is continued; else a new one takes a copy of what lies above the
 * marker: a draft of the header first, synced; then the body, synced; then the header itself, synced; then the directory;
 * then the marker; superseded files go last.
 * Interrupted anywhere, the next open sees the old log or the new one. A fault closes the files of the inspection.
 */
export function secureLog(place: LogPlace, plan: SecurePlan, done: SecureDone): void {
  new Securing(place, plan, done).start()
}

class Securing {
  private readonly place: LogPlace
  private readonly inspection: Inspection
  private readonly reset: LogState | null
  private readonly done: SecureDone
  private markerFile: DiskFile | null = null

  constructor(place: LogPlace, plan: SecurePlan, done: SecureDone) {
    this.place = place
    this.inspection = plan.inspection
    this.reset = plan.reset
    this.done = done
  }

  start(): void {
    const { disk, directory } = this.place
    openMarkerFile(disk, { path: markerPath(directory), directory }, (fault, file) => {
      if (fault !== null || file === null) return this.fail(fault)
      this.markerFile = file
      const { newest } = this.inspection
      if (this.reset !== null) this.startAnew(this.reset, true)
      else if (newest === null) this.startAnew(EMPTY_STATE, false)
      else if (isClean(newest)) this.continueIn(newest, file)
      else this.copyTail(newest)
    })
  }

  /** The marker says that everything is on disk, and nothing lies beyond it: goes on in the same segment. */
  private continueIn(newest: NewestSegment, markerFile: DiskFile): void {
    const { image, segments, marker } = this.inspection
    const { header, scanned } = newest
    const ready = {
      image,
      segments,
      predecessor: header.predecessor,
      checksum: scanned.checksum,
      markerFile,
      tornBytes: 0,
    }
    if (marker === null) return this.fail(null)
    const close = (fault: StorageFault): void => this.fail(fault)
    // One slot may have been lost: the position is there twice before the log goes on.
    const mark = (done: (marked: MarkerSlot) => void): void =>
      this.inspection.markedTwice ? done(marker) : this.mark(marker, close, done)
    mark((marked) =>
      this.removeVoids(this.inspection.voids, close, () => this.done(null, { ...ready, marker: marked })),
    )
  }

  /** An empty segment: the first of a new log, or of one that goes on from a snapshot. */
  private startAnew(state: LogState, reset: boolean): void {
    const header = this.headerOf(state, { predecessor: { sequence: 0, end: 0 }, reset, bytes: 0 })
    const image = new LogImage(this.place.group, state, state.base.index)
    const tail = { buffers: [], bytes: 0, checksum: checksumOf(header) }
    const superseded = this.inspection.segments
    this.write(header, tail, (segment) => this.finish({ image, segments: [segment], header, tail, superseded }))
  }

  /**
   * What lies above the marker moves to a new segment, since a failed fsync may have left readable bytes that are not
   * on disk.
   */
  private copyTail(newest: NewestSegment): void {
    const { segments, image } = this.inspection
    const frames = newest.scanned.frames.filter((frame) => frame.at.offset >= newest.durableTo)
    const bytes = newest.scanned.end - newest.durableTo
    // Without the marker in it, the old segment's own header may not be on disk: the copy takes its place altogether.
    const { header: old } = newest
    const link = newest.marked
      ? { predecessor: { sequence: old.sequence, end: newest.durableTo }, reset: false, bytes }
      : { predecessor: old.predecessor, reset: old.reset, bytes }
    const header = this.headerOf(newest.durableState, link)
    const predecessor = { sequence: link.predecessor.sequence, offset: link.predecessor.end }
    const tail = copyFrames(
      { bytes: newest.bytes, frames },
      { sequence: header.sequence, predecessor, checksum: checksumOf(header) },
    )
    this.write(header, tail, (segment) => {
      segment.highest = newest.segment.highest
      image.extents.relocate({ segment: newest.segment, offset: newest.durableTo }, { segment, offset: SECTOR_BYTES })
      newest.segment.end = newest.durableTo
      const kept = newest.marked ? segments : segments.slice(0, -1)
      this.finish({
        image,
        segments: [...kept, segment],
        header,
        tail,
        superseded: newest.marked ? [] : [newest.segment],
      })
    })
  }

  private headerOf(
    state: LogState,
    link: { predecessor: SegmentHeader['predecessor']; reset: boolean; bytes: number },
  ): SegmentHeader {
    const size = Math.max(this.place.firstSegmentBytes, SECTOR_BYTES + link.bytes)
    const { predecessor, reset } = link
    return {
      group: this.place.group,
      sequence: this.inspection.highestSequence + 1,
      size,
      predecessor,
      reset,
      ...state,
    }
  }

  private write(header: SegmentHeader, tail: CopiedTail, done: (segment: Segment) => void): void {
    const { disk, directory } = this.place
    const { sequence } = header
    const path = `${logDirectory(directory)}/${segmentName(sequence)}`
    disk.create(path, header.size, (created) => {
      if (!created.ok) return this.fail(faultOf(created.error))
      const file = created.value
      const end = SECTOR_BYTES + tail.bytes
      const segment: Segment = { sequence, path, file, seed: checksumOf(header), end, highest: 0, readers: 0 }
      const failed = (fault: StorageFault): void => file.close(() => this.fail(fault))
      const writeHeader = (): void =>
        writeSynced(file, { position: 0, buffers: [encodeSegmentHeader(header)] }, failed, () =>
          disk.syncDirectory(logDirectory(directory), (synced) =>
            synced.ok ? done(segment) : failed(faultOf(synced.error)),
          ),
        )
      if (tail.bytes === 0) return writeHeader()
      writeSynced(file, { position: 0, buffers: [encodeDraftHeader(header)] }, failed, () =>
        writeSynced(file, { position: SECTOR_BYTES, buffers: tail.buffers }, failed, writeHeader),
      )
    })
  }

  private finish(made: {
    image: LogImage
    segments: readonly Segment[]
    header: SegmentHeader
    tail: CopiedTail
    superseded: readonly Segment[]
  }): void {
    const { image, segments, header, tail, superseded } = made
    const { markerFile } = this
    const current = segments.at(-1)
    if (markerFile === null || current === undefined) return this.fail(null)
    const failed = (fault: StorageFault): void => current.file.close(() => this.fail(fault))
    this.mark({ sequence: header.sequence, offset: current.end }, failed, (marker) => {
      const voids = [...this.inspection.voids, ...superseded.map((segment) => segment.sequence)]
      const tornBytes = this.inspection.newest?.scanned.tornBytes ?? 0
      const { predecessor } = header
      const ready = {
        image,
        segments,
        predecessor,
        checksum: tail.checksum,
        markerFile,
        marker,
        tornBytes,
      }
      // Each file is closed once, also where the last step fails: a number that was closed may be another file's by then.
      this.removeVoids(voids, failed, () => {
        for (const segment of superseded) segment.file.close(() => undefined)
        this.done(null, ready)
      })
    })
  }

  /** Writes the position into both slots, one after the other, so that one at least is whole at any time. */
  private mark(at: LogPosition, failed: (fault: StorageFault) => void, done: (marker: MarkerSlot) => void): void {
    const { markerFile } = this
    if (markerFile === null) return this.fail(null)
    const first = { sequence: at.sequence, offset: at.offset, counter: (this.inspection.marker?.counter ?? 0) + 1 }
    const second = { ...first, counter: first.counter + 1 }
    writeMarkerSlot(markerFile, first, (fault) => {
      if (fault !== null) return failed(fault)
      writeMarkerSlot(markerFile, second, (failure) => (failure === null ? done(second) : failed(failure)))
    })
  }

  private removeVoids(voids: readonly number[], failed: (fault: StorageFault) => void, done: () => void): void {
    if (voids.length === 0) return done()
    const { disk, directory } = this.place
    const path = logDirectory(directory)
    let over = false
    const check = (result: DiskResult<null>, next: () => void): void => {
      if (!result.ok && !over) {
        over = true
        failed(faultOf(result.error))
      }
      next()
    }
    const remove = (sequence: number, next: () => void): void =>
      over ? next() : disk.remove(`${path}/${segmentName(sequence)}`, (removed) => check(removed, next))
    inOrder(voids, remove, () => {
      if (!over) disk.syncDirectory(path, (synced) => check(synced, () => (over ? undefined : done())))
    })
  }

  private fail(fault: StorageFault | null): void {
    for (const segment of this.inspection.segments) segment.file.close(() => undefined)
    this.markerFile?.close(() => undefined)
    this.done(fault, null)
  }
}

function isClean(newest: NewestSegment): boolean {
  return newest.marked && newest.scanned.end === newest.durableTo && newest.scanned.tornBytes === 0
}

function checksumOf(header: SegmentHeader): number {
  return segmentSeed(encodeSegmentHeader(header))
}

function writeSynced(
  file: DiskFile,
  data: { position: number; buffers: readonly Uint8Array[] },
  failed: (fault: StorageFault) => void,
  done: () => void,
): void {
  file.write(data.position, data.buffers, (written) => {
    if (!written.ok) return failed(faultOf(written.error))
    file.sync((synced) => (synced.ok ? done() : failed(faultOf(synced.error))))
  })
}
