import type { Millis, NodeId } from '../../base/brand.ts'
import type { Value } from '../value/value.ts'

/** How payloads name a session (sessions.md §1, §3, §4): its three numbers, as text `group/incarnation/index`. */
export interface SessionNumbers {
  /** Raft group: uint32. */
  readonly group: number
  /** Incarnation of the cluster in which it was opened: uint32. */
  readonly incarnation: number
  /** Log index of the session's OpenSession entry. */
  readonly index: number
}

/** A node of a configuration. */
export interface Member {
  readonly id: NodeId
  /** host:port of the node's peer and client listener; a hint that may change. */
  readonly address: string
  /** Random id of its data directory, 32 hex digits. */
  readonly instanceId: string
}

/** Entry 1 of every cluster, and later membership changes (raft.md §1). A node id occurs once in each list. */
export interface ConfigurationPayload {
  readonly clusterId: string
  readonly incarnation: number
  readonly voters: readonly Member[]
  readonly learners: readonly Member[]
  /** Voters of the configuration before, while a change is joint; else empty. */
  readonly outgoing: readonly Member[]
  /** Learners that become voters once they have caught up. */
  readonly promoting: readonly NodeId[]
  /** Disks that were members once and never will be again, the newest last: at most `REMOVED_MAX`. */
  readonly removed: readonly RemovedMember[]
  /** Terms of the leases by which leaders may answer reads; absent: no leader does. */
  readonly lease?: LeasePayload
}

/** See `LeaseTerms` (src/raft/configuration.ts). */
export interface LeasePayload {
  readonly ms: Millis
  readonly driftPermille: number
}

export type RemovedMember = Pick<Member, 'id' | 'instanceId'>

/** Replicated limits (sessions.md §9): every limit that apply enforces, with its number. */
export interface Limits {
  /** Requests a session may have between its floor and its highest id. Default 1,024. */
  readonly windowRequests: number
  /** Cached responses per session. Default 1,024. */
  readonly cachedResponsesMax: number
  /** Cached response bytes per session. Default 4 MiB. */
  readonly cachedBytesMax: number
  /** Bytes of a command's input. Default 1 MiB. */
  readonly commandBytesMax: number
  /** Bytes of a response. Default 1 MiB. */
  readonly responseBytesMax: number
  /** Server requests waiting per session. Default 10,000. */
  readonly outboxCountMax: number
  /** Their bytes. Default 16 MiB. */
  readonly outboxBytesMax: number
  /** Open sessions of the group. Default 1,000,000. */
  readonly sessionsMax: number
  /** The timeout that a client asks for is brought within these two. Default 1 s and 24 h. */
  readonly sessionTimeoutMinMs: Millis
  readonly sessionTimeoutMaxMs: Millis
  /** How long a closed session's tombstone stays. Default 10 min. */
  readonly tombstoneMs: Millis
  /** Notifications kept for a principal without a session. Default 256. */
  readonly mailboxMax: number
  /** Tasks leased to one worker session at once. Default 64. */
  readonly taskLeasesMax: number
  /** A task fails that waits for a worker this long, whichever of its attempts. Default 15 min. */
  readonly taskQueueMs: Millis
  /** Closed tasks and dead letters are kept this long. Default 30 d. */
  readonly retentionMs: Millis
  /** First wait for an ack of a server request; doubles. Default 30 s, at most 5 min. */
  readonly ackTimeoutMs: Millis
  readonly ackTimeoutMaxMs: Millis
  /** Attempts at one server request before it is a dead letter. Default 20. */
  readonly attemptsMax: number
  /** Record bytes of log between two snapshot boundaries. Default 64 MiB. */
  readonly snapshotBytes: number
  /** Absent: those that hold where none were ever set (`WAIT_LIMITS`), so that the bytes are as before there were waits. */
  readonly waits?: WaitLimits
}

/** Limits of waits and kept signals (docs/waits.md). */
export interface WaitLimits {
  /** Waiters of one key of a machine. 10,000 where it was never set. */
  readonly waitersPerKeyMax: number
  /** Waiters that one session owns. 1,000 where it was never set. */
  readonly waitersPerSessionMax: number
  /** Kept signals of one key of a machine. 1,000 where it was never set. */
  readonly signalsPerKeyMax: number
  /** How long a signal is kept at most. 24 h where it was never set. */
  readonly signalRetentionMaxMs: Millis
}

/** Entry 2 of a cluster, and every change of its limits by an operator: all of them, each time. */
export interface LimitsPayload extends Limits {
  /**
   * Of a change: the entry that made the limits which it replaces (`LimitsRow.changedAt`; 0: entry 2). If that is no longer so,
   * nothing changes. Absent in entry 2.
   */
  readonly basedOn?: number
}

/** The limits as the state keeps them. */
export interface LimitsRow extends Limits {
  /** Entry that changed them last; absent: they are those of entry 2. */
  readonly changedAt?: number
}

/** Opens a session; its id is the index of this entry. */
export interface OpenSessionPayload {
  /** SHA-256 of the client's secret, 32 bytes. */
  readonly secretHash: Uint8Array
  readonly principal: string
  readonly roles: readonly string[]
  readonly capabilities: { readonly [name: string]: Value }
  readonly name: string
  readonly timeoutMs: Millis
  /** `now` after which this copy may no longer open (sessions.md §4). */
  readonly validUntil: Millis
  /** Ordered sessions refuse a request that skips an id (OUT_OF_ORDER). */
  readonly ordered: boolean
}

