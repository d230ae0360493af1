import { assert } from '../../base/assert.ts'
import type { LogIndex } from '../../base/brand.ts'
import { compareKeys } from '../../codec/rows/key.ts'
import { type KeyedBytes, unpackRows } from '../../codec/rows/packed-rows.ts'
import type {
  SnapshotInstall,
  SnapshotMeta,
  SnapshotSlice,
  SnapshotStore,
  SnapshotView,
} from '../../node/ports/snapshot-store.ts'
import { PART_ROWS_MAX, partOf, RowCount } from './snapshot-parts.ts'
import type { StorageDone } from '../../node/ports/storage-fault.ts'

/** What a memory store keeps over re-opens: the snapshot that is switched on, and what was staged for the next. */
export class MemorySnapshots {
  readonly rows = new Map<string, Uint8Array>()
  meta: SnapshotMeta | null = null
  /** Number of rows of the whole snapshot, as `commit` was told. */
  total = 0
  /** How often an install has replaced it. */
  installs = 0
  staged: { readonly generation: LogIndex; readonly rows: KeyedBytes[] } | null = null

  /** The process or the machine went down: what was not switched on is gone. */
  crash(): void {
    this.staged = null
  }
}

/**
 * `SnapshotStore` in memory, under the contract of the real one, for tests and the simulator (storage.md §8.1). `schedule`
 * calls back when the disk would be ready: an operation takes effect and completes then, in order, so one whose callback
 * never comes has not happened.
 */
export function memorySnapshotStore(
  snapshots: MemorySnapshots = new MemorySnapshots(),
  schedule: (run: () => void) => void = (run) => run(),
): SnapshotStore {
  snapshots.crash()
  const queue: (() => void)[] = []
  const next = (): void => {
    queue.shift()?.()
    if (queue.length > 0) schedule(next)
  }
  const enqueue = (run: () => void): void => {
    queue.push(run)
    if (queue.length === 1) schedule(next)
  }
  return {
    load: (onRows, done) => enqueue(() => load(snapshots, onRows, done)),
    writeSlice: (generation, slice, done) =>
      enqueue(() => {
        stage(snapshots, generation, slice)
        done(null, null)
      }),
    commit: (generation, { meta, total }, done) =>
      enqueue(() => {
        switchOn(snapshots, generation, meta)
        snapshots.total = total
        done(null, null)
      }),
    dropStaged: (done) =>
      enqueue(() => {
        snapshots.staged = null
        done(null, null)
      }),
    view: (done) => enqueue(() => done(null, viewOf(snapshots, enqueue))),
    install: (snapshot, done) => enqueue(() => done(null, installInto(snapshots, snapshot, enqueue))),
    close: (done) => enqueue(done),
  }
}

/** Runs when the disk would be ready. */
type Enqueue = (run: () => void) => void

function viewOf(snapshots: MemorySnapshots, enqueue: Enqueue): SnapshotView | null {
  const { meta, total, installs } = snapshots
  if (meta === null) return null
  const rows = sortedRows(snapshots)
  let closed = false
  return {
    meta,
    total,
    read: (after, bytesMax, done) =>
      enqueue(() => {
        // An install has replaced what this is a view of: a disk's would be closed.
        if (closed || snapshots.installs !== installs) {
          done(null, null)
          return
        }
        done(null, partOf(fitting(rows, after, bytesMax)))
      }),
    close: () => {
      closed = true
    },
  }
}

function fitting(rows: readonly KeyedBytes[], after: string | null, bytesMax: number): readonly KeyedBytes[] {
  const first = after === null ? 0 : rows.findIndex(({ key }) => compareKeys(key, after) > 0)
  const fit: KeyedBytes[] = []
  let bytes = 0
  for (const row of first < 0 ? [] : rows.slice(first, first + PART_ROWS_MAX)) {
    fit.push(row)
    bytes += row.key.length + (row.value?.length ?? 0)
    if (bytes >= bytesMax) break
  }
  return fit
}

function installInto(
  snapshots: MemorySnapshots,
  { meta, total }: { meta: SnapshotMeta; total: number },
  enqueue: Enqueue,
): SnapshotInstall {
  const count = new RowCount()
  const rows: KeyedBytes[] = []
  return {
    write: (slice, done) =>
      enqueue(() => {
        count.add(slice)
        for (const { key, value } of unpackRows(slice.bytes)) {
          rows.push({ key, value: value === null ? null : new Uint8Array(value) })
        }
        done(null, null)
      }),
    finish: (done) =>
      enqueue(() => {
        const whole = count.rising && count.count === total
        if (whole) {
          snapshots.rows.clear()
          for (const { key, value } of rows) if (value !== null) snapshots.rows.set(key, value)
          snapshots.meta = meta
          snapshots.total = total
          snapshots.staged = null
          snapshots.installs += 1
        }
        done(null, whole)
      }),
    abandon: (done) => enqueue(done),
  }
}

/** Rows that `load` hands over at a time. */
const LOAD_ROWS = 500

function load(
  snapshots: MemorySnapshots,
  onRows: Parameters<SnapshotStore['load']>[0],
  done: StorageDone<SnapshotMeta | null>,
): void {
  const rows = sortedRows(snapshots)
  const { total } = snapshots
  assert(rows.length === total, 'a snapshot has as many rows as were said', { rows: rows.length, total })
  for (let start = 0; start < rows.length; start += LOAD_ROWS) onRows(rows.slice(start, start + LOAD_ROWS))
  done(null, snapshots.meta)
}

function sortedRows(snapshots: MemorySnapshots): { readonly key: string; readonly value: Uint8Array }[] {
  const rows = [...snapshots.rows].map(([key, value]) => ({ key, value: new Uint8Array(value) }))
  return rows.sort((a, b) => compareKeys(a.key, b.key))
}

function stage(snapshots: MemorySnapshots, generation: LogIndex, slice: SnapshotSlice): void {
  const newest = snapshots.meta?.lastIncludedIndex ?? 0
  assert(generation > newest, 'a generation is above the snapshot that is switched on', { generation, newest })
  if (snapshots.staged?.generation !== generation) snapshots.staged = { generation, rows: [] }
  for (const { key, value } of unpackRows(slice.bytes)) {
    snapshots.staged.rows.push({ key, value: value === null ? null : new Uint8Array(value) })
  }
}

function switchOn(snapshots: MemorySnapshots, generation: LogIndex, meta: SnapshotMeta): void {
  assert(meta.lastIncludedIndex === generation, 'a generation is named by its boundary', { generation })
  const staged = snapshots.staged?.generation === generation ? snapshots.staged.rows : []
  for (const row of staged) {
    if (row.value === null) snapshots.rows.delete(row.key)
    else snapshots.rows.set(row.key, row.value)
  }
  snapshots.meta = meta
  snapshots.staged = null
}
