import type { Millis, NodeId } from '../../base/brand.ts'
import type { Value } from '../value/value.ts'

/** Payloads of log entries (sessions.md §1, §3, §4). A session is named by its three numbers, text `group/incarnation/index`. */
export interface SessionNumbers {
  readonly group: number
  readonly incarnation: number
  /** Log index of the session's OpenSession entry. */
  readonly index: number
}

export interface Member {
  readonly id: NodeId
  /** host:port of the node's peer and client listener; a hint that may change. */
  readonly address: string
  /** Random id of its data directory, 32 hex digits. */
  readonly instanceId: string
}

/** Entry 1 of every cluster, and later membership changes. */
export interface ConfigurationPayload {
  readonly clusterId: string
  readonly incarnation: number
  readonly voters: readonly Member[]
  readonly learners: readonly Member[]
}

/** Entry 2: replicated limits (sessions.md §9); every limit that apply enforces, with its number. */
export interface Limits {
  /** Requests a session may have between its floor and its highest id. Default 1,024. */
  readonly windowRequests: number
  readonly cachedResponsesMax: number
  /** Cached response bytes per session. Default 4 MiB. */
  readonly cachedBytesMax: number
  /** Default 1 MiB each. */
  readonly commandBytesMax: number
  readonly responseBytesMax: number
  /** Server requests waiting per session: 10,000 and 16 MiB. */
  readonly outboxCountMax: number
  readonly outboxBytesMax: number
  /** Open sessions of the group. Default 1,000,000. */
  readonly sessionsMax: number
  readonly sessionTimeoutMinMs: Millis
  readonly sessionTimeoutMaxMs: Millis
  /** How long a closed session's tombstone stays. Default 10 min. */
  readonly tombstoneMs: Millis
  /** Notifications kept for a principal without a session. Default 256. */
  readonly mailboxMax: number
  /** Tasks leased to one worker session at once. Default 64. */
  readonly taskLeasesMax: number
  /** A task never leased within this time fails. Default 15 min. */
  readonly taskQueueMs: Millis
  /** Closed tasks and dead letters are kept this long. Default 30 d. */
  readonly retentionMs: Millis
  /** First wait for an ack of a server request; doubles. Default 30 s, at most 5 min. */
  readonly ackTimeoutMs: Millis
  readonly ackTimeoutMaxMs: Millis
  /** Attempts at one server request before it is a dead letter. Default 20. */
  readonly attemptsMax: number
  /** Record bytes of log between two snapshot boundaries. Default 16 MiB. */
  readonly snapshotBytes: number
}

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

export interface AttachSessionPayload extends SessionNumbers {
  readonly secretHash: Uint8Array
  /** Attach epoch that this attach replaces (compare-and-set); 0 for the first. */
  readonly replaces: number
  /** Repeated by every copy of one attach: 16 bytes. */
  readonly nonce: Uint8Array
}

/** The hot one: packed binary on disk and wire, never msgpack. */
export interface ClientRequestPayload extends SessionNumbers {
  readonly epoch: number
  readonly requestId: number
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

export interface ServerRequestAckPayload extends SessionNumbers {
  readonly epoch: number
  /** Acknowledges every server request up to this id. */
  readonly serverRequestId: number
}

export interface KeepAlivePayload {
  readonly sessions: readonly SessionNumbers[]
}

export interface ExpireSessionsPayload {
  readonly sessions: readonly (SessionNumbers & { readonly renewedAtIndex: number })[]
}

export interface CloseSessionPayload extends SessionNumbers {
  readonly epoch: number
  /** Proof for a close without an attached connection; empty when the epoch stands for it. */
  readonly secretHash: Uint8Array
}

/** Payloads that are msgpack values; ClientRequest is packed binary, Noop, Tick and Snapshot are empty. */
export interface PayloadByKind {
  readonly Configuration: ConfigurationPayload
  readonly Limits: Limits
  readonly OpenSession: OpenSessionPayload
  readonly AttachSession: AttachSessionPayload
  readonly ServerRequestAck: ServerRequestAckPayload
  readonly KeepAlive: KeepAlivePayload
  readonly ExpireSessions: ExpireSessionsPayload
  readonly CloseSession: CloseSessionPayload
  /** Sessions whose due server requests are to be sent again. */
  readonly RetryServerRequests: { readonly sessions: readonly SessionNumbers[] }
  readonly AdvanceVersion: { readonly machine: string; readonly to: number }
  readonly SkipEntry: { readonly index: number; readonly part: string }
}
