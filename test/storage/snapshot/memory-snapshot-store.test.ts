import { expect, test } from 'vitest'
import { logIndex } from '../../../src/base/brand.ts'
import { MemorySnapshots, memorySnapshotStore } from '../../../src/storage/snapshot/memory-snapshot-store.ts'
import { commit, load, meta, row, sliceOf, snapshotContract, write } from './snapshot-contract.ts'

snapshotContract('memory', () => {
  const snapshots = new MemorySnapshots()
  return {
    open: async () => memorySnapshotStore(snapshots, (run) => queueMicrotask(run)),
    dispose: async () => undefined,
  }
})

snapshotContract('memory, completing at once', () => {
  const snapshots = new MemorySnapshots()
  return { open: async () => memorySnapshotStore(snapshots), dispose: async () => undefined }
})

test('an operation whose completion never comes has not happened, and a crash loses what was staged', async () => {
  const snapshots = new MemorySnapshots()
  const store = memorySnapshotStore(snapshots)
  await write(store, 10, [row('a', '1')])
  await commit(store, 10, 1)
  const ready: (() => void)[] = []
  const slow = memorySnapshotStore(snapshots, (run) => ready.push(run))
  slow.writeSlice(logIndex(20), sliceOf([row('a', '2')]), () => undefined)
  slow.commit(logIndex(20), { meta: meta(20), total: 1 }, () => undefined)
  ready.shift()?.()
  snapshots.crash()
  expect(await load(memorySnapshotStore(snapshots))).toEqual({ index: 10, rows: [['a', '1']] })
})
