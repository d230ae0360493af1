import { statfsSync } from 'node:fs'
import { dirname } from 'node:path'
import type { DiskError } from './disk.ts'

/**
 * What the file system of `path` has too little of, as a field of the error; of any other error, and where nobody can tell,
 * none. Asked once, as the node is about to stop.
 */
export function lackOf(code: string | undefined, path: string): Pick<DiskError, 'lacks'> {
  if (code !== 'ENOSPC') return {}
  const found = statfsOf(path) ?? statfsOf(dirname(path))
  // A file system without a table of inodes says that it has 0 of 0; one that makes them of free blocks, that none is free.
  if (found === null || found.files === 0) return {}
  return { lacks: found.ffree === 0 && found.bavail > 0 ? 'inodes' : 'bytes' }
}

function statfsOf(path: string): { readonly files: number; readonly ffree: number; readonly bavail: number } | null {
  try {
    return statfsSync(path)
  } catch {
    return null
  }
}
