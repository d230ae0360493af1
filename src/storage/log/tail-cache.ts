import { assert } from '../../base/assert.ts'
import { lowerBoundBy } from '../../base/binary-search.ts'
import { indexBefore } from '../../base/brand.ts'
import type { LogIndex, WriteNumber } from '../../base/brand.ts'

/** Records of one write, as they were appended. */
interface Block {
  readonly first: LogIndex
  last: LogIndex
  /** Stream position of the first record. */
  readonly position: number
  records: Uint8Array
  readonly write: WriteNumber
}

/** Memory that a block costs besides its records, roughly. */
const BLOCK_OVERHEAD_BYTES = 128

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

  push(block: { first: LogIndex; last: LogIndex; position: number; records: Uint8Array; write: WriteNumber }): void {
    this.blocks.push({ ...block })
    this.bytes += block.records.length + BLOCK_OVERHEAD_BYTES
  }

  /** Drops the records at and above `index`; `position` is the stream position of the record at `index`. */
  truncateFrom(index: LogIndex, position: number): void {
    while (this.blocks.length > this.head) {
      const block = this.blocks[this.blocks.length - 1]
      if (block === undefined || block === null || block.last < index) return
      if (block.first < index) {
        const kept = block.records.subarray(0, position - block.position)
        this.bytes -= block.records.length - kept.length
        block.records = kept
        block.last = indexBefore(index)
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

  /** The oldest block leaves. */
  private leave(block: Block): void {
    this.bytes -= block.records.length + BLOCK_OVERHEAD_BYTES
    this.blocks[this.head] = null
    this.head += 1
  }

  /**
   * The bytes of records that the cache holds, from the one at `first` on: stream positions [start, start + bytes). A view
   * when one block holds them all, else a copy. It must not be written to.
   */
  slice(range: { first: LogIndex; start: number; bytes: number }): Uint8Array {
    let at = lowerBoundBy(this.blocks, range.first, lastOf)
    const block = this.blocks[at]
    if (block !== undefined && block !== null) {
      const offset = range.start - block.position
      if (offset + range.bytes <= block.records.length) return block.records.subarray(offset, offset + range.bytes)
    }
    const bytes = new Uint8Array(range.bytes)
    let offset = range.start - (block?.position ?? 0)
    for (let filled = 0; filled < bytes.length; at += 1) {
      const records = this.blocks[at]?.records
      assert(records !== undefined, 'the cache holds every record that it is asked for', { first: range.first })
      const piece = records.subarray(offset, Math.min(records.length, offset + bytes.length - filled))
      bytes.set(piece, filled)
      filled += piece.length
      offset = 0
    }
    return bytes
  }

  private compact(): void {
    this.blocks = this.blocks.slice(this.head)
    this.head = 0
  }
}

/** A block that has left lies before all others, whatever it held. */
const lastOf = (block: Block | null): number => block?.last ?? 0
