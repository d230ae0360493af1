import { assert } from '../../base/assert.ts'
import { indexAfter, indexBefore, minIndex } from '../../base/brand.ts'
import type { GroupId, LogIndex } from '../../base/brand.ts'
import { ENTRY_HEADER_BYTES } from '../../codec/entry/record.ts'
import type { ReadRecords } from '../../node/ports/log-store.ts'
import type { StorageDone, StorageFault } from '../../node/ports/storage-fault.ts'
import { faultOf } from '../disk/faults.ts'
import type { Extents, Region } from './extents.ts'
import type { HeldEntries } from './held-entries.ts'
import { recordsOfRegion } from './read-region.ts'
import type { RegionRecords } from './read-region.ts'
import { joined } from './tail-cache.ts'
import type { TailCache } from './tail-cache.ts'

/** Where records are found. */
export interface ReadableLog {
  readonly group: GroupId
  readonly held: HeldEntries
  readonly cache: TailCache
  readonly extents: Extents
}

/** The entries [first, last], up to the first that would bring more than `maxBytes`; at least one. */
export interface ReadRange {
  readonly first: LogIndex
  readonly last: LogIndex
  readonly maxBytes: number
}

/** A read that needs the disk. */
interface ActiveRead {
  readonly first: LogIndex
  /** Falls when entries of it are truncated meanwhile. */
  last: LogIndex
  readonly maxBytes: number
  readonly pieces: Uint8Array[]
  bytes: number
  /** Last entry found so far; first − 1 at the beginning. */
  reached: LogIndex
  /** Its first entries are gone since. */
  stale: boolean
  readonly done: StorageDone<ReadRecords>
}

/** A read of a segment takes as many bytes as are wanted, up to this; one record may be larger. */
const STEP_BYTES = 4 * 1024 * 1024
const NOTHING = new Uint8Array(0)

/** Serves record bytes from the tail cache, or from segments with their checksums and chain verified (storage.md §2.6). */
export class LogReader {
  private readonly log: ReadableLog
  private readonly active = new Set<ActiveRead>()
  private readonly onIdle: () => void

  /** `onIdle` is called whenever a read from disk has ended: segments may be free to go. */
  constructor(log: ReadableLog, onIdle: () => void) {
    this.log = log
    this.onIdle = onIdle
  }

  /** True while a read from disk is under way. */
  get busy(): boolean {
    return this.active.size > 0
  }

  /** Answers at once where the cache holds all of it; nothing (last = first − 1) where the log does not hold `first`. */
  read(range: ReadRange, done: StorageDone<ReadRecords>): void {
    const { held, cache } = this.log
    const { first, maxBytes } = range
    if (!held.has(first) || range.last < first) return done(null, nothing(first))
    const last = minIndex(range.last, held.last)
    if (cache.first !== null && first >= cache.first) return done(null, cache.read({ first, last, maxBytes }))
    this.begin({ first, last, maxBytes }, done)
  }

  /**
   * Chain value of the entry at `index`, which a segment holds: also of one whose followers the log has dropped since, as
   * long as their truncation has no place in a frame.
   */
  chainOnDisk(index: LogIndex, done: StorageDone<number>): void {
    const region = this.log.extents.regionFrom(index, { last: index, bytes: 1 })
    assert(region !== null, 'the entry before a truncation is in a segment', { index })
    this.readRegion(region, { first: index, bytes: 1, atLeastOne: true }, (fault, found) => {
      done(fault, found?.chain ?? 0)
      this.onIdle()
    })
  }

  /** Entries at and above `from` are gone: reads under way end before them, or answer nothing. */
  truncateFrom(from: LogIndex): void {
    for (const read of this.active) {
      if (read.reached >= from) read.stale = true
      read.last = minIndex(read.last, indexBefore(from))
    }
  }

  /** Entries up to `index` are gone: reads under way that hold some will answer nothing. */
  discardUpTo(index: LogIndex): void {
    for (const read of this.active) {
      if (read.first <= index) read.stale = true
    }
  }

  private begin(range: ReadRange, done: StorageDone<ReadRecords>): void {
    const read: ActiveRead = {
      ...range,
      pieces: [],
      bytes: 0,
      reached: indexBefore(range.first),
      stale: false,
      done,
    }
    this.active.add(read)
    this.goOn(read)
  }

  /** Reads what one segment holds next, in one request, then goes on; what the cache holds comes last. */
  private goOn(read: ActiveRead): void {
    if (read.stale || read.reached >= read.last) return this.finish(read, null)
    const { cache, extents } = this.log
    const first = indexAfter(read.reached)
    if (cache.first !== null && first >= cache.first) return this.takeCached(read, first)
    // An entry in the cache may not be on disk yet, though its place is known.
    const last = cache.first === null ? read.last : minIndex(read.last, indexBefore(cache.first))
    const bytes = read.maxBytes - read.bytes
    if (read.bytes > 0 && bytes < ENTRY_HEADER_BYTES) return this.finish(read, null)
    const region = extents.regionFrom(first, { last, bytes: Math.min(bytes, STEP_BYTES) })
    assert(region !== null, 'every index held is in a segment or in the cache', { first })
    this.readRegion(region, { first, bytes, atLeastOne: read.bytes === 0 }, (fault, found) => {
      if (fault !== null) return this.finish(read, fault)
      read.pieces.push(...found.pieces)
      read.bytes += found.bytes
      read.reached = found.last
      // A truncation since the request may have taken some of what it found.
      if (found.last > read.last) read.stale = true
      if (found.full) this.finish(read, null)
      else this.goOn(read)
    })
  }

  private takeCached(read: ActiveRead, first: LogIndex): void {
    const maxBytes = read.maxBytes - read.bytes
    const { records, last } = this.log.cache.read({ first, last: read.last, maxBytes })
    // At least one, however large: it may be too many here.
    if (read.bytes === 0 || records.length <= maxBytes) {
      read.pieces.push(records)
      read.bytes += records.length
      read.reached = last
    }
    this.finish(read, null)
  }

  private readRegion(
    region: Region,
    wanted: { first: LogIndex; bytes: number; atLeastOne: boolean },
    done: (fault: StorageFault | null, found: RegionRecords) => void,
  ): void {
    const { segment, mark, end } = region
    const nothingFound = { pieces: [], bytes: 0, last: indexBefore(wanted.first), chain: mark.chain, full: true }
    segment.readers += 1
    segment.file.read(mark.offset, end - mark.offset, (result) => {
      segment.readers -= 1
      if (!result.ok) return done(faultOf(result.error), nothingFound)
      const found = recordsOfRegion(result.value, region, { group: this.log.group, ...wanted })
      if ('code' in found) done(found, nothingFound)
      else done(null, found)
    })
  }

  private finish(read: ActiveRead, fault: StorageFault | null): void {
    this.active.delete(read)
    const { first, stale } = read
    const answer = { records: joined(read.pieces, read.bytes), first, last: read.reached }
    read.done(stale ? null : fault, stale || fault !== null ? nothing(first) : answer)
    this.onIdle()
  }
}

function nothing(first: LogIndex): ReadRecords {
  return { records: NOTHING, first, last: indexBefore(first) }
}
