import { access } from 'node:fs/promises'
import { fileBytes, fileTarget, standardOutput } from '../../host/backup/backup-files.ts'
import type { BackupBytes } from '../../host/backup/read-parts.ts'
import type { BackupTarget } from '../../host/backup/save-backup.ts'
import { usageError } from '../terminal/exit.ts'

/** The bytes of a backup by the name that was typed: a file, or - for stdin. */
export function backupBytes(name: string): BackupBytes {
  return fileBytes(name)
}

/** Throws a usage error for stdin where a backup is read more than once. */
export function requireFile(name: string): void {
  if (name === '-')
    throw usageError(
      'A backup that is read more than once cannot come from stdin.',
      'Save it to a file, and name that.',
    )
}

/** Where a backup goes by the name that was typed: a new file, or - for stdout. */
export async function backupTarget(name: string): Promise<BackupTarget> {
  if (name === '-') return standardOutput()
  const isThere = await access(name).then(
    () => true,
    () => false,
  )
  if (isThere) throw usageError(`${name} is there already.`, 'Name a new file: no backup is overwritten.')
  return fileTarget(name)
}
