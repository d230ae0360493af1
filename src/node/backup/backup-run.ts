import { logIndex, type LogIndex } from '../../base/brand.ts'
import type { BackupFacts } from '../../codec/backup/backup-facts.ts'
import { BackupWriter } from '../../codec/backup/backup-writer.ts'
import type { LogStore } from '../ports/log-store.ts'
import type { SnapshotView } from '../ports/snapshot-store.ts'
import type { StorageFault } from '../ports/storage-fault.ts'

/** Bytes of a block, about: read, checked and packed in a few milliseconds. A row or a record of any size goes alone. */
const BLOCK_BYTES = 256 * 1024

export interface BackupRunParts {
  /** Null: there is no snapshot. The run closes it. */
  readonly view: SnapshotView | null
  readonly log: Pick<LogStore, 'read'>
  /** Entries [first, last] belong to it; none when `first` > `last`. */
  readonly first: LogIndex
  readonly last: LogIndex
  fault(fault: StorageFault): void
}

/** A block of the backup's file, or why it ends here: what it reads was replaced, or the node stops. */
export type NextBlock = Uint8Array | 'end' | 'BACKUP_OVERTAKEN'

/** One backup as it is read: one block of its file at a time is in memory. */
export class BackupRun {
  /** Set before anybody has the run. */
  facts: BackupFacts | null = null
  private readonly parts: BackupRunParts
  private readonly ended: () => void
  private readonly writer = new BackupWriter()
  private stage: 'facts' | 'log' | 'rows' | 'totals' | 'end' = 'facts'
  private next: LogIndex
  private after: string | null = null
  private closed = false

  constructor(parts: BackupRunParts, ended: () => void) {
    this.parts = parts
    this.ended = ended
    this.next = parts.first
  }

  /** The log from behind this entry on is needed; null: not any more. */
  get pinned(): LogIndex | null {
    const reads = !this.closed && (this.stage === 'facts' || this.stage === 'log')
    return reads ? logIndex(this.next - 1) : null
  }

  /** The next block; one call outstanding at a time. Behind the last one, and when it cannot go on, the run is closed. */
  take(done: (block: NextBlock) => void): void {
    if (this.closed) return done(this.stage === 'end' ? 'end' : 'BACKUP_OVERTAKEN')
    const { facts } = this
    if (this.stage === 'facts' && facts !== null) {
      this.stage = 'log'
      return done(this.writer.facts(facts))
    }
    if (this.stage === 'log' && this.next <= this.parts.last) return this.takeLog(done)
    if (this.stage === 'log') this.stage = this.parts.view === null ? 'totals' : 'rows'
    if (this.stage === 'rows') return this.takeRows(done)
    if (this.stage === 'totals') {
      this.stage = 'end'
      return done(this.writer.totals())
    }
    this.close()
    done('end')
  }

  /** Nothing is read any more. */
  close(): void {
    if (this.closed) return
    this.closed = true
    this.parts.view?.close()
    this.ended()
  }

  private takeLog(done: (block: NextBlock) => void): void {
    const { log, last } = this.parts
    const first = this.next
    log.read({ first, last, maxBytes: BLOCK_BYTES }, (fault, read) => {
      if (fault !== null) this.parts.fault(fault)
      if (this.closed || fault !== null || read.records.length === 0) return this.overtaken(done)
      this.next = logIndex(read.last + 1)
      done(this.writer.log(read.records, read.last - first + 1))
    })
  }

  private takeRows(done: (block: NextBlock) => void): void {
    const { view } = this.parts
    view?.read(this.after, BLOCK_BYTES, (fault, part) => {
      if (fault !== null) this.parts.fault(fault)
      if (this.closed || part === null) return this.overtaken(done)
      if (part.lastKey === null) {
        this.stage = 'totals'
        return this.take(done)
      }
      this.after = part.lastKey
      done(this.writer.packed(part.bytes, part.rows))
    })
  }

  private overtaken(done: (block: NextBlock) => void): void {
    this.close()
    done('BACKUP_OVERTAKEN')
  }
}
