import type { GroupId } from '../../base/brand.ts'
import type { StorageFault } from '../../node/ports/storage-fault.ts'
import { SECTOR_BYTES } from '../disk/disk.ts'
import type { Disk, DiskFile } from '../disk/disk.ts'
import { faultOf, logRot } from '../disk/faults.ts'
import { inOrder } from '../disk/in-order.ts'
import { isAllZero } from '../disk/sectors.ts'
import { LogImage } from '../log/log-image.ts'
import { readMarker } from '../format/marker-slot.ts'
import type { MarkerSlot, ReadMarker } from '../format/marker-slot.ts'
import { scanSegment } from './scan-segment.ts'
import type { ScannedSegment } from './scan-segment.ts'
import { logDirectory, markerPath, parseSegmentName, segmentName } from '../format/file-names.ts'
import type { Segment } from '../log/segment.ts'
import { EMPTY_STATE, readSegmentHeader } from '../format/segment-header.ts'
import type { LogState, ReadSegmentHeader } from '../format/segment-header.ts'

/** The newest segment, as far as an open must look at it closely. */
export interface NewestSegment {
  readonly segment: Segment
  readonly header: ReadSegmentHeader
  readonly bytes: Uint8Array
  readonly scanned: ScannedSegment
  /** Everything below this offset is known to be on disk; what lies at and above it is copied. */
  readonly durableTo: number
  /** The marker lies in this segment: its header is known to be on disk, too. */
  readonly marked: boolean
  /** The log as of `durableTo`. */
  readonly durableState: LogState
}

/** What a log's directory holds. Nothing was changed. */
export interface Inspection {
  /** The log, with every intact frame replayed. */
  readonly image: LogImage
  /** Null when there is no valid slot: the log never held anything then. */
  readonly marker: MarkerSlot | null
  /** Both slots of the marker name its position. */
  readonly markedTwice: boolean
  /** Segments that the log consists of, oldest first, open; the newest is the last. */
  readonly segments: readonly Segment[]
  /** Null for a log that holds nothing. */
  readonly newest: NewestSegment | null
  /**
   * Segments that are no part of the log, and are shown to hold nothing of it: all zero, or a draft of a copy; or not
   * reached from the newest header back, so that a header, which was durable before them, passes over them, or the
   * snapshot covers what they held.
   */
  readonly voids: readonly number[]
  /** The highest number of any segment found, void ones included; 0 without any. */
  readonly highestSequence: number
}

export interface InspectInput {
  readonly disk: Disk
  /** The group's directory below the disk's root. */
  readonly directory: string
  readonly group: GroupId
  /**
   * Last index of the snapshot, 0 without one. The first entry of the log lies in [1, snapshotIndex + 1], or some are
   * missing.
   */
  readonly snapshotIndex: number
  /** The log was opened here before: where nothing is found, it was lost. */
  readonly started: boolean
}

/** Called once, with a fault or with the inspection. */
export type InspectDone = (fault: StorageFault | null, inspection: Inspection | null) => void

/**
 * The reading half of an open: reads and verifies the whole log, from the newest segment back to the first that is needed
 * (storage.md §3.3). Changes nothing, so that a damaged directory stays evidence (storage.md §3.5). Faults: LOG_ROT, and those
 * of a failed disk operation. On success the files of `segments` are open and the caller's to close.
 */
export function inspectLog(input: InspectInput, done: InspectDone): void {
  new Inspector(input, done).start()
}

interface Found {
  readonly segment: Segment
  readonly header: ReadSegmentHeader
}

/** A segment without a header: prepared and not used yet (`unused`), or one that a copy was being made in (`draft`). */
interface Headless {
  readonly kind: 'unused' | 'draft'
  readonly file: DiskFile
}

class Inspector {
  private readonly input: InspectInput
  private readonly done: InspectDone
  private readonly found = new Map<number, Found>()
  private readonly headless = new Map<number, Headless>()
  private readonly opened: DiskFile[] = []
  private marker: ReadMarker = { newest: null, twice: false }
  private sequences: readonly number[] = []
  private finished = false

  constructor(input: InspectInput, done: InspectDone) {
    this.input = input
    this.done = done
  }

