import type { Limits } from '../codec/entry/payload.ts'
import type { Mountable } from '../machine/index.ts'
import type { LogLevel } from '../protocol/log-level.ts'
import type { RaftConfig } from '../raft/types.ts'
import type { PeerList } from './peer-list.ts'

/** What a node that is alone and one of a cluster are both started with; all but the directory may be left out. */
export interface EmbeddedOptions {
  /** Where the node keeps its state; made when it is not there. One process at a time may use it. */
  readonly dataDirectory: string
  /** What the node runs, at least one. Default: the product's own machines (`holdfast/machines`). */
  readonly machines?: readonly Mountable[] | undefined
  /** `host:port` where clients and peers connect; port 0 takes any free one. Default: see the function. */
  readonly listen?: string | undefined
  /**
   * `host:port` of loopback where callbacks and validations are taken by HTTP (docs/webhooks.md); port 0 takes any free
   * one. Callers are not authenticated, and roles are not enforced. Default: nowhere.
   */
  readonly http?: string | undefined
  /** Last part of the path of callbacks, 16 to 128 of `A-Z a-z 0-9 _ -`. Default: the path has none. */
  readonly webhookSecret?: string | undefined
  /** Written to entry 2 of a new cluster; the log's own limits count ever after. Default: `DEFAULT_LIMITS` in each field. */
  readonly limits?: Partial<Limits> | undefined
  /**
   * Each step of consensus is appended to the file `ID.trace` of that directory, for `holdfast trace check`
   * (docs/trace-validation.md). It costs a system call per step. Default: nothing is.
   */
  readonly traceSteps?: string | undefined
  /**
   * Bytes of the disk that are kept for what goes on without clients: below them a leader refuses commands (`DISK_FULL`) until
   * a quarter more is free. 0: none. Default: 256 MiB, on a small disk a tenth of it.
   */
  readonly diskReserveBytes?: number | undefined
  /** What the node's log on stderr tells: JSON lines, one per event of its life. Default `warn`. */
  readonly logLevel?: LogLevel | undefined
  /**
   * For development, the same on every node: handlers run under the determinism guard and twice, and the answer about one that
   * failed carries what it threw (machines.md §2). A directory made so is not for production. Default false.
   */
  readonly development?: boolean | undefined
  /** Listens beyond loopback although nobody is authenticated. Default false. */
  readonly insecure?: boolean | undefined
  /** Gives the start up: it rejects with the signal's reason, and what was opened is closed. Later it does nothing. */
  readonly signal?: AbortSignal | undefined
  /** The node stopped because of a fault, which its log has told. Default: the process exits with 74 (70: engine error). */
  readonly onFault?: ((fault: { readonly code: string; readonly message: string }) => void) | undefined
}

/** What one node of a cluster is started with. */
export interface NodeOptions extends EmbeddedOptions {
  /** This node's name, one of those in `peers`: 1–63 of `a-z 0-9 -`. */
  readonly id: string
  /** All initial voters with their addresses, this node among them; the same on all nodes of a new cluster. */
  readonly peers: PeerList
  /** Default: the directory's own; for a new one, derived from the voters, so that all of them agree. */
  readonly clusterId?: string | undefined
  /**
   * Leaders answer linearizable queries by leases, without asking the others (docs/concepts/queries.md); false: they ask. It is
   * the log that says so, on every node alike: a node that leads changes it to this. Default: it stays.
   */
  readonly leases?: boolean | undefined
  /** Raft's own numbers, where they differ from the defaults (heartbeat 50 ms, election timeout 300–600 ms). */
  readonly raft?: Partial<Omit<RaftConfig, 'self'>> | undefined
}
