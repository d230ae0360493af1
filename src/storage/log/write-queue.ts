import { assert } from '../../base/assert.ts'
import { indexPlus, logIndex } from '../../base/brand.ts'
import type { LogIndex, Term, WriteNumber } from '../../base/brand.ts'
import { entryOffset } from '../../codec/entry/batch.ts'
import { recordChain, recordIndex, recordTerm } from '../../codec/entry/record.ts'
import type { HardState } from '../../raft/types.ts'
import type { LogBase } from '../format/segment-header.ts'

/** `truncateFrom` of a write that drops nothing. */
export const NO_TRUNCATION = logIndex(0)

/**
 * A write, or a part of a large one, that waits for its frame. Chain values are null where only the disk knows them: after a
 * truncation below what the cache holds.
 */
export interface QueuedWrite {
  readonly write: WriteNumber
  readonly hardState: HardState
  /** The entries at and above it are dropped first; NO_TRUNCATION (0) for none. */
  readonly truncateFrom: LogIndex
  readonly records: Uint8Array
  readonly firstIndex: LogIndex
  readonly count: number
  /** The entry before the first record; the last of the log when there are none. */
  readonly previous: { readonly term: Term; readonly chain: number | null }
  /** The last entry of the log after this write. */
  readonly last: { readonly index: LogIndex; readonly term: Term; readonly chain: number | null }
  /** The log begins anew behind this entry, in a segment of its own, which is the whole write; else null. */
  readonly restart: LogBase | null
  /** False for all parts of a write but the last. */
  readonly completes: boolean
  /** Monotonic ms of its arrival. */
  readonly since: number
}

/** What queued while a write was in flight, in order. The next frame takes as much of it as fits (storage.md §2.5). */
export class WriteQueue {
  /** Writes that were taken are null, so that their records are not kept in memory. */
  private readonly items: (QueuedWrite | null)[] = []
  private readonly bodyBytesMax: number
  private head = 0

  constructor(bodyBytesMax: number) {
    this.bodyBytesMax = bodyBytesMax
  }

  /** Writes, or parts of large ones, that wait. */
  get length(): number {
    return this.items.length - this.head
  }

  /** The one that waits longest. */
  get oldest(): QueuedWrite | undefined {
    return this.items[this.head] ?? undefined
  }

  /** Takes a write in; one that is too large for a frame becomes several, of which the last completes it. */
  push(write: QueuedWrite): void {
    let rest = write
    while (rest.records.length > this.bodyBytesMax) {
      const [part, remainder] = split(rest, this.bodyBytesMax)
      this.items.push(part)
      rest = remainder
    }
    this.items.push(rest)
  }

  /**
   * The writes of the next frame: the oldest, and those after it that bring no truncation of their own, up to the bound.
   * A frame truncates once, before its records.
   */
  take(): readonly QueuedWrite[] {
    const first = this.items[this.head]
    assert(first !== undefined && first !== null, 'a frame is made of at least one write')
    const batch = [first]
    let bytes = first.records.length
    for (let at = this.head + 1; at < this.items.length; at += 1) {
      const next = this.items[at]
      if (
        next === undefined ||
        next === null ||
        first.restart !== null ||
        next.restart !== null ||
        next.truncateFrom > 0 ||
        bytes + next.records.length > this.bodyBytesMax
      )
        break
      bytes += next.records.length
      batch.push(next)
    }
    this.items.fill(null, this.head, this.head + batch.length)
    this.head += batch.length
    if (this.head === this.items.length || this.head > 1024) {
      this.items.splice(0, this.head)
      this.head = 0
    }
    return batch
  }

  clear(): void {
    this.items.length = 0
    this.head = 0
  }
}

function split(write: QueuedWrite, bytesMax: number): [QueuedWrite, QueuedWrite] {
  let count = 0
  let end = 0
  let last = 0
  for (
    let offset = entryOffset(write.records, 1);
    offset <= bytesMax;
    offset = end + entryOffset(write.records.subarray(end), 1)
  ) {
    last = end
    end = offset
    count += 1
    if (count === write.count) break
  }
  assert(count > 0, 'one record fits one frame', { bytesMax })
  const lastTerm = recordTerm(write.records, last)
  const part = {
    ...write,
    records: write.records.subarray(0, end),
    count,
    last: { term: lastTerm, index: recordIndex(write.records, last), chain: recordChain(write.records, last) },
    completes: false,
  }
  const remainder = {
    ...write,
    truncateFrom: NO_TRUNCATION,
    records: write.records.subarray(end),
    firstIndex: indexPlus(write.firstIndex, count),
    count: write.count - count,
    previous: { term: lastTerm, chain: recordChain(write.records, last) },
  }
  return [part, remainder]
}
