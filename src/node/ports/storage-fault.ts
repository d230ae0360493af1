/** Why a store could not do what it was asked. All of them are faults: the node stops (architecture.md §9.3). */
export interface StorageFault {
  readonly code:
    | 'IO_ERROR'
    | 'DISK_FULL'
    | 'LOG_ROT'
    | 'SNAPSHOT_ROT'
    | 'LOCKED'
    | 'WRONG_NODE'
    | 'WRONG_CLUSTER'
    | 'WRONG_MODE'
    | 'NEWER_FORMAT'
    | 'UNWRITABLE'
  /** What happened and what to do next. */
  readonly message: string
}

export type StorageDone<Value> = (fault: StorageFault | null, value: Value) => void
