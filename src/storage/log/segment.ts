import { lowerBoundBy } from '../../base/binary-search.ts'
import { indexBefore } from '../../base/brand.ts'
import type { LogIndex } from '../../base/brand.ts'
import type { DiskFile } from '../disk/disk.ts'

/** An open segment. The newest one is written to; the others are read from and removed as a whole. */
export interface Segment {
  readonly sequence: number
  readonly path: string
  readonly file: DiskFile
  /** End of its last frame. */
  end: number
  /** Highest index that any of its frames ever held, 0 for none: it may go when that is no longer needed. */
  highest: number
  /** Reads under way; a segment in use is not removed. */
  readers: number
}

/** Record bytes of one frame in its segment: entries [first, last]. */
export interface Extent {
  readonly first: LogIndex
  last: LogIndex
  /** Stream position of the first record. */
  readonly position: number
  segment: Segment
  /** Offset of the first record in the segment. */
  offset: number
}

/** Where the records of the log lie on disk, in index order, without gap. */
export class Extents {
  private list: Extent[] = []

  push(extent: Extent): void {
    this.list.push(extent)
  }

  /** Forgets where the entries at and above `index` lie. */
  truncateFrom(index: LogIndex): void {
    for (let extent = this.list.at(-1); extent !== undefined && extent.last >= index; extent = this.list.at(-1)) {
      if (extent.first < index) {
        extent.last = indexBefore(index)
        return
      }
      this.list.pop()
    }
  }

  /** The frames of `from` at and above an offset were copied, as they lie, to another segment (storage.md §3.4). */
  relocate(from: { segment: Segment; offset: number }, to: { segment: Segment; offset: number }): void {
    for (const extent of this.list) {
      if (extent.segment !== from.segment || extent.offset < from.offset) continue
      extent.segment = to.segment
      extent.offset += to.offset - from.offset
    }
  }

  /** Drops the extents of one segment, which is the oldest. */
  dropSegment(segment: Segment): void {
    const kept = this.list.findIndex((extent) => extent.segment !== segment)
    this.list = kept < 0 ? [] : this.list.slice(kept)
  }

  /** First index that lies on disk, or null when none does. */
  get first(): LogIndex | null {
    return this.list[0]?.first ?? null
  }

  /** The extents of one segment that hold a run from `first` to at most `last`: one read serves them. */
  runFrom(first: LogIndex, last: LogIndex): readonly Extent[] {
    const start = lowerBoundBy(this.list, first, lastOf)
    const segment = this.list[start]?.segment
    let end = start
    while (end < this.list.length && this.list[end]?.segment === segment && (this.list[end]?.first ?? 0) <= last)
      end += 1
    return this.list.slice(start, end)
  }
}

const lastOf = (extent: Extent): LogIndex => extent.last
