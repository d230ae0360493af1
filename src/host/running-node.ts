import type { AcceptedConnection, InProcessListener } from '../gateway/in-process-server.ts'
import type { NodeStatus } from '../node/api.ts'

/** One node of a cluster in this process, or the only one. Also what `connect({ embedded: node })` takes. */
export interface RunningNode {
  readonly id: string
  /** `host:port` that it listens on: the real port where 0 was asked for. */
  readonly address: string
  /** `host:port` where it takes callbacks and validations by HTTP, with the real port; null: nowhere. */
  readonly httpAddress: string | null
  /** Role, term, leader, indexes and state hash of this node, now. */
  status(): NodeStatus
  /** For clients of this process, which need no socket: `connect` calls it. */
  accept(listener: InProcessListener): AcceptedConnection
  /** Streams end, the log is flushed, the directory is let go. May be called again, which waits for the same end. */
  close(): Promise<void>
}
