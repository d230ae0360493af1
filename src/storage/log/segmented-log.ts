import { assert } from '../../base/assert.ts'
import { indexAfter, indexBefore, logIndex, writeNumber } from '../../base/brand.ts'
import type { LogIndex, Term, WriteNumber } from '../../base/brand.ts'
import { chainOf, recordChain, recordChecksum } from '../../codec/entry/record.ts'
import type { LogRestart, LogStats, LogStore, LogWrite, ReadRecords, WriteStage } from '../../node/ports/log-store.ts'
import type { StorageDone, StorageFault } from '../../node/ports/storage-fault.ts'
import { faultOf, logRot } from '../disk/faults.ts'
import { FRAME_BODY_BYTES_MAX } from '../format/frame.ts'
import { FrameWriter } from './frame-writer.ts'
import { logDirectory } from '../format/file-names.ts'
import { OBLIGATION_NAME } from '../format/obligation-note.ts'
import type { LogPosition } from '../format/marker-slot.ts'
import type { LogImage } from './log-image.ts'
import type { ReadyLog } from './ready-log.ts'
import { segmentBytesFor, type OpenLogOptions } from './log-options.ts'
import { LogReader } from './log-reader.ts'
import { MarkerFile } from './marker-file.ts'
import type { Segment } from './segment.ts'
import { SegmentSupply } from './segment-supply.ts'
import { SyncTimes } from './sync-times.ts'
import { takeRecords } from './take-records.ts'
import { TailCache } from './tail-cache.ts'
import { NO_TRUNCATION, WriteQueue } from './write-queue.ts'
import type { QueuedWrite } from './write-queue.ts'

type Options = OpenLogOptions & { readonly segmentBytes: number; readonly cacheBytes: number }

const NO_RECORDS = new Uint8Array(0)
/** Of any log's entries: what is truncated from here on is all of them. */
const FIRST = logIndex(1)

/**
 * The running log (architecture.md §4, storage.md §2). Entries count as held, and are readable, from `append` on; they are on
 * disk when their write is persisted. One frame is in flight at a time: what queues meanwhile is the next (group commit,
 * storage.md §2.5).
 */
export class SegmentedLog implements LogStore {
  readonly stats: LogStats
  private readonly options: Options
  private readonly image: LogImage
  private readonly cache: TailCache
  private readonly reader: LogReader
  private readonly queue: WriteQueue
  private readonly writer: FrameWriter
  private readonly marker: MarkerFile
  private readonly supply: SegmentSupply
  private readonly syncTimes: SyncTimes
  private segments: Segment[]
  private lastQueued: WriteNumber
  private persisted: WriteNumber
  private inFlight: readonly QueuedWrite[] | null = null
  private stage: WriteStage = 'queue'
  /** Entries up to this index are no longer needed; 0 for none. */
  private discardTarget = 0
  private discarding = false
  private newestTruncation: WriteNumber = writeNumber(0)
  private faulted = false
  private closing: (() => void) | null = null
  private closed = false

  constructor(options: Options, ready: ReadyLog) {
    const { disk, directory, group, clock } = options
    this.options = options
    this.image = ready.image
    this.segments = [...ready.segments]
    this.lastQueued = ready.image.lastWrite
    this.persisted = ready.image.lastWrite
    const onFault = (fault: StorageFault): void => this.fail(fault)
    this.cache = new TailCache(options.cacheBytes)
    const { held, extents } = ready.image
    this.reader = new LogReader({ group, held, extents, cache: this.cache }, () => this.afterUse())
    this.queue = new WriteQueue(Math.min(options.frameBodyBytesMax ?? FRAME_BODY_BYTES_MAX, FRAME_BODY_BYTES_MAX))
    this.marker = new MarkerFile(ready.markerFile, ready.marker, { clock, onFault })
    this.supply = new SegmentSupply(
      { disk, directory: logDirectory(directory), group, clock },
      { onFault, onRoom: (short) => options.listener.onRoom?.(short) },
    )
    this.writer = new FrameWriter({ supply: this.supply, segmentBytes: options.segmentBytes }, ready)
    const syncTimes = new SyncTimes()
    this.stats = {
      writes: 0,
      syncs: 0,
      bytes: 0,
      syncP50Ms: () => syncTimes.quantile(0.5),
      syncP99Ms: () => syncTimes.quantile(0.99),
    }
    this.syncTimes = syncTimes
  }

