import { logIndex, type LogIndex } from '../base/brand.ts'
import type { SessionCodec, Value } from '../codec/types.ts'
import type { Clock, SnapshotMeta, SnapshotRow, SnapshotStore, StorageFault } from './ports.ts'

/** Boundaries that may wait to be written before apply must wait (storage.md §4). */
export const BOUNDARIES_PENDING_MAX = 4

/** Rows encoded and written at a time: 256 rows stay far below 10 ms (500 rows of a session's size cost 11 ms). */
export const SLICE_ROWS = 256

/** What the snapshotter knows of a boundary when the dirty map is swapped. */
export type BoundaryMeta = Omit<SnapshotMeta, 'rowCount' | 'digest'>

interface Boundary {
  readonly meta: BoundaryMeta
  readonly dirty: ReadonlyMap<string, Value | undefined>
}

export interface SnapshotterPorts {
  readonly store: SnapshotStore
  readonly codec: Pick<SessionCodec, 'encodeValue'>
  readonly clock: Clock
  /** CRC chain over rows in key order, continued from `seed` (codec). */
  digest(rows: readonly SnapshotRow[], seed: number): number
  /** The snapshot at this index is switched on and durable. */
  written(index: LogIndex): void
  fault(fault: StorageFault): void
}

/**
 * Writes the dirty rows of each boundary, in key order and slices, one boundary after the other, while the loop goes on.
 * Values are immutable, so the map may be encoded long after later entries were applied (storage.md §4).
 */
export class Snapshotter {
  private readonly ports: SnapshotterPorts
  private readonly queue: Boundary[] = []
  private writing = false
  private closed = false
  private idle: (() => void) | null = null

  constructor(ports: SnapshotterPorts) {
    this.ports = ports
  }

  /** Apply waits while this is true. */
  get full(): boolean {
    return this.queue.length >= BOUNDARIES_PENDING_MAX
  }

  add(meta: BoundaryMeta, dirty: ReadonlyMap<string, Value | undefined>): void {
    this.queue.push({ meta, dirty })
    if (!this.writing) this.next()
  }

  /** Stops after the slice in flight; an unfinished generation is dropped at the next open. */
  close(done: () => void): void {
    this.closed = true
    if (this.writing) this.idle = done
    else done()
  }

  private next(): void {
    const boundary = this.queue[0]
    if (boundary === undefined || this.closed) {
      this.writing = false
      this.idle?.()
      return
    }
    this.writing = true
    const keys = [...boundary.dirty.keys()].sort(compareKeys)
    this.slice(boundary, keys, { from: 0, digest: 0 })
  }

  private slice(boundary: Boundary, keys: readonly string[], progress: { from: number; digest: number }): void {
    if (this.closed) {
      this.next()
      return
    }
    const rows = keys.slice(progress.from, progress.from + SLICE_ROWS).map((key): SnapshotRow => {
      const value = boundary.dirty.get(key)
      return { key, value: value === undefined ? null : this.ports.codec.encodeValue(value) }
    })
    if (rows.length === 0) {
      this.commit(boundary, { ...boundary.meta, rowCount: keys.length, digest: progress.digest })
      return
    }
    const digest = this.ports.digest(rows, progress.digest)
    this.ports.store.writeSlice(boundary.meta.lastIncludedIndex, rows, (fault) => {
      if (fault !== null) this.ports.fault(fault)
      else this.ports.clock.defer(() => this.slice(boundary, keys, { from: progress.from + rows.length, digest }))
    })
  }

  private commit(boundary: Boundary, meta: SnapshotMeta): void {
    this.ports.store.commit(meta.lastIncludedIndex, meta, (fault) => {
      if (fault !== null) {
        this.ports.fault(fault)
        return
      }
      this.queue.shift()
      this.ports.written(logIndex(boundary.meta.lastIncludedIndex))
      this.next()
    })
  }
}

/** Byte order: keys are binary strings, one char per byte. */
function compareKeys(left: string, right: string): number {
  return left < right ? -1 : left > right ? 1 : 0
}
