import type { LogIndex, Millis, NodeId } from '../../base/brand.ts'
import type { Message } from '../../raft/types.ts'
import type { PeerEnvelope } from './peer-envelope.ts'
import type { AnswerSnapshot, SnapshotRequest, SnapshotTransfer } from './snapshot-transfer.ts'
import type { BuildMachine } from '../../session/user-machine.ts'

export type { BuildMachine } from '../../session/user-machine.ts'

/**
 * What travels in a peer frame: a Raft message with the records its runs name, the bootstrap handshake, the address
 * (host:port) at which the sender is reached, what it is built of, how far it has applied the log, with the running hash
 * of its state there (`StateComparison`), or where it has stopped. The last three go to peers that take them alone.
 */
export type PeerBody =
  | {
      readonly kind: 'raft'
      readonly message: Message
      readonly records: Uint8Array
      /** Sender's wall clock, for `now`'s median (sessions.md §1). */
      readonly wallMs: Millis
    }
  | { readonly kind: 'hello'; readonly hasConfiguration: boolean; readonly reply: boolean }
  | { readonly kind: 'reachedAt'; readonly address: string }
  /** `reply`: the receiver is asked for the same; said on each connection that opens, not in the answer. */
  | ({ readonly kind: 'build'; readonly reply: boolean } & Build)
  | { readonly kind: 'applied'; readonly index: LogIndex; readonly hashHigh: number; readonly hashLow: number }
  /** The engine has stopped the sender at that part of that entry (`VoterStops`); index 0: nowhere. */
  | { readonly kind: 'stopped'; readonly index: LogIndex; readonly part: string }

/** What a node is built of, as its peers are told: at most `BUILD_VERSIONS_MAX` versions of machines in all. */
export interface Build {
  /** Each name once. */
  readonly machines: readonly BuildMachine[]
  /** Node's version, `v20.11.0`. */
  readonly runtime: string
  /** The package's version. */
  readonly holdfast: string
  /** Whether its machines run as in development, where they reject more (machines.md §2). */
  readonly development: boolean
}

export interface PeerFrame extends PeerEnvelope {
  readonly body: PeerBody
}

/** Moves frames between nodes, at most once, in order per connection; may lose and, over reconnects, delay them. */
export interface PeerTransport extends SnapshotTransfer {
  /** Best effort: dropped when there is no connection or its window is full, or the peer does not take that kind. */
  send(frame: PeerFrame): void
  /** True while this node's connection to the peer is open; the end of one is seen late. */
  connected(to: NodeId): boolean
  /**
   * True when the process at the other end of this node's open connection is of a build that knows leases (lease-reads.md).
   * Absent: all are of this one.
   */
  takesLeases?(peer: NodeId): boolean
  /** Bytes queued towards that peer but not yet taken by its connection: back-pressure for catch-up. */
  queuedBytes(to: NodeId): number
  /** A member says that it is reached there, host:port: also tried while it is not reached where it was configured. */
  hint(peer: NodeId, address: string): void
  /** Dials a member that it was not started with; one that is dialled already, it dials where it does. */
  addPeer(peer: NodeId, address: string): void
  /** Does not dial that one any more: it is no member. */
  removePeer(peer: NodeId): void
  close(done: () => void): void
}

export interface PeerListener {
  /** A member asks for a part of this node's newest snapshot; its envelope is the listener's to verify, as of a frame. */
  onPull(request: SnapshotRequest, answer: AnswerSnapshot): void
  onFrame(frame: PeerFrame): void
  /**
   * This node's connection to the peer is open: what was sent before was dropped, and it may be another process of it.
   */
  onConnected(peer: NodeId): void
  /** The connection was reset or refused: evidence that the peer's process is gone (raft.md §4). */
  onUnreachable(peer: NodeId): void
  /** True of a disk that was a member and is none any more: its frames are refused with REMOVED. */
  isRemoved?(instance: string): boolean
  /** A member refuses this node's frames so. */
  onRemoved?(): void
}