  start(): void {
    const { disk, directory } = this.input
    disk.readFile(markerPath(directory), (marker) => {
      if (!marker.ok) return this.refuse(faultOf(marker.error))
      if (marker.value !== null) this.marker = readMarker(marker.value)
      disk.list(logDirectory(directory), (names) => {
        if (!names.ok) return this.refuse(faultOf(names.error))
        this.sequences = names.value.map(parseSegmentName).filter((sequence) => sequence !== null)
        inOrder(
          this.sequences,
          (sequence, next) => this.readHeader(sequence, next),
          () => this.checkHeadless(),
        )
      })
    })
  }

  private path(sequence: number): string {
    return `${logDirectory(this.input.directory)}/${segmentName(sequence)}`
  }

  private readHeader(sequence: number, next: () => void): void {
    if (this.finished) return next()
    const path = this.path(sequence)
    this.input.disk.open(path, (opened) => {
      if (!opened.ok) return this.refuse(faultOf(opened.error), next)
      const file = opened.value
      if (file === null) return next()
      this.opened.push(file)
      file.read(0, SECTOR_BYTES, (read) => {
        if (!read.ok) return this.refuse(faultOf(read.error), next)
        const header = readSegmentHeader(read.value)
        if (header === 'unused' || header === 'draft') this.headless.set(sequence, { kind: header, file })
        else if (header === 'wrong') return this.rot(sequence, 0, 'The header of the segment is damaged.', next)
        else {
          const wrong = this.checkIdentity(header, sequence, file)
          if (wrong !== null) return this.rot(sequence, 0, wrong, next)
          const segment = { sequence, path, file, seed: header.checksum, end: SECTOR_BYTES, highest: 0, readers: 0 }
          this.found.set(sequence, { segment, header })
        }
        next()
      })
    })
  }

  private checkIdentity(header: ReadSegmentHeader, sequence: number, file: DiskFile): string | null {
    if (header.sequence !== sequence) return `The file holds segment ${header.sequence}.`
    if (header.group !== this.input.group) return `The segment belongs to group ${header.group}.`
    return file.size < header.size ? `The file has ${file.size} bytes, its header says ${header.size}.` : null
  }

  /**
   * Above the newest segment there are only those that were prepared, all zero, and drafts. A header is durable before the
   * first frame follows it, so data below a first sector of zeros was written below one that is lost since.
   */
  private checkHeadless(): void {
    if (this.finished) return
    const newest = Math.max(0, ...this.found.keys())
    const doubtful = [...this.headless].filter(([sequence, { kind }]) => sequence > newest && kind === 'unused')
    inOrder(
      doubtful,
      ([sequence, { file }], next) => {
        if (this.finished) return next()
        file.read(0, file.size, (read) => {
          if (!read.ok) return this.refuse(faultOf(read.error), next)
          const bytes = read.value
          if (isAllZero(bytes)) return next()
          this.rot(sequence, 0, 'The header of the segment is all zero, though it holds data.', next)
        })
      },
      () => this.walk(newest),
    )
  }

  /** From the newest segment back to the first that is needed. */
  private walk(newest: number): void {
    if (this.finished) return
    const walked: Found[] = []
    let sequence = newest
    const marker = this.marker.newest
    if (marker !== null && marker.sequence > sequence) {
      return this.rot(
        marker.sequence,
        0,
        'The segment is missing or empty, though the marker says that it was on disk.',
      )
    }
    while (sequence !== 0) {
      const found = this.found.get(sequence)
      if (found === undefined) {
        const first = walked[0]?.header.base.index ?? 0
        if (first <= this.input.snapshotIndex) break
        return this.rot(sequence, 0, `The segment is missing; it held entries up to ${first}.`)
      }
      walked.unshift(found)
      if (found.header.reset) break
      sequence = found.header.predecessor.sequence
    }
    this.scan(walked)
  }

  private scan(walked: readonly Found[]): void {
    const image = new LogImage(this.input.group, walked[0]?.header ?? EMPTY_STATE, this.input.snapshotIndex)
    let newest: NewestSegment | null = null
    inOrder(
      walked.map((found, at) => ({ found, successor: walked[at + 1]?.header ?? null })),
      ({ found, successor }, next) => {
        if (this.finished) return next()
        found.segment.file.read(0, found.segment.file.size, (read) => {
          if (!read.ok) return this.refuse(faultOf(read.error), next)
          newest = this.replay(image, { ...found, bytes: read.value, until: successor?.predecessor.end ?? null })
          next()
        })
      },
      () => this.finish({ image, walked, newest }),
    )
  }

