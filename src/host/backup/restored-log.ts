import type { GroupId } from '../../base/brand.ts'
import type { BackupEnd, BackupSnapshot } from '../../codec/backup/backup-facts.ts'
import { readHeader, recordLength, verifyEntry } from '../../codec/entry/record.ts'
import { RestoreError, type RestorePoint, timeOf } from './restore-plan.ts'

/** Records that follow what was taken before. */
export interface PartOfLog {
  readonly records: Uint8Array
  readonly first: number
  readonly count: number
}

/** Which entries of which backups lead from a state to the point: each one once, each linked to the one before. */
export class RestoredLog {
  private readonly point: RestorePoint
  private readonly group: GroupId
  /** The last entry so far, or the state's. */
  private last: Omit<BackupEnd, 'stateHash'>
  private reached = false

  constructor(snapshot: BackupSnapshot | null, point: RestorePoint, group: GroupId) {
    this.point = point
    this.group = group
    this.last =
      snapshot === null
        ? { index: 0, term: 0, chain: 0, lease: 0, now: 0 }
        : {
            index: snapshot.lastIncludedIndex,
            term: snapshot.lastIncludedTerm,
            chain: snapshot.chain,
            lease: snapshot.lease,
            now: snapshot.now,
          }
    this.reached = this.last.index === point.toIndex
  }

  /** The last entry of history. */
  get end(): Omit<BackupEnd, 'stateHash'> {
    return this.last
  }

  /** Those of verified records that are wanted; null: none. Throws RestoreError where they do not follow. */
  take(records: Uint8Array, first: number): PartOfLog | null {
    if (this.reached) return null
    if (first > this.last.index + 1) throw this.gap(first)
    let offset = 0
    let from = -1
    let count = 0
    for (let index = first; offset < records.length; index += 1) {
      const length = recordLength(records, offset)
      if (index > this.last.index) {
        if (this.reached || !this.takeOne(records, offset)) break
        if (from < 0) from = offset
        count += 1
      }
      offset += length
    }
    if (count === 0) return null
    return { records: records.slice(from, offset), first: this.last.index - count + 1, count }
  }

  /** Throws RestoreError unless history got as far as was asked. */
  requireEnd(): void {
    const { toIndex } = this.point
    const { index, now } = this.last
    if (index === 0)
      throw new RestoreError('NOT_IN_BACKUP', 'No entry is as old as that time: there is nothing to restore.')
    if (toIndex === null || toIndex === index) return
    throw new RestoreError(
      'NOT_IN_BACKUP',
      `The backup ends with entry ${index}, of ${timeOf(now)}: it does not hold entry ${toIndex}.`,
    )
  }

  /** False: it lies beyond the point. */
  private takeOne(records: Uint8Array, offset: number): boolean {
    const { index, term, chain, lease, now, group } = readHeader(records, offset)
    const { toIndex, toTimeMs } = this.point
    if (toTimeMs !== null && now > toTimeMs) {
      this.reached = true
      return false
    }
    if (group !== this.group || verifyEntry(records, offset, this.last.chain) !== null) throw this.gap(index)
    this.last = { index, term, chain, lease, now }
    this.reached = index === toIndex
    return true
  }

  private gap(next: number): RestoreError {
    return new RestoreError(
      'NOT_IN_BACKUP',
      `Entry ${next} of the backup does not follow entry ${this.last.index} of its base: they are not of one history. ` +
        'Name the backup that it was made since with --base.',
    )
  }
}