/** A client takes a session over on a new connection (sessions.md §4). */
export interface AttachSessionPayload extends SessionNumbers {
  readonly secretHash: Uint8Array
  /** Attach epoch that this attach replaces (compare-and-set); 0 for the first. */
  readonly replaces: number
  /** Repeated by every copy of one attach: 16 bytes. */
  readonly nonce: Uint8Array
}

/** A command of a session; packed binary on disk and wire (client-request.ts), because most entries are one. */
export interface ClientRequestPayload extends SessionNumbers {
  /** Attach epoch of the connection it came by. */
  readonly epoch: number
  readonly requestId: number
  /** Responses below it are no longer needed. */
  readonly lowestPendingRequestId: number
  /** Cumulative ack that rides along; 0: none. */
  readonly ackServerRequests: number
  /** 64-bit hash over machine, command and the client's bytes before parsing. */
  readonly hashHigh: number
  readonly hashLow: number
  /** Machine version under which the leader parsed the command. */
  readonly version: number
  readonly machine: string
  readonly command: string
  /** Canonical encoding of the parsed input. */
  readonly input: Uint8Array
}

/** A cumulative acknowledgement that came without a command. */
export interface ServerRequestAckPayload extends SessionNumbers {
  readonly epoch: number
  /** Acknowledges every server request up to this id. */
  readonly serverRequestId: number
}

/** Sessions whose clients were heard of. */
export interface KeepAlivePayload {
  readonly sessions: readonly SessionNumbers[]
}

/** Sessions whose time is over; one that was renewed at another index than the one named here stays. */
export interface ExpireSessionsPayload {
  readonly sessions: readonly (SessionNumbers & { readonly renewedAtIndex: number })[]
}

/** Ends a session by its client's wish. */
export interface CloseSessionPayload extends SessionNumbers {
  readonly epoch: number
  /** Proof for a close without an attached connection; empty when the epoch stands for it. */
  readonly secretHash: Uint8Array
}

/** Ends a session by an operator's wish, whenever it was renewed last. */
export interface EvictSessionPayload extends SessionNumbers {
  /** Why, in the operator's words, at most `NOTE_CHARS_MAX`; '': not said. */
  readonly note: string
}

/** What an operator wants done with dead letters. */
export interface MoveDeadLettersPayload {
  /** Put back behind what waits for their sessions, or forgotten. */
  readonly move: 'redrive' | 'discard'
  /** Their numbers, each once, at most `LETTERS_PER_ENTRY_MAX`. */
  readonly letters: readonly number[]
}

/**
 * One step of one schedule (docs/concepts/schedules.md): what a proposer has computed of its calendar, or what an operator
 * wants of it. Times are on the `now` clock.
 */
export interface ScheduleStep {
  readonly machine: string
  readonly name: string
  /**
   * `next`: its next occurrence is `times[0]`; without one, `stop` says why, or there are more missed ones to count. `fill`:
   * these are occurrences of its oldest backfill. `owed`: these are occurrences that it owes from before a pause, or so many
   * of them are missed. The others are an operator's; a `backfill` is of [after, upTo), `end` ends the run of number `after`.
   */
  readonly kind: 'next' | 'fill' | 'owed' | 'pause' | 'resume' | 'cancel' | 'backfill' | 'end'
  /** Of the schedule that it was computed of (`ScheduleRow.revision`): a stale one changes nothing. An operator's: 0 is any. */
  readonly revision: number
  /** What it was computed after: where the schedule, or its backfill, had got to. Else 0. */
  readonly after: Millis
  /** All occurrences in (after, upTo] are accounted for by this step. Else 0. */
  readonly upTo: Millis
  /** How many of them are older than the schedule catches up with. */
  readonly missed: number
  /** Rising. */
  readonly times: readonly Millis[]
  /** `next` and `fill`: why none can be computed; '': they are, or are not known yet. */
  readonly stop: '' | ScheduleStop
}

/** Why a schedule has no next occurrence: its proposer cannot read its expression or its zone, or none comes in nine years. */
export type ScheduleStop = 'badCron' | 'unknownZone' | 'never'

/** One machine in an AdvanceVersion entry. */
export interface MachineAdvance {
  readonly machine: string
  readonly to: number
  readonly schema: string
}

/** Payloads that are msgpack values; ClientRequest is packed binary, Noop, Tick and Snapshot are empty. */
export interface PayloadByKind {
  readonly Configuration: ConfigurationPayload
  readonly Limits: LimitsPayload
  readonly OpenSession: OpenSessionPayload
  readonly AttachSession: AttachSessionPayload
  readonly ServerRequestAck: ServerRequestAckPayload
  readonly KeepAlive: KeepAlivePayload
  readonly ExpireSessions: ExpireSessionsPayload
  readonly CloseSession: CloseSessionPayload
  /** Sessions whose due server requests are to be sent again. */
  readonly RetryServerRequests: { readonly sessions: readonly SessionNumbers[] }
  /** From here on each of these machines runs at version `to`; `schema` is that version's (machine-identity.md), or ''. */
  readonly AdvanceVersion: { readonly machines: readonly MachineAdvance[] }
  /** Part of the entry at `index` is to be skipped on every replica; applied as a no-op today (sessions.md §10). */
  readonly SkipEntry: { readonly index: number; readonly part: string }
  readonly EvictSession: EvictSessionPayload
  readonly MoveDeadLetters: MoveDeadLettersPayload
  readonly ScheduleNext: { readonly steps: readonly ScheduleStep[] }
  /** The keys of this subject are destroyed on every node that applies it: SHA-256 of its name, as `subjectDigest` makes it. */
  readonly ForgetSubject: { readonly subject: Uint8Array }
}
