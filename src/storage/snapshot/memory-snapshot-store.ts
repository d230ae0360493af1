import { assert } from '../../base/assert.ts'
import type { LogIndex } from '../../base/brand.ts'
import { compareKeys } from '../../codec/rows/key.ts'
import { type KeyedBytes, unpackRows } from '../../codec/rows/packed-rows.ts'
import type { SnapshotMeta, SnapshotSlice, SnapshotStore } from '../../node/ports/snapshot-store.ts'
import type { StorageDone } from '../../node/ports/storage-fault.ts'

/** What a memory store keeps over re-opens: the snapshot that is switched on, and what was staged for the next. */
export class MemorySnapshots {
  readonly rows = new Map<string, Uint8Array>()
  meta: SnapshotMeta | null = null
  /** Number of rows of the whole snapshot, as `commit` was told. */
  total = 0
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
    close: (done) => enqueue(done),
  }
}

/** Rows that `load` hands over at a time. */
const LOAD_ROWS = 500

function load(
  snapshots: MemorySnapshots,
  onRows: Parameters<SnapshotStore['load']>[0],
  done: StorageDone<SnapshotMeta | null>,
): void {
  const rows = [...snapshots.rows].map(([key, value]) => ({ key, value: new Uint8Array(value) }))
  rows.sort((a, b) => compareKeys(a.key, b.key))
  const { total } = snapshots
  assert(rows.length === total, 'a snapshot has as many rows as were said', { rows: rows.length, total })
  for (let start = 0; start < rows.length; start += LOAD_ROWS) onRows(rows.slice(start, start + LOAD_ROWS))
  done(null, snapshots.meta)
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
