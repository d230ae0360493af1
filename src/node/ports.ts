import type { GroupId, LogIndex, Millis, NodeId, Term, WriteNumber } from '../base/brand.ts'
import type { ConfigurationEntry, HardState, TermRun } from '../raft/types.ts'

/**
 * The ports of the driver (architecture.md §2). No promise anywhere: completions are callbacks, which the driver turns
 * into events of its one queue, so that the simulator runs the same code.
 */

/** Monotonic and wall time, and one-shot timers. The simulator's is virtual. */
export interface Clock {
  /** Monotonic milliseconds, may have a fraction, never decreases. */
  monotonicMs(): number
  /** Wall clock, integer ms since the Unix epoch; may jump. */
  wallMs(): Millis
  /** Calls back once after `delayMs` ≥ 0. */
  setTimer(delayMs: number, callback: () => void): Timer
  /** Calls back soon, after the events that are already there (one batch per event-loop turn). */
  defer(callback: () => void): void
}

export interface Timer {
  cancel(): void
}

/** Why a store could not do what it was asked. All of them are faults: the node stops (style.md §21). */
export interface StorageFault {
  readonly code:
    | 'IO_ERROR'
    | 'DISK_FULL'
    | 'LOG_ROT'
    | 'SNAPSHOT_ROT'
    | 'LOCKED'
    | 'WRONG_NODE'
    | 'WRONG_CLUSTER'
    | 'NEWER_FORMAT'
    | 'UNWRITABLE'
  /** What happened and what to do next. */
  readonly message: string
}

export type StorageDone<Value> = (fault: StorageFault | null, value: Value) => void

/** One numbered write: at most one hard state, one truncation, then records (storage.md §2). */
export interface LogWrite {
  readonly write: WriteNumber
  /** Always the current one: every frame repeats term and vote. */
  readonly hardState: HardState
  /** Drop all entries at and above this index first; null: none. */
  readonly truncateFrom: LogIndex | null
  /** Concatenated entry records, encoded once (codec/entry.ts); empty for a write of hard state alone. */
  readonly records: Uint8Array
  /** Index of the first record and how many there are; 0 when empty. */
  readonly firstIndex: LogIndex
  readonly count: number
}

/** What a log held when it was opened. */
export interface RecoveredLog {
  readonly hardState: HardState
  /** First and last index held; last = first − 1 when empty. */
  readonly firstIndex: LogIndex
  readonly lastIndex: LogIndex
  /** Term of the entry before the first, which may be gone; 0 when the first is entry 1. */
  readonly baseTerm: Term
  /** Runs of all entries held. */
  readonly runs: readonly TermRun[]
  readonly configurations: readonly ConfigurationEntry[]
  /** Header clocks and chain value of the last entry held, or of the snapshot below an empty log. */
  readonly lastLease: Millis
  readonly lastNow: Millis
  readonly lastChain: number
  /** Newest write number of the directory; the next process goes on from it. */
  readonly lastWrite: WriteNumber
  /** Bytes cut from a torn tail; 0 for a clean one. */
  readonly tornBytes: number
}

/** The write-ahead log of one group. One outstanding disk write; what queued meanwhile is the next (group commit). */
export interface LogStore {
  /**
   * Queues a write; `onPersisted(write)` follows when it and all before are on disk, several writes at once where they
   * shared an fdatasync. A failing write or sync calls `onFault`, once, and nothing after it.
   */
  append(write: LogWrite): void
  /** Chain value of the entry at this index, which the log (or the snapshot boundary below it) holds. Synchronous. */
  chainAt(index: LogIndex): number
  /**
   * Record bytes of [first, last] in order, or of a shorter prefix of it once `maxBytes` are exceeded (at least one entry).
   * Served from the tail cache or, with their checksums verified, from segments. Calls back at once when cached.
   * `last` in the answer says where the bytes end. Entries that were truncated meanwhile: an empty answer.
   */
  read(range: { first: LogIndex; last: LogIndex; maxBytes: number }, done: StorageDone<ReadRecords>): void
  /** Entries up to this index are no longer needed; whole segments below it may go. */
  discardUpTo(index: LogIndex): void
  /** Age in ms of the oldest write that has not completed, 0 when none: the stall watchdog's figure. */
  oldestWriteAgeMs(): number
  readonly stats: LogStats
  /** Waits for outstanding writes, then closes. */
  close(done: () => void): void
}

export interface ReadRecords {
  readonly records: Uint8Array
  readonly first: LogIndex
  readonly last: LogIndex
}

export interface LogStats {
  writes: number
  syncs: number
  bytes: number
  /** Milliseconds of recent fdatasync calls: p50 and p99. */
  syncP50Ms(): number
  syncP99Ms(): number
}

export interface LogListener {
  onPersisted(write: WriteNumber): void
  onFault(fault: StorageFault): void
}

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
  /** Record bytes counted since the boundary: 0 at a boundary. */
  readonly incarnation: number
  readonly machineVersions: { readonly [machine: string]: number }
  readonly rowCount: number
  /** CRC-32 chain over the dirty rows of this boundary in key order. */
  readonly digest: number
}

/** Dirty rows in key order, packed once (codec/packed-rows.ts). */
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

/** Envelope of every peer frame: verified at each end before anything else (raft.md §1). */
export interface PeerEnvelope {
  readonly clusterId: string
  readonly group: GroupId
  readonly sender: NodeId
  readonly recipient: NodeId
  /** Random id of the sender's data directory; the recipient's as the sender knows it, or "" when it does not. */
  readonly senderInstance: string
  readonly recipientInstance: string
}

/** What travels in a peer frame: a Raft message with the records its runs name, or the bootstrap handshake. */
export type PeerBody =
  | {
      readonly kind: 'raft'
      readonly message: import('../raft/types.ts').Message
      readonly records: Uint8Array
      /** Sender's wall clock, for `now`'s median (sessions.md §1). */
      readonly wallMs: Millis
    }
  | { readonly kind: 'hello'; readonly hasConfiguration: boolean; readonly reply: boolean }

export interface PeerFrame extends PeerEnvelope {
  readonly body: PeerBody
}

/** Moves frames between nodes, at most once, in order per connection; may lose and, over reconnects, delay them. */
export interface PeerTransport {
  /** Best effort: dropped when there is no connection or its window is full. */
  send(frame: PeerFrame): void
  /** Bytes queued towards that peer but not yet taken by its connection: back-pressure for catch-up. */
  queuedBytes(to: NodeId): number
  close(done: () => void): void
}

export interface PeerListener {
  onFrame(frame: PeerFrame): void
  /** The connection was reset or refused: evidence that the peer's process is gone (raft.md §4). */
  onUnreachable(peer: NodeId): void
}