  get firstIndex(): LogIndex {
    return indexAfter(this.image.held.base.index)
  }

  append(write: LogWrite): void {
    assert(this.closing === null, 'a log that is closing takes no writes', { write: write.write })
    assert(write.write > this.lastQueued, 'writes arrive in the order of their numbers', {
      write: write.write,
      after: this.lastQueued,
    })
    this.lastQueued = write.write
    if (write.truncateFrom !== null) this.truncate(write)
    const queued = this.takeIn(write)
    // After a fault nothing is written, but a driver that has not stopped yet still finds what it appended.
    if (this.faulted) return
    this.queue.push(queued)
    this.flush()
  }

  restart({ write, hardState, base }: LogRestart): void {
    assert(this.closing === null && write > this.lastQueued, 'writes arrive in the order of their numbers', { write })
    this.lastQueued = write
    this.newestTruncation = write
    this.reader.truncateFrom(FIRST)
    this.cache.truncateFrom(FIRST)
    this.image.held.restart(base)
    if (this.faulted) return
    // What waits to be written before it is void, and completes with it.
    this.queue.clear()
    const { term, chain } = base
    const since = this.options.clock.monotonicMs()
    const nothing = { records: NO_RECORDS, truncateFrom: NO_TRUNCATION, firstIndex: indexAfter(base.index), count: 0 }
    const previous = { term, chain }
    this.queue.push({ write, hardState, ...nothing, previous, last: base, restart: base, completes: true, since })
    this.flush()
  }

  chainAt(index: LogIndex): number | null {
    const { held, extents } = this.image
    if (!held.has(index)) return held.chainAt(index)
    return held.chainAt(index) ?? this.cache.chainAt(index) ?? extents.chainAt(index)
  }

  read(range: { first: LogIndex; last: LogIndex; maxBytes: number }, done: StorageDone<ReadRecords>): void {
    assert(!this.closed, 'a closed log is not read')
    this.reader.read(range, done)
  }

  obligationMet(): void {
    const { disk, directory } = this.options
    disk.remove(`${directory}/${OBLIGATION_NAME}`, (removed) => {
      if (!removed.ok) return this.fail(faultOf(removed.error))
      disk.syncDirectory(directory, (synced) => (synced.ok ? undefined : this.fail(faultOf(synced.error))))
    })
  }

  discardUpTo(index: LogIndex): void {
    this.discardTarget = Math.max(this.discardTarget, index)
    this.maybeDiscard()
  }

  diskBytesAbove(index: LogIndex): number {
    const kept = this.segments.filter((segment) => segment.highest > index || this.writer.isCurrent(segment))
    return kept.reduce((bytes, { file }) => bytes + file.size, this.supply.preparedBytes)
  }

  snapshotsEvery(recordBytes: number): void {
    this.writer.segmentBytes = segmentBytesFor(recordBytes, this.options.segmentBytes)
  }

  oldestWriteAgeMs(): number {
    const since = this.inFlight?.[0]?.since ?? this.queue.oldest?.since
    return since === undefined ? 0 : Math.max(0, this.options.clock.monotonicMs() - since)
  }

  oldestWriteStage(): WriteStage {
    return this.inFlight === null ? 'queue' : this.stage
  }

  close(done: () => void): void {
    assert(this.closing === null, 'a log is closed once')
    this.closing = done
    this.maybeClose()
  }

