import type { OpenNodeOptions } from '../node/open-node.ts'
import type { SnapshotMeta } from '../node/ports/snapshot-store.ts'
import type { OpenLogOptions, SnapshotPosition } from '../storage/log/log-options.ts'
import { openLog } from '../storage/opening/open-log.ts'

/** The product's log as a part of a node: opened above the snapshot that was found, reporting to the driver. */
export function logOpener(log: Omit<OpenLogOptions, 'snapshot' | 'listener'>): OpenNodeOptions['openLog'] {
  return (snapshot, listener, done) =>
    openLog({ ...log, snapshot: snapshot === null ? null : positionOf(snapshot), listener }, done)
}

function positionOf(snapshot: SnapshotMeta): SnapshotPosition {
  const { lastIncludedIndex: index, lastIncludedTerm: term, chain, lease, now } = snapshot
  return { index, term, chain, lease, now }
}
