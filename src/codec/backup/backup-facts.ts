/** What a backup says of itself in its first block: JSON. Numbers are those of the log; payloads are base64. */
export interface BackupFacts {
  /** Version of the layout; a build refuses a higher one. */
  readonly format: number
  /** Unix ms, by the clock of the node. */
  readonly createdMs: number
  /** The node that it was read from. */
  readonly node: string
  readonly clusterId: string
  readonly group: number
  /** Life of the cluster as of the last entry; 1 for the first. */
  readonly incarnation: number
  /** Machines ran as in development there, and must where it is restored. */
  readonly development: boolean
  /** Version of the package that wrote it; '': not known. */
  readonly holdfast: string
  /** What the state rows are as of; null: the log has everything from entry 1 on. */
  readonly snapshot: BackupSnapshot | null
  /** Number of state rows; 0 without a snapshot. */
  readonly rows: number
  /** Entries [first, last] of the log that it holds; null: none. */
  readonly log: { readonly first: number; readonly last: number } | null
  /** The entry that a restore ends with, unless it is told another one. */
  readonly end: BackupEnd
  /** Active version of each machine at the end. */
  readonly machines: { readonly [machine: string]: number }
  /** Replicated limits at the end. */
  readonly limits: { readonly [name: string]: unknown }
  /** Payload of the newest Configuration up to the end. */
  readonly configuration: string
}

/** Everything that a snapshot says besides its rows, as a node keeps it. */
export interface BackupSnapshot {
  readonly lastIncludedIndex: number
  readonly lastIncludedTerm: number
  readonly chain: number
  readonly lease: number
  readonly now: number
  readonly stateHash: string
  readonly rowCount: number
  readonly digest: number
}

/** The last entry of a backup, which was applied: committed. */
export interface BackupEnd {
  readonly index: number
  readonly term: number
  /** Chain value of the log there: equal in two backups, and all entries up to it are. */
  readonly chain: number
  /** Leader time and wall clock of the entry, ms. */
  readonly lease: number
  readonly now: number
  /** Running hash of the state, 16 hex digits; '': of a stopped node, which has not applied its log. */
  readonly stateHash: string
}

/** The last block: what must have come before it. */
export interface BackupTotals {
  /** Blocks before this one. */
  readonly blocks: number
  /** Bytes before this one. */
  readonly bytes: number
  readonly rows: number
  readonly entries: number
  /** Over all blocks before this one, 64 hex digits. */
  readonly digest: string
}

/** Version of the layout that this build writes, and reads up to. */
export const BACKUP_FORMAT = 1