  private truncate({ write, truncateFrom: from }: LogWrite): void {
    const { held } = this.image
    if (from === null || from > held.last) return
    this.newestTruncation = write
    const chain = this.chainAt(indexBefore(from))
    this.reader.truncateFrom(from)
    this.cache.truncateFrom(from)
    held.truncateFrom(from, chain)
  }

  /** Checks that the records follow the log and holds them from now on. */
  private takeIn(write: LogWrite): QueuedWrite {
    const { held } = this.image
    const previous = { term: held.lastTerm, chain: held.lastChain }
    const firstIndex = indexAfter(held.last)
    assert(write.count === 0 || write.firstIndex === firstIndex, 'records go on where the log ends', {
      first: write.firstIndex,
      expected: firstIndex,
    })
    const { records } = write
    const chain = takeRecords(held, records)
    const last = held.last
    assert(last - firstIndex + 1 === write.count, 'a write says how many records it has', {
      count: write.count,
      found: last - firstIndex + 1,
    })
    if (write.count > 0) this.cache.push({ first: firstIndex, last, records, write: write.write })
    const { hardState, count } = write
    const truncateFrom = write.truncateFrom ?? NO_TRUNCATION
    return {
      write: write.write,
      ...{ hardState, truncateFrom, records, firstIndex, count, previous },
      last: { term: held.lastTerm, index: last, chain },
      restart: null,
      completes: true,
      since: this.options.clock.monotonicMs(),
    }
  }

  /** Starts the next frame when none is in flight. */
  private flush(): void {
    if (this.inFlight !== null || this.faulted || this.queue.length === 0) return
    const batch = this.queue.take()
    this.inFlight = batch
    this.stage = 'queue'
    this.writer.reserve(batch, (fault, fresh) => {
      if (fresh !== null) this.segments.push(fresh)
      if (fault !== null) return this.fail(fault)
      if (!this.faulted) this.afterReserve(batch)
    })
  }

  /** A restart is the header of its segment, which is on disk by now; nothing older is needed. */
  private afterReserve(batch: readonly QueuedWrite[]): void {
    if (batch.every((write) => write.restart === null)) return this.place(batch)
    this.image.extents.truncateFrom(FIRST)
    for (const segment of this.segments) if (!this.writer.isCurrent(segment)) segment.highest = 0
    this.complete(batch, 0)
  }

  /** A frame names the chain value of the entry before its records: after a truncation far back the disk has it. */
  private place(batch: readonly QueuedWrite[]): void {
    const { firstIndex, truncateFrom, previous } = batch[0] as QueuedWrite // a batch is never empty
    const { term } = previous
    if (truncateFrom === NO_TRUNCATION) return this.writeFrame(batch, { term, chain: this.writer.lastPlaced().chain })
    if (previous.chain !== null) return this.writeFrame(batch, { term, chain: previous.chain })
    const index = indexBefore(firstIndex)
    this.reader.chainOnDisk(index, (fault, chain) => {
      if (fault !== null) return this.fail(fault)
      this.image.held.learnChain(index, chain)
      if (!this.faulted) this.writeFrame(batch, { term, chain })
    })
  }

  private writeFrame(batch: readonly QueuedWrite[], previous: { term: Term; chain: number }): void {
    const { clock } = this.options
    const { extents } = this.image
    const first = batch.find((write) => write.count > 0)
    if (first?.previous.chain === null && !continues(first.records, previous.chain)) {
      return this.fail(divergedAt(first.firstIndex, this.writer.position(), this.segments.at(-1)))
    }
    const placed = this.writer.place(batch, previous)
    const { segment } = placed
    if (placed.truncateFrom > 0) extents.truncateFrom(placed.truncateFrom)
    if (placed.records !== null) extents.push(placed.records)
    this.stage = 'write'
    segment.file.write(placed.offset, placed.buffers, (written) => {
      if (!written.ok) return this.fail(faultOf(written.error))
      const started = clock.monotonicMs()
      this.stage = 'fsync'
      segment.file.sync((synced) => {
        if (!synced.ok) return this.fail(faultOf(synced.error))
        this.syncTimes.add(clock.monotonicMs() - started)
        this.complete(batch, placed.bytes)
      })
    })
  }

