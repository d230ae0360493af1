import type { StorageFault } from '../../node/ports/storage-fault.ts'
import type { Disk } from './disk.ts'
import { faultOf } from './faults.ts'

/**
 * Replaces a small file atomically and durably: a new file, synced, renamed over the old one, the directory synced.
 * Interrupted anywhere, the old content or the new one is there (storage.md §1).
 */
export function replaceFile(
  disk: Disk,
  file: { directory: string; name: string; bytes: Uint8Array },
  done: (fault: StorageFault | null) => void,
): void {
  const { directory, bytes } = file
  const path = directory === '' ? file.name : `${directory}/${file.name}`
  const temporary = `${path}.new`
  disk.create(temporary, bytes.length, (created) => {
    if (!created.ok) return done(faultOf(created.error))
    created.value.write(0, [bytes], (written) => {
      if (!written.ok) return created.value.close(() => done(faultOf(written.error)))
      created.value.sync((synced) =>
        created.value.close((closed) => {
          if (!synced.ok) return done(faultOf(synced.error))
          if (!closed.ok) return done(faultOf(closed.error))
          disk.rename(temporary, path, (renamed) => {
            if (!renamed.ok) return done(faultOf(renamed.error))
            disk.syncDirectory(directory, (named) => done(named.ok ? null : faultOf(named.error)))
          })
        }),
      )
    })
  })
}
