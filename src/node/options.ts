import type { GroupId, NodeId } from '../base/brand.ts'
import type { Limits } from '../codec/entry/payload.ts'
import type { SessionCodec } from '../codec/session-codec.ts'
import type { RaftState } from '../raft/index.ts'
import type { LeaseTerms, RaftConfig } from '../raft/types.ts'
import type { ApplyHalt } from '../session/run/halt.ts'
import type { StateMachine } from '../session/state-machine.ts'
import type { WriteTrace } from '../trace/line.ts'
import type { MachineReports } from './apply/machine-reports.ts'
import type { AppliedTrail } from './ports/applied-trail.ts'
import type { Clock } from './ports/clock.ts'
import type { DiskRoom } from './ports/disk-room.ts'
import type { LogStore, RecoveredLog } from './ports/log-store.ts'
import type { Build, PeerTransport } from './ports/peer-transport.ts'
import type { SnapshotMeta, SnapshotStore } from './ports/snapshot-store.ts'

/** Raft's own numbers (raft.md §4); `self` comes from the identity. */
export const DEFAULT_RAFT: Omit<RaftConfig, 'self'> = {
  heartbeatMs: 50,
  electionTimeoutMinMs: 300,
  electionTimeoutMaxMs: 600,
  preVote: true,
  checkQuorum: true,
  inFlightMessagesMax: 8,
  inFlightBytesMax: 16 * 1024 * 1024,
  appendEntriesMax: 8192,
  uncommittedBytesMax: 64 * 1024 * 1024,
  commitNewsMs: 10,
}

/**
 * Record bytes in one AppendEntries: more than the largest command (`commandBytesMax`, 1 MiB), less than a peer frame
 * holds (`MESSAGE_BYTES_MAX`, 20 MiB). A larger entry, of at most 16 MiB, goes alone (architecture.md §8).
 */
export const APPEND_MESSAGE_BYTES_MAX = 2 * 1024 * 1024
/** Entries in one log write and one `propose`. */
export const PROPOSE_COUNT_MAX = 8192
/** Payload bytes in one log write: a frame of 4 MiB is 1,024 pages, their checksums fit 16 sectors. */
export const PROPOSE_BYTES_MAX = 4 * 1024 * 1024
/** Committed entries not yet applied beyond which a leader refuses commands. */
export const APPLY_BEHIND_MAX = 200_000

export interface Identity {
  readonly clusterId: string
  readonly group: GroupId
  readonly id: NodeId
  /** Random id of the data directory, 32 hex digits. */
  readonly instance: string
}

/**
 * The state of this node was set aside, and what is known of it: its log is intact and goes on behind it. The node votes and
 * replicates, and applies nothing before a snapshot of the others is here.
 */
export interface AwaitedState {
  /** The snapshot that was set aside. */
  readonly meta: SnapshotMeta
  /**
   * More than half of the other voters must have the state that takes its place, for it was set aside because it differs from
   * theirs; a state that was damaged says nothing against any of them.
   */
  readonly agreed: boolean
  /** A snapshot is here, and durable. */
  arrived(): void
}

/** Everything a driver is built from, opened and loaded. */
export interface DriverOptions {
  readonly identity: Identity
  /** The voters that a new cluster's nodes are started with, this node among them; used until the log holds a Configuration. */
  readonly initialVoters: readonly { readonly id: NodeId; readonly address: string }[]
  readonly raft: Omit<RaftConfig, 'self'>
  /** Entry 2 of a new cluster. */
  readonly limits: Limits
  /** Leases that a leader of this process puts in force; null: it ends them. Default: what the log says stays. */
  readonly leases?: LeaseTerms | null | undefined
  readonly clock: Clock
  readonly codec: SessionCodec
  readonly machine: StateMachine
  /** What the machine reports, taken from before the first entry on. */
  readonly reports: MachineReports
  /** What this process is built of, for its peers. */
  readonly build: Build
  readonly log: LogStore
  readonly recovered: RecoveredLog
  readonly snapshots: SnapshotStore
  /** Default: there is always room. */
  readonly room?: DiskRoom | undefined
  /** What earlier processes of this node made of the log. */
  readonly trail: AppliedTrail
  readonly snapshot: SnapshotMeta | null
  /** The state of `snapshot` is not here: one of the others is to take its place. Null or absent: it is. */
  readonly awaited?: AwaitedState | null | undefined
  /** The machine must not go on from that snapshot: this node applies and answers nothing from the start. */
  readonly halt: ApplyHalt | null
  readonly transport: PeerTransport
  /** Most record bytes in one AppendEntries; `APPEND_MESSAGE_BYTES_MAX`. */
  readonly messageBytesMax: number
  /** Seed of election timeouts. */
  readonly seed: number
  /** Called with every two states of the core; throws when an invariant is broken (raft/check.ts). */
  readonly check?: (previous: RaftState, next: RaftState) => void
  /** Is given a line for each step of the core, before anything of it leaves; absent: nothing is written down. */
  readonly trace?: WriteTrace | undefined
}
