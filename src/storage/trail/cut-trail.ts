import type { StorageFault } from '../../node/ports/storage-fault.ts'
import type { Disk } from '../disk/disk.ts'
import { faultOf } from '../disk/faults.ts'
import { replaceFile } from '../disk/replace-file.ts'
import { trailPath } from '../format/file-names.ts'
import { decodeTrail, encodeTrail } from '../format/trail-record.ts'

/**
 * Drops what the applied trail of a group says of entries above an index, durably. For a log that has lost them: the entries
 * that come back may be others, and a replay of those is not to be held against what was made of the lost ones.
 */
export function cutTrail(
  disk: Disk,
  { directory, above }: { readonly directory: string; readonly above: number },
  done: (fault: StorageFault | null) => void,
): void {
  const path = trailPath(directory)
  disk.readFile(path, (read) => {
    if (!read.ok) return done(faultOf(read.error))
    const { recordedBy, recorded } = decodeTrail(read.value ?? new Uint8Array(0))
    const kept = recorded.filter((record) => record.index <= above)
    if (kept.length === recorded.length) return done(null)
    const name = path.slice(directory.length + 1)
    replaceFile(disk, { directory, name, bytes: encodeTrail({ recordedBy, recorded: kept }) }, done)
  })
}
