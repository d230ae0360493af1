import type { GroupId, LogIndex, Term, WriteNumber } from '../../base/brand.ts'
import type { StorageFault } from '../../node/ports/storage-fault.ts'
import type { HardState, Obligation } from '../../raft/types.ts'
import { SECTOR_BYTES } from '../disk/disk.ts'
import type { DiskFile } from '../disk/disk.ts'
import { faultOf } from '../disk/faults.ts'
import { inOrder } from '../disk/in-order.ts'
import { isAllZero, lastDataEnd } from '../disk/sectors.ts'
import { logDirectory, markerPath, parseSegmentName, segmentName } from '../format/file-names.ts'
import { readFrameHeader } from '../format/frame.ts'
import { readMarker } from '../format/marker-slot.ts'
import type { LogPosition, ReadMarker } from '../format/marker-slot.ts'
import { EMPTY_STATE, readSegmentHeader } from '../format/segment-header.ts'
import type { ReadSegmentHeader } from '../format/segment-header.ts'
import { LogImage } from '../log/log-image.ts'
import type { Segment } from '../log/segment.ts'
import type { Inspection, InspectInput, NewestSegment } from './inspect-log.ts'
import { scanSegment } from './scan-segment.ts'

/** What is left of a damaged log, and what its node owes for the rest. Nothing was changed. */
export interface Salvage {
  /** The log up to the first damage. */
  readonly inspection: Inspection
  readonly obligation: Obligation
}

export type SalvageDone = (fault: StorageFault | null, salvage: Salvage | null) => void

/**
 * Reads a log that `inspectLog` has refused once more, for what can be kept (storage.md §3): every frame from the snapshot on
 * up to the first that is damaged or missing. What the node may have acknowledged beyond is told by its newest write, whose
 * header alone must be readable, wherever it lies, and by the marker, which must not lie beyond it; else a census is owed.
 * Faults are those of a failed disk operation. On success the files of the inspection's segments are open.
 */
export function salvageLog(input: InspectInput, done: SalvageDone): void {
  new Salvaging(input, done).start()
}

interface Found {
  readonly segment: Segment
  readonly header: ReadSegmentHeader
}

/** What a header says of the log as of its write. */
interface Said {
  readonly write: WriteNumber
  readonly hardState: HardState
  readonly last: { readonly term: Term; readonly index: LogIndex }
  /** Where the write ends. */
  readonly end: LogPosition
}

class Salvaging {
  private readonly input: InspectInput
  private readonly done: SalvageDone
  private readonly found = new Map<number, Found>()
  private readonly opened: DiskFile[] = []
  private sequences: readonly number[] = []
  private marker: ReadMarker = { newest: null, twice: false }
  private newest: Said | null = null
  /** Where something lies that may be a write and cannot be read. */
  private unread: LogPosition | null = null
  private finished = false

  constructor(input: InspectInput, done: SalvageDone) {
    this.input = input
    this.done = done
  }

  start(): void {
    const { disk, directory } = this.input
    disk.readFile(markerPath(directory), (marker) => {
      if (!marker.ok) return this.fail(faultOf(marker.error))
      if (marker.value !== null) this.marker = readMarker(marker.value)
      disk.list(logDirectory(directory), (names) => {
        if (!names.ok) return this.fail(faultOf(names.error))
        this.sequences = names.value.map(parseSegmentName).filter((sequence) => sequence !== null)
        inOrder(
          this.sequences,
          (sequence, next) => this.look(sequence, next),
          () => this.keep(),
        )
      })
    })
  }

  /** Looks at every sector of one segment for headers. */
  private look(sequence: number, next: () => void): void {
    if (this.finished) return next()
    const path = `${logDirectory(this.input.directory)}/${segmentName(sequence)}`
    this.input.disk.open(path, (opened) => {
      if (!opened.ok) return this.fail(faultOf(opened.error), next)
      const file = opened.value
      if (file === null) return next()
      this.opened.push(file)
      file.read(0, file.size, (read) => {
        if (!read.ok) return this.fail(faultOf(read.error), next)
        this.lookAt({ sequence, path, file, bytes: read.value })
        next()
      })
    })
  }

  private lookAt(read: { sequence: number; path: string; file: DiskFile; bytes: Uint8Array }): void {
    const { sequence, path, file, bytes } = read
    const header = readSegmentHeader(bytes.subarray(0, SECTOR_BYTES))
    if (typeof header === 'string' || header.sequence !== sequence || header.group !== this.input.group) {
      // A draft is no log yet, and zeros never held anything.
      if (header !== 'draft' && !isAllZero(bytes)) this.unreadable({ sequence, offset: bytes.length })
      return
    }
    const seed = header.checksum
    const segment = { sequence, path, file, seed, end: SECTOR_BYTES, highest: 0, readers: 0 }
    // A file that is too short is no segment any more, though its headers tell what was written.
    if (bytes.length >= header.size) this.found.set(sequence, { segment, header })
    const { lastWrite, hardState, base } = header
    this.hear({ write: lastWrite, hardState, last: base, end: { sequence, offset: SECTOR_BYTES } })
    let end = SECTOR_BYTES
    for (let offset = SECTOR_BYTES; offset + SECTOR_BYTES <= bytes.length; offset += SECTOR_BYTES) {
      const frame = readFrameHeader(bytes, { sequence, offset }, seed)
      if (frame === null) continue
      end = offset + frame.frameBytes
      this.hear({ write: frame.write, hardState: frame.hardState, last: frame.last, end: { sequence, offset: end } })
    }
    const dataEnd = lastDataEnd(bytes, SECTOR_BYTES, bytes.length - (bytes.length % SECTOR_BYTES))
    if (dataEnd > end || bytes.length < header.size) this.unreadable({ sequence, offset: Math.max(dataEnd, end + 1) })
  }

