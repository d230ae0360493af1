import type { GroupId } from '../base/brand.ts'
import type { SnapshotStore } from '../node/ports/snapshot-store.ts'
import type { StorageDone } from '../node/ports/storage-fault.ts'
import type { Disk } from '../storage/disk/disk.ts'
import { groupDirectory, logDirectory, parseSegmentName } from '../storage/format/file-names.ts'
import { inspectLog } from '../storage/opening/inspect-log.ts'
import { faultOf } from '../storage/disk/faults.ts'

/**
 * Whether a node has never taken part in a cluster on this directory: no entry, no snapshot, and no term, so no vote. Such a
 * directory may still be given to another cluster: nothing that it forgets was ever promised (raft.md §1). Changes nothing.
 */
export function isUnused(
  on: {
    readonly disk: Disk
    readonly group: GroupId
    readonly snapshots: SnapshotStore
    /** A node was started on the directory before: its log cannot be missing. */
    readonly started: boolean
  },
  done: StorageDone<boolean | null>,
): void {
  const { disk, group, snapshots, started } = on
  const directory = groupDirectory(group)
  disk.list(logDirectory(directory), (names) => {
    if (!names.ok) return done(faultOf(names.error), null)
    // A log that has gone on to a second segment holds entries; it is not read for this.
    if (names.value.filter((name) => parseSegmentName(name) !== null).length > 1) return done(null, false)
    snapshots.load(
      () => undefined,
      (unloaded, snapshot) => {
        if (unloaded !== null || snapshot !== null) return done(unloaded, false)
        inspectLog({ disk, directory, group, snapshotIndex: 0, started }, (fault, inspection) => {
          if (fault !== null || inspection === null) return done(fault, null)
          for (const segment of inspection.segments) segment.file.close(() => undefined)
          const { held, hardState } = inspection.image
          done(null, held.last === 0 && hardState.currentTerm === 0 && hardState.votedFor === null)
        })
      },
    )
  })
}
