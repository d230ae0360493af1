import type { EmbeddedOptions } from '../../host/node-options.ts'
import type { PeerList } from '../../host/peer-list.ts'
import type { LogLevel } from '../../protocol/log-level.ts'

/**
 * What `holdfast.config.ts` (or `.mjs`, `.js`, `.yaml`) says. Flags and `HOLDFAST_…` variables of the same names go before
 * it; what nothing gives has a default (docs/cli.md, "Configuration").
 */
export interface HoldfastConfig {
  /** The module that exports the machine definitions, beside this file. Default: the product's own machines. */
  readonly machines?: string
  /** Name of the node, 1–63 of `a-z 0-9 -`. */
  readonly id?: string
  /** `host:port` of the nodes that commands which are clients talk to. Default: where `holdfast dev` listens. */
  readonly endpoints?: readonly string[]
  /** The data directory, beside this file. */
  readonly data?: string
  /** All members of the cluster with their addresses. */
  readonly peers?: PeerList
  /** `host:port` where the node listens, when that is not its address in `peers`. */
  readonly listen?: string
  /** `host:port` of loopback where callbacks are taken by HTTP, or `off`. Default `off`, 127.0.0.1:4680 in `holdfast dev`. */
  readonly http?: string
  /** Last part of the path of callbacks. Default: the path has none. */
  readonly webhookSecret?: string
  /** Limits of a new cluster that differ from the defaults. */
  readonly limits?: EmbeddedOptions['limits']
  /** Listens beyond loopback although nobody is authenticated. Default false. */
  readonly insecure?: boolean
  /** Machines run under the determinism guard and twice (machines.md §2). Default false; true in `holdfast dev`. */
  readonly development?: boolean
  /** Leaders answer linearizable queries by leases (docs/concepts/queries.md). Default: as the log says. */
  readonly leases?: boolean
  /**
   * Each step of consensus is appended to the file `ID.trace` of that directory (docs/trace-validation.md). Default: nothing
   * is.
   */
  readonly traceSteps?: string
  /** Bytes of the disk below which a leader refuses commands. Default 256 MiB, on a small disk a tenth of it. */
  readonly diskReserve?: number
  /** What the node's log tells. Default `info`, `warn` in `holdfast dev`. */
  readonly logLevel?: LogLevel
}

/** Gives the configuration back: an editor then knows its names. `export default defineConfig({ … })`. */
export function defineConfig(config: HoldfastConfig): HoldfastConfig {
  return config
}
