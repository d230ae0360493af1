import fs from 'node:fs'
import { join } from 'node:path'
import type { StorageDone } from '../../node/ports/storage-fault.ts'
import { faultOf } from '../disk/faults.ts'
import { STATE_NAME, syncDirectory } from './state-directory.ts'

/** Where a damaged snapshot is kept, below the group's directory. */
const DAMAGED = 'damaged-state'

/**
 * Sets a damaged snapshot aside, for diagnosis, in place of one set aside before; the next open makes an empty one. Only where
 * other nodes have the state, and while no store is open there. Interrupted, it is done again: what is left is found damaged.
 *
 * The log is not touched. If it begins behind the snapshot, its open finds entries missing, and notes that it must reach its
 * last entry again before anything of it goes (storage.md §3): so nothing that this node has acknowledged is forgotten.
 */
export function setDamagedStateAside(directory: string, done: StorageDone<null>): void {
  try {
    const aside = join(directory, DAMAGED)
    const states = fs.readdirSync(directory).filter((name) => STATE_NAME.test(name))
    if (states.length > 0) fs.rmSync(aside, { recursive: true, force: true })
    fs.mkdirSync(aside, { recursive: true })
    for (const name of states) fs.renameSync(join(directory, name), join(aside, name))
    // The last step: without a state directory it names nothing, and without it there is nothing to name.
    fs.rmSync(join(directory, 'CURRENT'), { force: true })
    syncDirectory(directory)
  } catch (error) {
    if (!(error instanceof Error && 'code' in error && typeof error.code === 'string')) throw error
    const operation = 'syscall' in error ? String(error.syscall) : 'rename'
    return done(faultOf({ code: error.code, operation, path: directory, message: error.message }), null)
  }
  done(null, null)
}
