import { assert } from '../../base/assert.ts'
import { maxIndex, minIndex, indexAfter, indexBefore, term } from '../../base/brand.ts'
import type { GroupId, LogIndex } from '../../base/brand.ts'
import { describeRefusal } from '../../codec/entry/record.ts'
import { verifyRecords } from '../../codec/entry/batch.ts'
import type { ReadRecords } from '../../node/ports/log-store.ts'
import type { StorageDone, StorageFault } from '../../node/ports/storage-fault.ts'
import type { EntryIndex } from './entry-index.ts'
import { faultOf, logRot } from '../disk/faults.ts'
import type { Extent, Extents } from './segment.ts'
import type { TailCache } from './tail-cache.ts'

/** Where records are found. */
export interface ReadableLog {
  readonly group: GroupId
  readonly index: EntryIndex
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
  readonly last: LogIndex
  /** The entries [first, lastOnDisk] come from segments, the rest was copied from the cache when the read began. */
  readonly lastOnDisk: LogIndex
  readonly bytes: Uint8Array
  readonly bytesOnDisk: number
  readonly previousChain: number
  readonly lastChain: number
  /** Some of its entries were truncated since. */
  stale: boolean
  /** What was read of it, and where that lies, in order. */
  readonly origins: Origin[]
  readonly done: StorageDone<ReadRecords>
}

/** Bytes of a read from `at` on lie in that file from `offset` on. */
interface Origin {
  readonly at: number
  readonly path: string
  readonly offset: number
}

const NOTHING = new Uint8Array(0)
/** No term is lower: the chain, not the terms, shows that what is read back is what was written. */
const ANY_TERM = term(0)

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
    const { index, cache } = this.log
    const { first } = range
    if (!index.has(first) || range.last < first) return done(null, nothing(first))
    const { last, bytes } = this.prefix(range)
    const cached = cache.first
    if (cached !== null && first >= cached) {
      const records = cache.slice({ first, start: index.positionAt(first), bytes })
      return done(null, { records, first, last })
    }
    this.readSegments({ first, last, bytes }, done)
  }

  /** Entries at and above `from` are gone: reads under way that hold some will answer nothing. */
  truncateFrom(from: LogIndex): void {
    for (const read of this.active) {
      if (read.last >= from) read.stale = true
    }
  }

  /** Entries up to `index` are gone: reads under way that hold some will answer nothing. */
  discardUpTo(index: LogIndex): void {
    for (const read of this.active) {
      if (read.first <= index) read.stale = true
    }
  }

  /** The longest prefix of the range within its bytes, at least one entry. */
  private prefix(range: ReadRange): { last: LogIndex; bytes: number } {
    const { index } = this.log
    const end = Math.min(range.last, index.last)
    let last = range.first
    let bytes = index.lengthAt(last)
    while (last < end) {
      const length = index.lengthAt(indexAfter(last))
      if (bytes + length > range.maxBytes) break
      bytes += length
      last = indexAfter(last)
    }
    return { last, bytes }
  }

  private readSegments(
    range: { first: LogIndex; last: LogIndex; bytes: number },
    done: StorageDone<ReadRecords>,
  ): void {
    const { index, cache } = this.log
    const { first, last } = range
    const lastOnDisk = cache.first === null ? last : minIndex(last, indexBefore(cache.first))
    const bytes = new Uint8Array(range.bytes)
    let bytesOnDisk = range.bytes
    if (lastOnDisk < last) {
      const cached = indexAfter(lastOnDisk)
      let length = 0
      for (let at = cached; at <= last; at = indexAfter(at)) length += index.lengthAt(at)
      bytesOnDisk -= length
      bytes.set(cache.slice({ first: cached, start: index.positionAt(cached), bytes: length }), bytesOnDisk)
    }
    const chains = { previousChain: index.chainAt(indexBefore(first)), lastChain: index.chainAt(lastOnDisk) }
    const read: ActiveRead = { first, last, lastOnDisk, bytes, bytesOnDisk, ...chains, stale: false, origins: [], done }
    this.active.add(read)
    this.readRun(read, { from: first, filled: 0 })
  }

  /** Reads what one segment holds of it in one request, then goes on with the next segment. */
  private readRun(read: ActiveRead, progress: { from: LogIndex; filled: number }): void {
    if (read.stale) return this.finish(read, null)
    if (progress.from > read.lastOnDisk) return this.finish(read, this.verify(read))
    const pieces = this.piecesFrom(progress.from, read.lastOnDisk)
    const first = pieces[0]
    const end = pieces.at(-1)
    assert(first !== undefined, 'every index held is in a segment or in the cache', { from: progress.from })
    assert(end !== undefined, 'a run has an end')
    const { segment } = first.extent
    const base = first.offset
    segment.readers += 1
    segment.file.read(base, end.offset + end.bytes - base, (result) => {
      segment.readers -= 1
      if (!result.ok) return this.finish(read, faultOf(result.error))
      let { filled } = progress
      for (const piece of pieces) {
        read.bytes.set(result.value.subarray(piece.offset - base, piece.offset - base + piece.bytes), filled)
        read.origins.push({ at: filled, path: segment.path, offset: piece.offset })
        filled += piece.bytes
      }
      this.readRun(read, { from: indexAfter(end.last), filled })
    })
  }

  private piecesFrom(from: LogIndex, lastOnDisk: LogIndex): readonly Piece[] {
    const { index, extents } = this.log
    return extents.runFrom(from, lastOnDisk).map((extent) => {
      const first = maxIndex(from, extent.first)
      const last = minIndex(lastOnDisk, extent.last)
      const start = index.positionAt(first)
      const bytes = index.positionAt(last) + index.lengthAt(last) - start
      return { extent, last, offset: extent.offset + start - extent.position, bytes }
    })
  }

  private verify(read: ActiveRead): StorageFault | null {
    const context = {
      group: this.log.group,
      first: read.first,
      previousTerm: ANY_TERM,
      previousChain: read.previousChain,
    }
    const verified = verifyRecords(read.bytes.subarray(0, read.bytesOnDisk), context)
    if ('reason' in verified) {
      const what = `A record read back is wrong: ${describeRefusal(verified.reason)}`
      return rotAt(read.origins, verified.offset, what)
    }
    return verified.last === read.lastOnDisk && verified.lastChain === read.lastChain
      ? null
      : rotAt(
          read.origins,
          0,
          `The entries ${read.first} to ${read.lastOnDisk} read back are not those that were written.`,
        )
  }

  private finish(read: ActiveRead, fault: StorageFault | null): void {
    this.active.delete(read)
    const { first, last, bytes: records } = read
    read.done(read.stale ? null : fault, read.stale || fault !== null ? nothing(first) : { records, first, last })
    this.onIdle()
  }
}

interface Piece {
  readonly extent: Extent
  readonly last: LogIndex
  readonly offset: number
  readonly bytes: number
}

/** The fault of what was read at `at`, by its place on disk. */
function rotAt(origins: readonly Origin[], at: number, what: string): StorageFault {
  const origin = origins.findLast((candidate) => candidate.at <= at)
  return logRot(origin?.path ?? 'the log', (origin?.offset ?? 0) + at - (origin?.at ?? 0), what)
}

function nothing(first: LogIndex): ReadRecords {
  return { records: NOTHING, first, last: indexBefore(first) }
}