  private hear(said: Said): void {
    const { newest } = this
    if (newest === null || said.write > newest.write || (said.write === newest.write && isBelow(newest.end, said.end)))
      this.newest = said
  }

  private unreadable(at: LogPosition): void {
    if (this.unread === null || isBelow(this.unread, at)) this.unread = at
  }

  /** Where the newest header shows all that this node wrote, what it had must be reached again, else a census is owed. */
  private obligation(): Obligation {
    const { newest, unread } = this
    const marker = this.marker.newest
    if (newest === null || marker === null || isBelow(newest.end, marker)) return { kind: 'census', told: [] }
    if (unread !== null && isBelow(newest.end, unread)) return { kind: 'census', told: [] }
    return { kind: 'reach', ...newest.last }
  }

  /** The newest chain of segments that begins where it may; a predecessor that is missing takes all behind it along. */
  private chain(): readonly Found[] {
    for (const sequence of [...this.found.keys()].sort((left, right) => right - left)) {
      const walked = this.walkBack(sequence)
      if (walked !== null) return walked
    }
    return []
  }

  private walkBack(newest: number): readonly Found[] | null {
    const walked: Found[] = []
    for (let sequence = newest; sequence !== 0; ) {
      const found = this.found.get(sequence)
      if (found === undefined) return (walked[0]?.header.base.index ?? 0) <= this.input.snapshotIndex ? walked : null
      walked.unshift(found)
      if (found.header.reset) break
      sequence = found.header.predecessor.sequence
    }
    return (walked[0]?.header.base.index ?? 0) <= this.input.snapshotIndex ? walked : null
  }

  private keep(): void {
    if (this.finished) return
    const walked = this.chain()
    const image = new LogImage(this.group, walked[0]?.header ?? EMPTY_STATE, this.input.snapshotIndex)
    let newest: NewestSegment | null = null
    let damaged = false
    const kept: Segment[] = []
    inOrder(
      walked.map((found, at) => ({ found, until: walked[at + 1]?.header.predecessor.end ?? null })),
      ({ found, until }, next) => {
        if (this.finished || damaged) return next()
        const { segment, header } = found
        if (image.enter(header) !== null) {
          damaged = true
          return next()
        }
        segment.file.read(0, segment.file.size, (read) => {
          if (!read.ok) return this.fail(faultOf(read.error), next)
          kept.push(segment)
          newest = replay(image, { ...found, bytes: read.value, until })
          damaged = segment.end !== (until ?? segment.end)
          next()
        })
      },
      () => this.finish({ image, kept, newest }),
    )
  }

  private get group(): GroupId {
    return this.input.group
  }

  private finish(walk: { image: LogImage; kept: readonly Segment[]; newest: NewestSegment | null }): void {
    if (this.finished) return
    this.finished = true
    const { image, kept, newest } = walk
    const { newest: marker, twice: markedTwice } = this.marker
    if (this.newest !== null) {
      image.hardState = this.newest.hardState
      image.lastWrite = this.newest.write
    }
    for (const file of this.opened) {
      if (!kept.some((segment) => segment.file === file)) file.close(() => undefined)
    }
    const voids = this.sequences.filter((sequence) => !kept.some((segment) => segment.sequence === sequence))
    const highestSequence = Math.max(0, marker?.sequence ?? 0, ...this.sequences)
    const last = newest === null ? null : { ...newest, durableState: image.state() }
    const inspection = { image, marker, markedTwice, segments: kept, newest: last, voids, highestSequence }
    this.done(null, { inspection, obligation: this.obligation() })
  }

  private fail(fault: StorageFault, next?: () => void): void {
    if (!this.finished) {
      this.finished = true
      for (const file of this.opened) file.close(() => undefined)
      this.done(fault, null)
    }
    next?.()
  }
}

/** Replays the frames of a segment up to the first damage; what lies beyond it there is void from now on. */
function replay(image: LogImage, read: Found & { bytes: Uint8Array; until: number | null }): NewestSegment {
  const { segment, header, bytes, until } = read
  const result = scanSegment({ bytes, header, until, durableTo: SECTOR_BYTES })
  const intact = result.kind === 'rot' ? result.intact : result
  const frames = []
  let { checksum } = header
  for (const frame of intact.frames) {
    if (image.apply(bytes, frame, segment) !== null) break
    frames.push(frame)
    segment.end = frame.at.offset + frame.frameBytes
    checksum = frame.checksum
  }
  const end = segment.end
  // Never "clean": the log goes on in a new segment, whose header says where this one ends.
  const scanned = { kind: 'scanned', frames, end, checksum, tornBytes: 1 } as const
  return { segment, header, bytes, scanned, durableTo: end, marked: true, durableState: image.state() }
}

function isBelow(left: LogPosition, right: LogPosition): boolean {
  return left.sequence < right.sequence || (left.sequence === right.sequence && left.offset < right.offset)
}
