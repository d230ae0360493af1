import { logIndex } from '../base/brand.ts'
import type { ConfigurationEntry, Restored } from '../raft/types.ts'
import type { DriverOptions } from './options.ts'

/**
 * What the core starts from: every entry that the log holds, also those below the snapshot, so that a leader can serve
 * any follower that the log can serve. The trail begins where the log does.
 */
export function restoredState(options: DriverOptions): Restored {
  const { recovered } = options
  return {
    hardState: recovered.hardState,
    lastWrite: recovered.lastWrite,
    snapshotIndex: logIndex(recovered.firstIndex - 1),
    snapshotTerm: recovered.baseTerm,
    runs: recovered.runs,
    configurations: configurations(options),
    seed: options.seed,
  }
}

/** The Configurations in the log, and before them the snapshot's where the log no longer holds its entry. */
function configurations({ recovered, snapshot }: DriverOptions): readonly ConfigurationEntry[] {
  const inLog = recovered.configurations
  return snapshot === null || snapshot.configuration.index >= recovered.firstIndex
    ? inLog
    : [snapshot.configuration, ...inLog]
}
