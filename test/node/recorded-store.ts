import { logIndex } from '../../src/base/brand.ts'
import { type KeyedBytes, unpackRows } from '../../src/codec/rows/packed-rows.ts'
import type { SnapshotMeta, SnapshotSlice, SnapshotStore } from '../../src/node/ports/snapshot-store.ts'
import type { StorageDone, StorageFault } from '../../src/node/ports/storage-fault.ts'

/** A snapshot store whose operations wait until the test completes them. */
export class RecordedStore implements SnapshotStore {
  readonly operations: {
    readonly what: string
    readonly rows: readonly KeyedBytes[]
    readonly done: (fault: StorageFault | null) => void
  }[] = []
  readonly metas: SnapshotMeta[] = []
  readonly totals: number[] = []

  load(_onRows: unknown, done: StorageDone<SnapshotMeta | null>): void {
    done(null, null)
  }

  writeSlice(generation: number, slice: SnapshotSlice, done: StorageDone<null>): void {
    const rows = unpackRows(slice.bytes)
    this.operations.push({ what: `slice ${generation}`, rows, done: (fault) => done(fault, null) })
  }

  commit(generation: number, snapshot: { meta: SnapshotMeta; total: number }, done: StorageDone<null>): void {
    this.metas.push(snapshot.meta)
    this.totals.push(snapshot.total)
    this.operations.push({ what: `commit ${generation}`, rows: [], done: (fault) => done(fault, null) })
  }

  dropStaged(done: StorageDone<null>): void {
    done(null, null)
  }

  view(done: StorageDone<null>): void {
    done(null, null)
  }

  install(_snapshot: unknown, done: StorageDone<null>): void {
    done(null, null)
  }

  close(done: () => void): void {
    done()
  }

  /** Completes the oldest operation, well or with a fault, and says which it was. */
  complete(fault: StorageFault | null = null): string {
    const operation = this.operations.shift()
    if (operation === undefined) return 'none'
    operation.done(fault)
    return operation.what
  }
}

export const boundaryAt = (index: number) => ({
  lastIncludedIndex: logIndex(index),
  lastIncludedTerm: 1 as SnapshotMeta['lastIncludedTerm'],
  chain: 1,
  lease: 0,
  now: 0,
  configuration: { index: logIndex(1), configuration: { voters: [], learners: [], outgoing: [], promoting: [] } },
  configurationPayload: '',
  stateHash: '',
  incarnation: 1,
  machineVersions: {},
})
