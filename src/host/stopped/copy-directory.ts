import { constants } from 'node:fs'
import { cp, mkdir, open, readdir, realpath, rm } from 'node:fs/promises'
import { basename, dirname, join } from 'node:path'
import { assert } from '../../base/assert.ts'
import { LOCK_FILE } from '../../storage/directory/identity-file.ts'
import { faultOf } from '../../storage/disk/faults.ts'
import { StartError } from '../start-error.ts'

/**
 * Copies a data directory, without its lock, to a new directory beside it, durably. What links lead to is copied: behind a
 * copied link stands the original, which is about to change. Rejects with StartError (DISK_FULL, IO_ERROR,
 * …); nothing is left then.
 */
export async function copyDirectory(path: string, copy: string): Promise<void> {
  const from = await realpath(path).catch((error: unknown) => failed(error, path))
  await mkdir(copy).catch((error: unknown) => failed(error, copy))
  try {
    await cp(from, copy, {
      recursive: true,
      dereference: true,
      errorOnExist: true,
      force: false,
      // A file system that can share blocks copies nothing.
      mode: constants.COPYFILE_FICLONE,
      filter: (source) => dirname(source) !== from || !basename(source).startsWith(LOCK_FILE),
    })
    await syncTree(copy)
    await syncPath(dirname(copy))
  } catch (error) {
    await rm(copy, { recursive: true, force: true })
    return failed(error, copy)
  }
}

/** Every file below a directory, and every name. */
async function syncTree(directory: string): Promise<void> {
  for (const entry of await readdir(directory, { withFileTypes: true })) {
    const path = join(directory, entry.name)
    assert(!entry.isSymbolicLink(), 'a copy holds no link to its original', { path })
    if (entry.isDirectory()) await syncTree(path)
    else await syncPath(path)
  }
  await syncPath(directory)
}

async function syncPath(path: string): Promise<void> {
  const file = await open(path, 'r')
  await file.sync().finally(() => file.close())
}

function failed(error: unknown, path: string): never {
  if (!(error instanceof Error) || !('code' in error)) throw error
  throw new StartError(faultOf({ code: String(error.code), operation: 'copy', path, message: error.message }))
}
