import type { LogIndex, Millis, Term } from '../../base/brand.ts'
import type { ConfigurationEntry } from '../../raft/types.ts'
import type { StorageDone } from './storage-fault.ts'

/** Everything that a snapshot says besides its rows (storage.md §4). JSON-able. */
export interface SnapshotMeta {
  readonly lastIncludedIndex: LogIndex
  readonly lastIncludedTerm: Term
  /** Chain value of the log at lastIncludedIndex. */
  readonly chain: number
  readonly lease: Millis
  readonly now: Millis
  /** Last committed configuration at that index and where it stands; its payload bytes as base64. */
  readonly configuration: ConfigurationEntry
  readonly configurationPayload: string
  /** Running hash of the state machine at that index, 16 hex digits. */
  readonly stateHash: string
  /** Of that configuration: which life of the cluster this is, 1 for the first. */
  readonly incarnation: number
  /** Active version of each machine, for people: its rows say the same, and this is not read. */
  readonly machineVersions: { readonly [machine: string]: number }
  readonly rowCount: number
  /** CRC-32 chain over the dirty rows of this boundary in key order. */
  readonly digest: number
}

/** Dirty rows in key order, packed once (codec/rows/packed-rows.ts). */
export interface SnapshotSlice {
  readonly rows: number
  readonly bytes: Uint8Array
}

/** Rows of a view in key order, from above a key on: as many as fit the bytes asked for, at least one; none: the end. */
export interface SnapshotPart extends SnapshotSlice {
  /** Key of the last of them, as the next part's `after`; null where there is none. */
  readonly lastKey: string | null
}

/** A snapshot as it was when it was asked for, whatever is written since; until it is closed, by either side. */
export interface SnapshotView {
  readonly meta: SnapshotMeta
  /** Number of its rows. */
  readonly total: number
  /** The rows above `after` (null: from the first), about `bytesMax` of them; null: the store has closed the view. */
  read(after: string | null, bytesMax: number, done: StorageDone<SnapshotPart | null>): void
  close(): void
}

/** A snapshot from a peer that grows beside the current one, of which nothing is seen before `finish`. */
export interface SnapshotInstall {
  /** The next rows in key order, without deletions; on disk once `done` is called. One call outstanding at a time. */
  write(slice: SnapshotSlice, done: StorageDone<null>): void
  /**
   * Switches to it, if it has as many rows as were said: true once it is durable, and the store's in place of the one before,
   * whose views are closed and whose staged generations are gone. False: they do not make it up, and nothing has changed.
   */
  finish(done: StorageDone<boolean>): void
  /** Gives up what was written of it. */
  abandon(done: () => void): void
}

/** The snapshot of one group in LevelDB: rows by key, switched on atomically per generation. */
export interface SnapshotStore {
  /** The newest snapshot that was switched on, or null. Rows arrive in slices through `onRows`, in key order. */
  load(
    onRows: (rows: readonly { key: string; value: Uint8Array }[]) => void,
    done: StorageDone<SnapshotMeta | null>,
  ): void
  /** Writes a slice of the generation named by its boundary index, synced. One slice outstanding at a time. */
  writeSlice(generation: LogIndex, slice: SnapshotSlice, done: StorageDone<null>): void
  /**
   * Switches the generation on, atomically and synced; older rows it replaces are then gone. `total` is the number of rows
   * of the whole snapshot: a load that finds another number is refused.
   */
  commit(generation: LogIndex, snapshot: { meta: SnapshotMeta; total: number }, done: StorageDone<null>): void
  /** Gives up what was staged for a generation that is not switched on. */
  dropStaged(done: StorageDone<null>): void
  /** The newest snapshot that is switched on, for whoever reads it slowly; null: there is none. */
  view(done: StorageDone<SnapshotView | null>): void
  /** Begins one from a peer, above the newest; one at a time. It is written to when it was begun. */
  install(snapshot: { meta: SnapshotMeta; total: number }, done: StorageDone<SnapshotInstall | null>): void
  close(done: () => void): void
}
