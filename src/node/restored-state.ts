import { logIndex } from '../base/brand.ts'
import type { Restored } from '../raft/types.ts'
import { ApplyHalt } from '../session/run/halt.ts'
import type { RestoredPosition, StateMachine, StateSuccessor } from '../session/state-machine.ts'
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
  return haltOf(() => {
    machine.restored(positionOf(snapshot))
    return null
  })
}

/** The next step of the same, of a state that is to take the machine's place; `more`: it was not the last. */
export function stepRestore(successor: StateSuccessor, snapshot: SnapshotMeta): ApplyHalt | 'more' | null {
  return haltOf(() => (successor.restoreNext(positionOf(snapshot)) ? 'more' : null))
}

function positionOf({ lastIncludedIndex: index, lastIncludedTerm: term, lease, now }: SnapshotMeta): RestoredPosition {
  return { index, term, lease, now }
}

function haltOf<Outcome>(run: () => Outcome): Outcome | ApplyHalt {
  try {
    return run()
  } catch (error) {
    if (error instanceof ApplyHalt) return error
    throw error
  }
}
