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
  close(done: () => void): void
}
