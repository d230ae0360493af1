import { lowerBoundBy } from '../../base/binary-search.ts'
import { indexAfter, indexBefore, minIndex } from '../../base/brand.ts'
import type { LogIndex } from '../../base/brand.ts'
import { recordChain, recordIndex, recordLength } from '../../codec/entry/record.ts'
import type { Segment } from './segment.ts'

/** A read begins at a mark, so it reads about this many bytes of a segment too much at most. */
export const MARK_BYTES = 64 * 1024

/** A place in a segment where a read may begin. */
export interface Mark {
  /** The first entry that lies at or behind it. */
  readonly first: LogIndex
  /** Of a frame's header, or of the record of `first`. */
  readonly offset: number
  /** 0 at a frame's header; at a record, how many bytes of records its frame holds from there on. */
  readonly rest: number
  /** Chain value of the entry before `first`. */
  readonly chain: number
}

/** Frames that lie one behind the other in one segment, of which none but the first truncates: entries [first, last]. */
interface Run {
  segment: Segment
  last: LogIndex
  /** Where the last of the frames ends. */
  end: number
  /** By index and by offset, at least one; the first one's index is the run's. */
  marks: Mark[]
}

/** One frame with records, at its place. */
export interface PlacedRecords {
  readonly segment: Segment
  /** Of the frame's header. */
  readonly offset: number
  /** Of the first record. */
  readonly bodyOffset: number
  /** End of the frame, padding included. */
  readonly end: number
  readonly first: LogIndex
  readonly last: LogIndex
  /** Chain value of the entry before the first. */
  readonly chain: number
  /** The records, one buffer after the other. */
  readonly body: readonly Uint8Array[]
}

/** Bytes of a segment to read, from a mark on. */
export interface Region {
  readonly segment: Segment
  readonly mark: Mark
  /** Where it ends: at another mark, or behind a frame. */
  readonly end: number
  /** Entries above it are of no use: none, or truncated ones. */
  readonly last: LogIndex
}

/**
 * Where the records of the log lie on disk, in index order, without gap. Sparse: one mark per `MARK_BYTES` of a segment, one
 * run per segment and truncation; what lies between two marks is found by reading it.
 *
 * PERF: about 60 bytes of memory per 64 KiB on disk, whatever the number of entries. They go with their segment.
 */
export class Extents {
  private runs: Run[] = []
  /** The next frame does not go on with the last run. */
  private closed = false

  push(placed: PlacedRecords): void {
    const { segment, offset, first, chain } = placed
    let run = this.runs.at(-1)
    if (run === undefined || this.closed || run.segment !== segment) {
      run = { segment, last: placed.last, end: placed.end, marks: [{ first, offset, rest: 0, chain }] }
      this.runs.push(run)
      this.closed = false
    } else if (offset - lastMark(run) >= MARK_BYTES) run.marks.push({ first, offset, rest: 0, chain })
    if (placed.end - lastMark(run) > MARK_BYTES) markWithin(run, placed)
    run.last = placed.last
    run.end = placed.end
  }

  /** Marks kept: what the memory of the index is made of. */
  get marks(): number {
    return this.runs.reduce((count, run) => count + run.marks.length, 0)
  }

  /** The entry before the first that lies on disk and its chain value; null when none does. */
  get base(): { readonly index: LogIndex; readonly chain: number } | null {
    const mark = this.runs[0]?.marks[0]
    return mark === undefined ? null : { index: indexBefore(mark.first), chain: mark.chain }
  }

  /** Forgets where the entries at and above `index` lie. What is pushed next begins a run. */
  truncateFrom(index: LogIndex): void {
    this.closed = true
    for (let run = this.runs.at(-1); run !== undefined && run.last >= index; run = this.runs.at(-1)) {
      run.marks = run.marks.filter((mark) => mark.first < index)
      if (run.marks.length > 0) {
        run.last = indexBefore(index)
        return
      }
      this.runs.pop()
    }
  }

  /** What is pushed next begins a run: it may be relocated without what precedes it. */
  beginRun(): void {
    this.closed = true
  }

  /** The runs of `from` that begin at or above an offset were copied, as they lie, to another segment (storage.md §3.4). */
  relocate(from: { segment: Segment; offset: number }, to: { segment: Segment; offset: number }): void {
    const moved = to.offset - from.offset
    for (const run of this.runs) {
      if (run.segment !== from.segment || (run.marks[0]?.offset ?? 0) < from.offset) continue
      run.segment = to.segment
      run.end += moved
      run.marks = run.marks.map((mark) => ({ ...mark, offset: mark.offset + moved }))
    }
  }

  /** Drops the runs of one segment, which is the oldest. */
  dropSegment(segment: Segment): void {
    const kept = this.runs.findIndex((run) => run.segment !== segment)
    this.runs = kept < 0 ? [] : this.runs.slice(kept)
  }

  /** Chain value of the entry at `index` where a mark stands behind it; else null. */
  chainAt(index: LogIndex): number | null {
    const next = indexAfter(index)
    const marks = this.runs[lowerBoundBy(this.runs, next, lastOf)]?.marks ?? []
    const mark = marks[lowerBoundBy(marks, next, firstOf)]
    return mark?.first === next ? mark.chain : null
  }

  /**
   * What to read for the entries from `first` on, at most up to `last`: a part of one segment with at least one of them, and
   * with `bytes` of records if it has as many. Null when none lies on disk.
   */
  regionFrom(first: LogIndex, wanted: { readonly last: LogIndex; readonly bytes: number }): Region | null {
    const run = this.runs[lowerBoundBy(this.runs, first, lastOf)]
    const start = run === undefined ? -1 : lowerBoundBy(run.marks, indexAfter(first), firstOf) - 1
    const mark = run?.marks[start]
    if (run === undefined || mark === undefined) return null
    let next = start + 1
    for (let each = run.marks[next]; each !== undefined; each = run.marks[next]) {
      if (each.first > wanted.last || each.offset - mark.offset >= wanted.bytes) break
      next += 1
    }
    return {
      segment: run.segment,
      mark,
      end: run.marks[next]?.offset ?? run.end,
      last: minIndex(wanted.last, run.last),
    }
  }
}

/** Marks inside a large frame. PERF: one walk of plain reads, about 5 ns per record, over frames that cross a mark only. */
function markWithin(run: Run, placed: PlacedRecords): void {
  let start = placed.bodyOffset
  let { chain } = placed
  const bodyEnd = start + placed.body.reduce((sum, buffer) => sum + buffer.length, 0)
  for (const buffer of placed.body) {
    for (let at = 0; at < buffer.length; at += recordLength(buffer, at)) {
      const offset = start + at
      if (offset - lastMark(run) >= MARK_BYTES)
        run.marks.push({ first: recordIndex(buffer, at), offset, rest: bodyEnd - offset, chain })
      chain = recordChain(buffer, at)
    }
    start += buffer.length
  }
}

function lastMark(run: Run): number {
  return run.marks[run.marks.length - 1]?.offset ?? 0
}

const lastOf = (run: Run): LogIndex => run.last
const firstOf = (mark: Mark): LogIndex => mark.first
