import type { BuildMachine } from './peer-transport.ts'
import type { StorageDone, StorageFault } from './storage-fault.ts'

/** The running hash of the state (16 hex digits) once the entry at `index` was applied. */
export interface AppliedRecord {
  readonly index: number
  readonly hash: string
}

/**
 * What this node's machines made of the log, as this process and those before it have noted: a witness of replays, and no
 * promise to anybody. So a record is written and not synced: what a power loss takes are the newest records, then less of a
 * replay is compared, and nothing that was acknowledged depends on it.
 */
export interface AppliedTrail {
  /** Of earlier processes, by rising index. */
  readonly recorded: readonly AppliedRecord[]
  /** The machines of the process that wrote them. */
  readonly recordedBy: readonly BuildMachine[]
  /** Notes a record above all others. The first one begins the trail anew, as this process's, with what was recorded. */
  append(record: AppliedRecord): void
  /** Records up to this index are no longer wanted: a snapshot covers them. */
  discardUpTo(index: number): void
  /** Records above this index are wrong. */
  discardAbove(index: number): void
  /** Waits for what is being written. */
  close(done: () => void): void
}

/** Opens the trail of one group; `onFault` hears of a write that failed, once. */
export type OpenAppliedTrail = (onFault: (fault: StorageFault) => void, done: StorageDone<AppliedTrail | null>) => void
