import { createReadStream } from 'node:fs'
import { type FileHandle, link, open, rename, rm, unlink } from 'node:fs/promises'
import { dirname } from 'node:path'
import type { BackupBytes } from './read-parts.ts'
import type { BackupTarget } from './save-backup.ts'

const READ_BYTES = 1024 * 1024

/** The bytes of a file; `-`: of stdin, once. */
export function fileBytes(path: string): BackupBytes {
  return path === '-' ? process.stdin : createReadStream(path, { highWaterMark: READ_BYTES })
}

/** Standard output; what is written waits for whoever reads it. */
export function standardOutput(): BackupTarget {
  return {
    write: (bytes) =>
      new Promise((resolve, reject) => {
        process.stdout.write(bytes, (error) => (error == null ? resolve() : reject(error)))
      }),
    finish: () => Promise.resolve(),
    abandon: () => Promise.resolve(),
  }
}

/**
 * A file that appears under its name as a whole: it is written beside it, synced, and linked, readable by its
 * owner alone. One that is there under that name, or beside it, stays as it is: EEXIST. Rejects with what node:fs rejects with.
 */
export async function fileTarget(path: string): Promise<BackupTarget> {
  const partial = `${path}.partial`
  let file: FileHandle | null = await open(partial, 'wx', 0o600)
  const close = async (): Promise<void> => {
    const opened = file
    file = null
    await opened?.close()
  }
  return {
    write: async (bytes) => {
      await file?.writeFile(bytes)
    },
    finish: async () => {
      await file?.sync()
      await close()
      await moveTo(partial, path)
      const directory = await open(dirname(path), 'r')
      await directory.sync().finally(() => directory.close())
    },
    abandon: async () => {
      await close()
      await rm(partial, { force: true })
    },
  }
}

/** Unlike `rename`, it replaces nothing. */
async function moveTo(partial: string, path: string): Promise<void> {
  try {
    await link(partial, path)
    await unlink(partial)
  } catch (error) {
    const code = error instanceof Error && 'code' in error ? String(error.code) : ''
    if (!NO_LINKS.has(code)) throw error
    // A file system without hard links: the name is taken first, then what it names is replaced.
    await (await open(path, 'wx', 0o600)).close()
    await rename(partial, path)
  }
}

const NO_LINKS = new Set(['EPERM', 'ENOTSUP', 'EOPNOTSUPP', 'ENOSYS'])
