import { logIndex, type LogIndex } from '../../base/brand.ts'

/** Entries behind a snapshot that is being pulled are kept up to so many record bytes, or two boundary intervals. */
const RETAINED_BYTES_MAX = 64 * 1024 * 1024

export interface RetainedLogPorts {
  /** Last index of the oldest snapshot that another member is pulling; null: nobody is. */
  pulled(): LogIndex | null
  /** Record bytes between two boundaries, the replicated limit. */
  intervalBytes(): number
}

/**
 * How much of the log stays (storage.md §2): one boundary interval behind the newest snapshot, and what follows a snapshot
 * that a member is pulling, so that it finds its next entry here when it has it. Up to a bound: a member that never gets to
 * the end must not fill everybody's disk, and pulls a newer snapshot instead.
 */
export class RetainedLog {
  private readonly ports: RetainedLogPorts
  /** Boundaries behind the newest whose entries were kept on. */
  private kept: LogIndex[] = []

  constructor(ports: RetainedLogPorts) {
    this.ports = ports
  }

  /** Up to where entries may go, given that `index` is the boundary before the newest (0: there is none). */
  discardable(index: LogIndex): LogIndex {
    const pulled = this.ports.pulled()
    const bytes = this.ports.intervalBytes()
    const keptMax = Math.max(2, Math.floor(RETAINED_BYTES_MAX / bytes))
    this.kept = [...this.kept.filter((boundary) => boundary < index), index].slice(-keptMax - 1)
    if (pulled === null || pulled >= index) return index
    const oldest = this.kept[0] ?? index
    return logIndex(Math.max(pulled, this.kept.length > keptMax ? oldest : 0))
  }
}
