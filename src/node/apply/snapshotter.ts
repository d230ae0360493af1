import type { LogIndex } from '../../base/brand.ts'
import { type KeyedBytes, packedDigest, packRows } from '../../codec/rows/packed-rows.ts'
import type { SessionCodec } from '../../codec/session-codec.ts'
import type { DirtyRows } from '../../session/dirty-rows.ts'
import type { Clock } from '../ports/clock.ts'
import type { SnapshotMeta, SnapshotStore } from '../ports/snapshot-store.ts'
import type { StorageFault } from '../ports/storage-fault.ts'
import { SortedRows } from './sorted-rows.ts'
import type { TurnBudget } from './turn-budget.ts'

/** Boundaries that may wait to be written before apply must wait: the log keeps what follows the snapshot (storage.md §2.7). */
export const BOUNDARIES_PENDING_MAX = 3

/** Rows encoded and written at a time: 256 rows stay far below 10 ms (500 rows of a session's size cost 11 ms). */
export const SLICE_ROWS = 256
/** Bytes of encoded rows beyond which a slice is full although it has fewer rows. */
export const SLICE_BYTES = 256 * 1024

/** What the snapshotter knows of a boundary when the dirty rows are swapped. */
export type BoundaryMeta = Omit<SnapshotMeta, 'rowCount' | 'digest'>

interface Boundary {
  readonly meta: BoundaryMeta
  readonly dirty: DirtyRows
}

/** The boundary whose rows are being written. */
interface BoundaryInProgress extends Boundary {
  readonly sorted: SortedRows
  /** Monotonic ms at which its turn came. */
  readonly startedAt: number
  rowCount: number
  digest: number
}

/** A snapshot that is switched on and durable. */
export interface SnapshotWritten {
  readonly index: LogIndex
  /** Rows written for it: those that changed since the boundary before. */
  readonly rows: number
  /** From the first row to the switch, the wait for the log included. */
  readonly durationMs: number
}

export interface SnapshotterPorts {
  readonly store: SnapshotStore
  readonly codec: Pick<SessionCodec, 'encodeWalked'>
  readonly clock: Pick<Clock, 'monotonicMs'>
  readonly turn: TurnBudget
  /** The log is on disk up to this index when the node opens. */
  readonly durableIndex: LogIndex
  written(snapshot: SnapshotWritten): void
  fault(fault: StorageFault): void
}

/**
 * Writes the dirty rows of each boundary, in key order and slices, one boundary after the other, while the loop goes on.
 * Values are immutable, so they may be encoded long after later entries were applied (storage.md §4).
 */
export class Snapshotter {
  private readonly ports: SnapshotterPorts
  private readonly queue: Boundary[] = []
  private writing = false
  private stopped = false
  private idle: (() => void) | null = null
  /** Highest index up to which this node's own log is on disk. */
  private durableIndex: LogIndex
  /** The boundary whose rows are all written, but not switched on: the log does not reach it on disk yet. */
  private waiting: BoundaryInProgress | null = null

  constructor(ports: SnapshotterPorts) {
    this.ports = ports
    this.durableIndex = ports.durableIndex
  }

  /** Apply waits while this is true. */
  get full(): boolean {
    return this.queue.length >= BOUNDARIES_PENDING_MAX
  }

  add(meta: BoundaryMeta, dirty: DirtyRows): void {
    this.queue.push({ meta, dirty })
    if (!this.writing) this.next()
  }

  /**
   * The log is on disk up to this index. A snapshot is switched on only then: what others have made durable is applied
   * here before this node's own write completes, and a log that ends below its snapshot is given up at the next open.
   */
  durable(index: LogIndex): void {
    this.durableIndex = index
    const { waiting } = this
    if (waiting === null || this.stopped) return
    this.waiting = null
    this.commit(waiting)
  }

  /**
   * Stops after the operation in flight and calls back once it has completed; an unfinished generation is dropped at the
   * next open.
   */
  stop(done: () => void): void {
    this.stopped = true
    if (this.writing && this.waiting === null) this.idle = done
    else done()
  }

  private next(): void {
    const boundary = this.queue[0]
    if (boundary === undefined || this.stopped) {
      this.rest()
      return
    }
    this.writing = true
    this.sort({
      ...boundary,
      sorted: new SortedRows(boundary.dirty.steps?.() ?? boundary.dirty),
      startedAt: this.ports.clock.monotonicMs(),
      rowCount: 0,
      digest: 0,
    })
  }

  /** Nothing is in flight any more. */
  private rest(): void {
    const { idle } = this
    this.writing = false
    this.idle = null
    idle?.()
  }

  private fail(fault: StorageFault): void {
    this.stopped = true
    this.ports.fault(fault)
    this.rest()
  }

  private sort(writing: BoundaryInProgress): void {
    const more = writing.sorted.sortNext()
    this.later(() => (more ? this.sort(writing) : this.slice(writing)))
  }

  private slice(writing: BoundaryInProgress): void {
    const rows = this.nextRows(writing)
    if (rows.length === 0) {
      this.commit(writing)
      return
    }
    writing.rowCount += rows.length
    // PERF: keys and values become bytes once, for the digest and the store alike.
    const bytes = packRows(rows)
    writing.digest = packedDigest(bytes, writing.digest)
    this.ports.store.writeSlice(writing.meta.lastIncludedIndex, { rows: rows.length, bytes }, (fault) => {
      if (fault !== null) this.fail(fault)
      else this.later(() => this.slice(writing))
    })
  }

  private nextRows(writing: BoundaryInProgress): readonly KeyedBytes[] {
    const rows: KeyedBytes[] = []
    for (let bytes = 0; rows.length < SLICE_ROWS && bytes < SLICE_BYTES; ) {
      const row = writing.sorted.next()
      if (row === undefined) break
      const { key, value } = row
      const encoded = value === undefined ? null : this.ports.codec.encodeWalked(value)
      bytes += encoded?.length ?? 0
      rows.push({ key, value: encoded })
    }
    return rows
  }

  private commit(writing: BoundaryInProgress): void {
    const { meta, dirty, startedAt, rowCount, digest } = writing
    const { lastIncludedIndex } = meta
    if (lastIncludedIndex > this.durableIndex) {
      this.waiting = writing
      return
    }
    const snapshot = { meta: { ...meta, rowCount, digest }, total: dirty.total }
    this.ports.store.commit(lastIncludedIndex, snapshot, (fault) => {
      if (fault !== null) {
        this.fail(fault)
        return
      }
      this.queue.shift()
      const durationMs = this.ports.clock.monotonicMs() - startedAt
      this.ports.written({ index: lastIncludedIndex, rows: rowCount, durationMs })
      this.next()
    })
  }

  /** Goes on in another turn of the loop, unless it was stopped meanwhile. */
  private later(run: () => void): void {
    this.ports.turn.later(() => {
      if (this.stopped) this.rest()
      else run()
    })
  }
}
