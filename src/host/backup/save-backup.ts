import type { BackupFacts } from '../../codec/backup/backup-facts.ts'
import { BackupError, type BackupPart, BackupReader } from '../../codec/backup/backup-reader.ts'
import { recordChain, recordIndex, recordLength, verifyEntry } from '../../codec/entry/record.ts'
import type { BackupBytes, ReadBackup } from './read-parts.ts'
import { RestoreError } from './restore-plan.ts'

/** Where the bytes of a backup go. Nobody finds it there before `finish`. */
export interface BackupTarget {
  write(bytes: Uint8Array): Promise<void>
  /** It is there as a whole, and durable. */
  finish(): Promise<void>
  /** What was written is removed. */
  abandon(): Promise<void>
}

export interface SaveOptions {
  /** What it was made since: both must be of one history. Null: it stands alone. */
  readonly since: BackupFacts | null
  /** Each verified block. */
  onPart(part: BackupPart): void
}

/**
 * Puts a backup where it belongs, and verifies it on the way: what was altered between the node and here is not kept. Rejects
 * with what source or target reject with, with BackupError, and with RestoreError (OTHER_HISTORY); then nothing is left there.
 */
export async function saveBackup(
  bytes: BackupBytes,
  target: BackupTarget,
  { since, onPart }: SaveOptions,
): Promise<ReadBackup> {
  const reader = new BackupReader()
  let found: Partial<ReadBackup> = {}
  try {
    for await (const piece of bytes) {
      reader.push(piece)
      for (let part = reader.take(); part !== null; part = reader.take()) {
        if (part.kind === 'facts') found = { ...found, facts: part.facts }
        if (part.kind === 'totals') found = { ...found, totals: part.totals }
        if (since !== null) requireLink(part, since)
        onPart(part)
      }
      await target.write(piece)
    }
    reader.end()
    const { facts, totals } = found
    if (facts === undefined || totals === undefined)
      throw new BackupError('BACKUP_DAMAGED', 'The node sent no whole backup.')
    await target.finish()
    return { facts, totals }
  } catch (error) {
    await target.abandon().catch(() => undefined)
    throw error
  }
}

/** Throws RestoreError where a part tells of another history than the backup before. */
function requireLink(part: BackupPart, { clusterId, end }: BackupFacts): void {
  if (part.kind === 'facts' && part.facts.clusterId !== clusterId) throw otherHistory(end.index)
  if (part.kind !== 'log' || part.first > end.index + 1 || part.last < end.index) return
  const { records } = part
  if (part.first === end.index + 1) {
    if (verifyEntry(records, 0, end.chain) !== null) throw otherHistory(end.index)
    return
  }
  let offset = 0
  while (recordIndex(records, offset) < end.index) offset += recordLength(records, offset)
  if (recordChain(records, offset) !== end.chain) throw otherHistory(end.index)
}

function otherHistory(index: number): RestoreError {
  const message = `The node does not continue the history of that backup, which ends with entry ${index}. Make a whole backup, without --since.`
  return new RestoreError('OTHER_HISTORY', message)
}
