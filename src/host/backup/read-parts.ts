import { BackupError, type BackupPart, BackupReader } from '../../codec/backup/backup-reader.ts'
import type { BackupFacts, BackupTotals } from '../../codec/backup/backup-facts.ts'

/** The bytes of a backup, from wherever it lies. */
export type BackupBytes = AsyncIterable<Uint8Array>

/** The verified blocks of a backup, one at a time. Throws BackupError, and what the source throws. */
export async function* backupParts(bytes: BackupBytes): AsyncGenerator<BackupPart> {
  const reader = new BackupReader()
  for await (const piece of bytes) {
    reader.push(piece)
    for (let part = reader.take(); part !== null; part = reader.take()) yield part
  }
  reader.end()
}

/** What a whole backup says of itself. */
export interface ReadBackup {
  readonly facts: BackupFacts
  readonly totals: BackupTotals
}

/** Reads all of a backup; resolves once every byte of it was right. Rejects as `backupParts` throws. */
export async function verifyBackup(
  bytes: BackupBytes,
  onPart: (part: BackupPart) => void = () => undefined,
): Promise<ReadBackup> {
  let facts: BackupFacts | null = null
  let totals: BackupTotals | null = null
  for await (const part of backupParts(bytes)) {
    if (part.kind === 'facts') facts = part.facts
    if (part.kind === 'totals') totals = part.totals
    onPart(part)
  }
  if (facts === null || totals === null) throw new BackupError('BACKUP_DAMAGED', 'The backup holds nothing.')
  return { facts, totals }
}

/** Its first block alone: the rest is not read, and not verified. */
export async function readFacts(bytes: BackupBytes): Promise<BackupFacts> {
  for await (const part of backupParts(bytes)) if (part.kind === 'facts') return part.facts
  throw new BackupError('BACKUP_DAMAGED', 'The backup holds nothing.')
}
