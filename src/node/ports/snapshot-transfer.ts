import type { LogIndex, NodeId } from '../../base/brand.ts'
import type { PeerEnvelope } from './peer-envelope.ts'
import type { SnapshotMeta, SnapshotPart } from './snapshot-store.ts'

/** What a node that pulls a snapshot asks of a member, one part at a time. */
export interface SnapshotRequest extends PeerEnvelope {
  /** Last index of the snapshot that is being pulled; 0: it asks for the first part of the newest. */
  readonly index: LogIndex
  /** Key of the last row that it has; null: none. */
  readonly after: string | null
}

/**
 * A part of a snapshot. Where the member does not have the one asked for any more, it is the first part of its newest.
 */
export interface SnapshotAnswer {
  readonly meta: SnapshotMeta
  /** Rows of the whole snapshot. */
  readonly total: number
  /** As in the request, or null where this is another snapshot than was asked for. */
  readonly after: string | null
  readonly part: SnapshotPart
}

/** Gives the answer; null: this member has no snapshot, or refuses. */
export type AnswerSnapshot = (answer: SnapshotAnswer | null) => void

/** The pulling end: bulk flows towards who asked for it, one part at a time. */
export interface SnapshotTransfer {
  /** Asks a member for a part; null: it gave none. It may never be called, and is called once at most. */
  pull(from: NodeId, request: SnapshotRequest, done: AnswerSnapshot): void
}
