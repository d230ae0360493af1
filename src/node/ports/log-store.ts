import type { LogIndex, Millis, Term, WriteNumber } from '../../base/brand.ts'
import type { TermRun } from '../../base/term-run.ts'
import type { ConfigurationPayload } from '../../codec/entry/payload.ts'
import type { HardState, Obligation } from '../../raft/types.ts'
import type { StorageDone, StorageFault } from './storage-fault.ts'

/** One numbered write: at most one hard state, one truncation, then records (storage.md §2). */
export interface LogWrite {
  readonly write: WriteNumber
  /** Always the current one: every frame repeats term and vote. */
  readonly hardState: HardState
  /** Drop all entries at and above this index first; null: none. */
  readonly truncateFrom: LogIndex | null
  /** Concatenated entry records, encoded once (codec/entry/); empty for a write of hard state alone. */
  readonly records: Uint8Array
  /** Index of the first record and how many there are; 0 when empty. */
  readonly firstIndex: LogIndex
  readonly count: number
}

/** A Configuration entry as it stands in the log. */
export interface KnownConfiguration {
  readonly index: LogIndex
  readonly payload: ConfigurationPayload
  /** Its payload as it is in the entry. */
  readonly bytes: Uint8Array
}

/** A SkipEntry as it stands in the log. */
export interface FoundSkip {
  readonly index: LogIndex
  readonly payload: Uint8Array
}

/** One numbered write that gives up all entries for an installed snapshot, which holds them durably. */
export interface LogRestart {
  readonly write: WriteNumber
  readonly hardState: HardState
  /** Last entry of the snapshot, which the log goes on behind: chain value as of the record there. */
  readonly base: { readonly index: LogIndex; readonly term: Term; readonly chain: number }
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
  /** Of all entries held, with the bytes of their payloads. */
  readonly configurations: readonly KnownConfiguration[]
  /** SkipEntry entries among all that are held; absent: there are none. */
  readonly skips?: readonly FoundSkip[]
  /** Header clocks and chain value of the last entry held, or of the snapshot below an empty log. */
  readonly lastLease: Millis
  readonly lastNow: Millis
  readonly lastChain: number
  /** Newest write number of the directory; the next process goes on from it. */
  readonly lastWrite: WriteNumber
  /** Bytes cut from a torn tail; 0 for a clean one. */
  readonly tornBytes: number
  /** What this node owes since damage of its log was cut off (storage.md §3); null: nothing. */
  readonly obligation: Obligation | null
}

/**
 * The write-ahead log of one group (architecture.md §4). One outstanding disk write; what queued meanwhile is the next one
 * (group commit).
 */
export interface LogStore {
  /**
   * Queues a write; `onPersisted(write)` follows when it and all before are on disk, several writes at once where they
   * shared an fdatasync. A failing write or sync calls `onFault`, once, and nothing after it.
   */
  append(write: LogWrite): void
  /**
   * Queues a restart as a write of its own: at once no entry is held, and the next one is base.index + 1. Whenever the process
   * dies, the next open finds the log before it, which does not hold the snapshot's last entry, or this one.
   */
  restart(write: LogRestart): void
  /** Lowest index held, lower ones were discarded; last + 1 when it holds none. Rises only. */
  readonly firstIndex: LogIndex
  /**
   * Chain value of the entry at this index; null where memory does not have it, which has those of the first entries' and the
   * last one's ends and of the cached tail.
   */
  chainAt(index: LogIndex): number | null
  /**
   * Record bytes of [first, last] in order, or of a shorter prefix of it once `maxBytes` are exceeded (at least one entry).
   * Served from the tail cache or, with their checksums verified, from segments. Calls back at once when cached.
   * `last` in the answer says where the bytes end. Entries that were truncated meanwhile: an empty answer.
   */
  read(range: { first: LogIndex; last: LogIndex; maxBytes: number }, done: StorageDone<ReadRecords>): void
  /** The log reaches what was owed: the note of it is taken back. */
  obligationMet(): void
  /** Entries up to this index are no longer needed; whole segments below it may go. */
  discardUpTo(index: LogIndex): void
  /** Bytes of the files that would be left if entries up to this index went, what is prepared and not written yet among it. */
  diskBytesAbove(index: LogIndex): number
  /** A snapshot comes every so many record bytes: segments that come from now on are made small against that. */
  snapshotsEvery(recordBytes: number): void
  /** Age in ms of the oldest write that has not completed, 0 when none: the stall watchdog's figure. */
  oldestWriteAgeMs(): number
  /** What that write waits for. */
  oldestWriteStage(): WriteStage
  readonly stats: LogStats
  /** Waits for outstanding writes, then closes. */
  close(done: () => void): void
}

/** What a log write waits for: its turn, or a segment that is made; the write itself; its `fdatasync`. */
export type WriteStage = 'queue' | 'write' | 'fsync'

export interface ReadRecords {
  readonly records: Uint8Array
  readonly first: LogIndex
  readonly last: LogIndex
}

export interface LogStats {
  writes: number
  syncs: number
  /** Of all frames of this process, headers and padding among them. */
  bytes: number
  /** Milliseconds of recent fdatasync calls: p50 and p99. */
  syncP50Ms(): number
  syncP99Ms(): number
}

export interface LogListener {
  onPersisted(write: WriteNumber): void
  onFault(fault: StorageFault): void
  /**
   * The next segment could not be made ahead for want of room, a sentence; null: now it is. The log goes on while the segment
   * that it has lasts, and tries again by itself. Told on a change alone.
   */
  onRoom?(short: string | null): void
}
