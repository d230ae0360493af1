import { lowerBoundBy } from '../../base/binary-search.ts'
import { indexAfter, indexBefore } from '../../base/brand.ts'
import type { LogIndex, WriteNumber } from '../../base/brand.ts'
import { recordChain, recordIndex, recordLength } from '../../codec/entry/record.ts'
import type { ReadRecords } from '../../node/ports/log-store.ts'

/** Where a record lies in its block. */
interface Place {
  readonly index: LogIndex
  readonly offset: number
}

/** Records of one write, as they were appended. */
interface Block {
  readonly first: LogIndex
  last: LogIndex
  records: Uint8Array
  readonly write: WriteNumber
  /** One per PLACE_BYTES, the first record's aside: how far a search must walk. */
  places: readonly Place[]
}

/** Memory that a block costs besides its records, roughly. */
const BLOCK_OVERHEAD_BYTES = 128
/** A record is found by walking over fewer bytes than this: about 1,000 records at most. */
const PLACE_BYTES = 64 * 1024

/**
 * The newest records in memory, bounded in bytes: replication is served from here (storage.md §2.6). Blocks are
 * contiguous in index; a block leaves from the old end, once its write is on disk.
 */
export class TailCache {
  private readonly bytesMax: number
  /** Blocks that left are null, so that their records, and the buffers these are views of, are not kept in memory. */
  private blocks: (Block | null)[] = []
  /** Blocks before this one have left; the array is compacted now and then. */
  private head = 0
  private bytes = 0

  constructor(bytesMax: number) {
    this.bytesMax = bytesMax
  }

  /** First index held; null when empty. */
  get first(): LogIndex | null {
    return this.blocks[this.head]?.first ?? null
  }

  /** Holds the records of one write, at least one, which go on where the last ones ended. */
  push(block: { first: LogIndex; last: LogIndex; records: Uint8Array; write: WriteNumber }): void {
    this.blocks.push({ ...block, places: placesOf(block.records) })
    this.bytes += block.records.length + BLOCK_OVERHEAD_BYTES
  }

  /** Drops the records at and above `index`. */
  truncateFrom(index: LogIndex): void {
    while (this.blocks.length > this.head) {
      const block = this.blocks[this.blocks.length - 1]
      if (block === undefined || block === null || block.last < index) return
      if (block.first < index) {
        const kept = block.records.subarray(0, offsetIn(block, index))
        this.bytes -= block.records.length - kept.length
        block.records = kept
        block.last = indexBefore(index)
        block.places = block.places.filter((place) => place.index < index)
        return
      }
      this.blocks.pop()
      this.bytes -= block.records.length + BLOCK_OVERHEAD_BYTES
    }
  }

  /** Lets the oldest blocks go that are on disk and beyond the bound. */
  evict(persisted: WriteNumber): void {
    while (this.bytes > this.bytesMax) {
      const block = this.blocks[this.head]
      if (block === undefined || block === null || block.write > persisted) break
      this.leave(block)
    }
    if (this.head > 1024 && this.head * 2 > this.blocks.length) this.compact()
  }

  /** Lets blocks go whose records are no longer held. */
  discardUpTo(index: LogIndex): void {
    for (
      let block = this.blocks[this.head];
      block !== undefined && block !== null && block.last <= index;
      block = this.blocks[this.head]
    ) {
      this.leave(block)
    }
    this.compact()
  }

  /** Chain value of the entry at `index`; null when it is not held. */
  chainAt(index: LogIndex): number | null {
    const block = this.blocks[this.blockOf(index)]
    if (block === undefined || block === null || index < block.first) return null
    return recordChain(block.records, offsetIn(block, index))
  }

  /**
   * The records of [first, last], `first` being held, or the prefix of them within `maxBytes`, at least one. A view when one
   * block holds them all, else a copy. It must not be written to.
   */
  read(range: { first: LogIndex; last: LogIndex; maxBytes: number }): ReadRecords {
    const pieces: Uint8Array[] = []
    let bytes = 0
    let last = indexBefore(range.first)
    for (let at = this.blockOf(range.first); last < range.last; at += 1) {
      const block = this.blocks[at]
      if (block === undefined || block === null) break
      const start = last < block.first ? 0 : offsetIn(block, indexAfter(last))
      const least = bytes === 0 ? 1 : 0
      const taken = prefixOf(block, start, { last: range.last, bytes: range.maxBytes - bytes, least })
      if (taken.end > start) pieces.push(block.records.subarray(start, taken.end))
      bytes += taken.end - start
      last = taken.last ?? last
      if (taken.end < block.records.length) break
    }
    return { records: joined(pieces, bytes), first: range.first, last }
  }

  /** The oldest block leaves. */
  private leave(block: Block): void {
    this.bytes -= block.records.length + BLOCK_OVERHEAD_BYTES
    this.blocks[this.head] = null
    this.head += 1
  }

  private blockOf(index: LogIndex): number {
    return lowerBoundBy(this.blocks, index, lastOf)
  }

  private compact(): void {
    this.blocks = this.blocks.slice(this.head)
    this.head = 0
  }
}

/** One buffer of all pieces; the piece itself when there is one. */
export function joined(pieces: readonly Uint8Array[], bytes: number): Uint8Array {
  if (pieces.length === 1 && pieces[0] !== undefined) return pieces[0]
  const whole = new Uint8Array(bytes)
  let filled = 0
  for (const piece of pieces) {
    whole.set(piece, filled)
    filled += piece.length
  }
  return whole
}

/** Where a prefix of a block from `start` on ends, and the last entry in it; null when it holds none. */
function prefixOf(
  block: Block,
  start: number,
  bounds: { last: LogIndex; bytes: number; least: 0 | 1 },
): { end: number; last: LogIndex | null } {
  const { records } = block
  if (block.last <= bounds.last && records.length - start <= bounds.bytes) {
    return { end: records.length, last: block.last }
  }
  let end = start
  let last: LogIndex | null = null
  while (end < records.length) {
    const index = recordIndex(records, end)
    const length = recordLength(records, end)
    const taken = last === null && bounds.least === 1
    if (index > bounds.last || (end + length - start > bounds.bytes && !taken)) break
    end += length
    last = index
  }
  return { end, last }
}

/** Offset in its block of the record at `index`, which the block holds. */
function offsetIn(block: Block, index: LogIndex): number {
  const place = block.places[lowerBoundBy(block.places, index + 1, indexOf) - 1]
  let at: number = place?.index ?? block.first
  let offset = place?.offset ?? 0
  for (; at < index; at += 1) offset += recordLength(block.records, offset)
  return offset
}

/** PERF: one walk of plain reads, over large writes only. */
function placesOf(records: Uint8Array): readonly Place[] {
  if (records.length <= PLACE_BYTES) return NO_PLACES
  const places: Place[] = []
  let marked = 0
  for (let offset = 0; offset < records.length; offset += recordLength(records, offset)) {
    if (offset - marked < PLACE_BYTES) continue
    places.push({ index: recordIndex(records, offset), offset })
    marked = offset
  }
  return places
}

const NO_PLACES: readonly Place[] = []
const indexOf = (place: Place): number => place.index
/** A block that has left lies before all others, whatever it held. */
const lastOf = (block: Block | null): number => block?.last ?? 0
