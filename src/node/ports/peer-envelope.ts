import type { GroupId, NodeId } from '../../base/brand.ts'

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
