import { logIndex, term } from '../base/brand.ts'
import type { ConfigurationEntry, Restored, TermRun } from '../raft/types.ts'
import type { DriverOptions } from './options.ts'

/**
 * What the core starts from. A log that reaches back to its first entry is given whole, so that a leader can serve any
 * follower from it; else the trail begins at the snapshot.
 */
export function restoredState(options: DriverOptions): Restored {
  const { recovered, snapshot } = options
  const whole = recovered.firstIndex === 1
  const snapshotIndex = whole ? logIndex(0) : logIndex(snapshot?.lastIncludedIndex ?? 0)
  const snapshotTerm = whole ? term(0) : term(snapshot?.lastIncludedTerm ?? 0)
  return {
    hardState: recovered.hardState,
    lastWrite: recovered.lastWrite,
    snapshotIndex,
    snapshotTerm,
    runs: above(recovered.runs, snapshotIndex),
    configurations: configurations(options, snapshotIndex),
    seed: options.seed,
  }
}

function above(runs: readonly TermRun[], index: number): readonly TermRun[] {
  return runs
    .filter((run) => run.last > index)
    .map((run) => (run.first > index ? run : { ...run, first: logIndex(index + 1) }))
}

function configurations(options: DriverOptions, snapshotIndex: number): readonly ConfigurationEntry[] {
  const { recovered, snapshot } = options
  const inLog = recovered.configurations.filter((entry) => entry.index > snapshotIndex)
  return snapshot === null || snapshotIndex === 0 ? inLog : [snapshot.configuration, ...inLog]
}