  /** The frame is on disk. */
  private complete(batch: readonly QueuedWrite[], bytes: number): void {
    if (this.faulted) return
    this.inFlight = null
    this.stats.syncs += 1
    this.stats.bytes += bytes
    this.marker.advance(this.writer.position())
    this.writer.prepareNext()
    const completed = batch.findLast((write) => write.completes)
    this.stats.writes += batch.reduce((count, write) => count + (write.completes ? 1 : 0), 0)
    if (completed !== undefined) {
      this.persisted = completed.write
      this.cache.evict(this.persisted)
      this.options.listener.onPersisted(this.persisted)
    }
    this.flush()
    this.afterUse()
  }

  private afterUse(): void {
    this.maybeDiscard()
    this.maybeClose()
  }

  /**
   * Removes the oldest segment while nothing in it is needed (storage.md §2.7); a newer one's header holds the hard state,
   * durably. Not while a truncation waits for its place: the base that is left would be an entry which that one drops.
   */
  private maybeDiscard(): void {
    const oldest = this.segments[0]
    if (this.discarding || this.faulted || this.closed || oldest === undefined || this.segments.length < 2) return
    if (this.newestTruncation > this.persisted) return
    if (oldest.highest > this.discardTarget || oldest.readers > 0 || this.writer.isCurrent(oldest)) return
    this.discarding = true
    this.forget(oldest)
    oldest.file.close(() => {
      this.options.disk.remove(oldest.path, (removed) => {
        if (!removed.ok) return this.fail(faultOf(removed.error))
        this.options.disk.syncDirectory(logDirectory(this.options.directory), (synced) => {
          if (!synced.ok) return this.fail(faultOf(synced.error))
          this.discarding = false
          this.afterUse()
        })
      })
    })
  }

  private forget(oldest: Segment): void {
    const { held, extents } = this.image
    this.segments.shift()
    extents.dropSegment(oldest)
    const base = extents.base ?? this.writer.lastPlaced()
    if (base.index <= held.base.index) return
    this.reader.discardUpTo(base.index)
    held.discardUpTo(base.index, base.chain)
    this.cache.discardUpTo(base.index)
  }

  private fail(fault: StorageFault): void {
    if (this.faulted) return
    this.faulted = true
    this.inFlight = null
    this.discarding = false
    this.queue.clear()
    this.options.listener.onFault(fault)
    this.maybeClose()
  }

  private maybeClose(): void {
    const done = this.closing
    if (done === null || this.closed || this.inFlight !== null || this.discarding || this.reader.busy) return
    if (this.queue.length > 0) return
    this.closed = true
    if (this.faulted) return this.closeFiles(done)
    this.marker.flush((fault) => {
      // The next open copies what is above an old marker: a close has nobody to tell.
      if (fault !== null) this.faulted = true
      this.closeFiles(done)
    })
  }

  private closeFiles(done: () => void): void {
    this.marker.close(() =>
      this.supply.close(() => {
        let open = this.segments.length
        for (const segment of this.segments) {
          segment.file.close(() => {
            open -= 1
            if (open === 0) done()
          })
        }
      }),
    )
  }
}

/** The first of these records has this chain value before it. */
function continues(records: Uint8Array, previousChain: number): boolean {
  return chainOf(previousChain, recordChecksum(records, 0)) === recordChain(records, 0)
}

/** Entries of one index and term differ between this log and the leader's: damage that no checksum showed (paper §5.3). */
function divergedAt(index: LogIndex, at: LogPosition, segment: Segment | undefined): StorageFault {
  const what = `Entry ${index} from the leader does not continue the chain of the entries before it here.`
  return logRot(segment?.path ?? 'the log', at.offset, what)
}