  /** Replays one segment's frames into the image; null when it is not the newest or is damaged. */
  private replay(image: LogImage, read: Found & { bytes: Uint8Array; until: number | null }): NewestSegment | null {
    const { segment, header, bytes, until } = read
    const wrongStart = image.enter(header)
    if (wrongStart !== null) return this.rotten(segment, 0, wrongStart)
    const marker = this.marker.newest
    const marked = marker?.sequence === segment.sequence
    const durableTo = marked ? marker.offset : SECTOR_BYTES
    const scanned = scanSegment({ bytes, header, until, durableTo })
    if (scanned.kind === 'rot') return this.rotten(segment, scanned.offset, scanned.what)
    segment.end = scanned.end
    let durableState: LogState | null = durableTo === SECTOR_BYTES ? image.state() : null
    for (const frame of scanned.frames) {
      // What lies above the marker is copied, and its records with it.
      if (frame.at.offset === durableTo) image.extents.beginRun()
      const wrong = image.apply(bytes, frame, segment)
      if (wrong !== null) return this.rotten(segment, frame.at.offset, wrong)
      if (frame.at.offset + frame.frameBytes === durableTo) durableState = image.state()
    }
    if (until !== null) return null
    if (durableState === null)
      return this.rotten(segment, durableTo, 'The marker names a place between two writes that is none.')
    return { segment, header, bytes, scanned, durableTo, marked, durableState }
  }

  private rotten(segment: Segment, offset: number, what: string): null {
    this.rot(segment.sequence, offset, what)
    return null
  }

  private finish(walk: { image: LogImage; walked: readonly Found[]; newest: NewestSegment | null }): void {
    if (this.finished) return
    const { image } = walk
    const lost = this.checkMarked(image, walk.newest)
    if (lost !== null) return this.refuse(logRot(markerPath(this.input.directory), 0, lost))
    if (walk.walked.length > 0 && image.held.base.index > this.input.snapshotIndex) {
      const { sequence } = walk.walked[0]?.segment ?? { sequence: 0 }
      const what = `The log begins after entry ${image.held.base.index}, the snapshot ends at ${this.input.snapshotIndex}: entries between are missing.`
      return this.rot(sequence, 0, what)
    }
    this.finished = true
    const segments = walk.walked.map((found) => found.segment)
    const kept = new Set(segments.map((segment) => segment.sequence))
    const voids = this.sequences.filter((sequence) => !kept.has(sequence))
    for (const file of this.opened) {
      if (!segments.some((segment) => segment.file === file)) file.close(() => undefined)
    }
    const highestSequence = Math.max(0, ...this.sequences)
    const { newest: marker, twice: markedTwice } = this.marker
    this.done(null, { image, marker, markedTwice, segments, newest: walk.newest, voids, highestSequence })
  }

  /**
   * The first open writes the marker, into both slots, before the log takes its first write. So one that is missing where
   * a log was opened before has been lost, and with it the proof that the log ends where it seems to: the hard state, too.
   */
  private checkMarked(image: LogImage, newest: NewestSegment | null): string | null {
    if (this.marker.newest !== null) return null
    if (this.input.started) return 'The marker is missing or damaged, though this node was started on it before.'
    const isNew = image.lastWrite === 0 && image.held.base.index === 0 && (newest?.scanned.tornBytes ?? 0) === 0
    return isNew ? null : 'The marker is missing or damaged, though the log was written to.'
  }

  private rot(sequence: number, offset: number, what: string, next?: () => void): void {
    this.refuse(logRot(this.path(sequence), offset, what), next)
  }

  /** The first fault ends the inspection; what is still to run sees `finished`. */
  private refuse(fault: StorageFault, next?: () => void): void {
    if (!this.finished) {
      this.finished = true
      for (const file of this.opened) file.close(() => undefined)
      this.done(fault, null)
    }
    next?.()
  }
}
