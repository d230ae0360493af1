import type { Millis } from '../../base/brand.ts'
import type { DriverOptions } from '../options.ts'

/**
 * Whether the disk hangs: the log's oldest write is outstanding for longer than a maximum election timeout (raft.md §5). The
 * log writes off the event loop, so that this is seen while it waits; a loop that hangs itself sends no heartbeat either.
 */
export class StorageWatch {
  private readonly options: Pick<DriverOptions, 'log' | 'raft' | 'clock'>
  private suspectedAt: Millis | null = null
  private hangs = false

  constructor(options: Pick<DriverOptions, 'log' | 'raft' | 'clock'>) {
    this.options = options
  }

  /**
   * Once per turn: what has changed since the turn before, or null. That a write is old is believed a heartbeat later, in
   * another turn: the process may have been held up itself, with the completion unread.
   */
  check(): { readonly stalled: boolean } | null {
    const { log, raft, clock } = this.options
    if (log.oldestWriteAgeMs() <= raft.electionTimeoutMaxMs) {
      this.suspectedAt = null
      if (!this.hangs) return null
      this.hangs = false
      return { stalled: false }
    }
    const now = clock.monotonicMs()
    this.suspectedAt ??= now
    if (this.hangs || now < this.suspectedAt + raft.heartbeatMs) return null
    this.hangs = true
    return { stalled: true }
  }

  /** Monotonic ms at which `check` may find the disk hanging; infinite: nothing is being written, or it is known. */
  dueAt(writing: boolean): Millis {
    if (!writing || this.hangs) return Number.POSITIVE_INFINITY
    const { log, raft, clock } = this.options
    if (this.suspectedAt !== null) return this.suspectedAt + raft.heartbeatMs
    return clock.monotonicMs() - log.oldestWriteAgeMs() + raft.electionTimeoutMaxMs + 1
  }
}
