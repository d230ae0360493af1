import { logIndex } from '../base/brand.ts'
import type { Restored } from '../raft/types.ts'
import { ApplyHalt } from '../session/run/halt.ts'
import type { StateMachine } from '../session/state-machine.ts'
import { configurationIn, knownConfigurations } from './membership/known-configuration.ts'
import type { DriverOptions } from './options.ts'
import type { SnapshotMeta } from './ports/snapshot-store.ts'

/**
 * What the core starts from: every entry that the log holds, also those below the snapshot, so that a leader can serve
 * any follower that the log can serve. The trail begins where the log does.
 */
export function restoredState(options: DriverOptions): Restored {
  const { recovered, snapshot, identity } = options
  return {
    hardState: recovered.hardState,
    lastWrite: recovered.lastWrite,
    obligation: recovered.obligation,
    snapshotIndex: logIndex(recovered.firstIndex - 1),
    snapshotTerm: recovered.baseTerm,
    runs: recovered.runs,
    configurations: knownConfigurations(recovered, snapshot).map(({ index, payload }) => ({
      index,
      configuration: configurationIn(payload, identity),
    })),
    seed: options.seed,
  }
}

/** The rows that it was given become the machine's state, as of the snapshot; why it must not go on from it, or null. */
export function endRestore(machine: Pick<StateMachine, 'restored'>, snapshot: SnapshotMeta): ApplyHalt | null {
  const { lastIncludedIndex: index, lastIncludedTerm: term, lease, now } = snapshot
  try {
    machine.restored({ index, term, lease, now })
    return null
  } catch (error) {
    if (error instanceof ApplyHalt) return error
    throw error
  }
}
