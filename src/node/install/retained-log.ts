import { logIndex, type LogIndex } from '../../base/brand.ts'
import type { LogStore } from '../ports/log-store.ts'

/**
 * The log's files take 4 boundary intervals of the disk at most (storage.md §2.7), a segment being an eighth of one:
 *
 *   between two boundaries   1.2 at most: the leader proposes one where frames bring more than that
 *   behind the newest        3 boundaries may wait to be written, then nothing is applied: 3 × 1.2, and up to 3 segments of
 *                            which nothing is needed (the oldest, the newest, the one that is prepared): 3.975
 *   kept longer than needed  2.5 at each boundary, the same 3 segments among it; up to the next one 1.2 more, and one segment
 *                            that is prepared: 3.825
 *
 * What is committed and not applied, and a frame that is larger than a segment, come on top.
 */
const INTERVAL_ON_DISK = 1.2
const KEPT_INTERVALS = 2.5
/** Where intervals are so short that few frames fill one, so many bytes count for more than they. */
const SHORT_INTERVAL_BYTES = 64 * 1024
const SHORT_KEPT_BYTES = 256 * 1024
/** Behind a snapshot that is being pulled so many bytes are kept where intervals are shorter: a pull takes its time. */
const PULLED_BYTES = 64 * 1024 * 1024

export interface RetainedLogPorts {
  readonly log: Pick<LogStore, 'discardUpTo' | 'diskBytesAbove' | 'stats'>
  /** Last index of the oldest snapshot that another member is pulling; null: nobody is. */
  pulled(): LogIndex | null
  /** Record bytes between two boundaries, the replicated limit. */
  intervalBytes(): number
  /** The log up to this index goes now. */
  letGo(index: LogIndex): void
}

/**
 * How much of the log stays (storage.md §2.7): one boundary interval behind the newest snapshot, so that a follower which lags
 * a little is given no snapshot, and what follows a snapshot that a member is pulling, so that it finds its next entry here
 * when it has it. Up to a bound: a member that never gets to the end must not fill everybody's disk, and pulls a newer
 * snapshot instead.
 */
export class RetainedLog {
  private readonly ports: RetainedLogPorts
  /** Snapshots whose entries are here from the next one on, oldest first; the newest snapshot is the last. */
  private kept: readonly LogIndex[] = [logIndex(0)]
  /** The log's bytes as they were at the last boundary. */
  private bytesAtBoundary = 0

  constructor(ports: RetainedLogPorts) {
    this.ports = ports
  }

  /** The log since the last boundary takes more than an interval may. */
  get isLong(): boolean {
    const { log, intervalBytes } = this.ports
    const bytes = intervalBytes()
    return log.stats.bytes - this.bytesAtBoundary > Math.max(INTERVAL_ON_DISK * bytes, bytes + SHORT_INTERVAL_BYTES)
  }

  /** The snapshot at that index is the newest, whatever was before: it was loaded or installed. 0: there is none. */
  begin(index: LogIndex): void {
    const { log } = this.ports
    this.kept = index > 0 ? [logIndex(0), index] : [logIndex(0)]
    // Too much by the segments that are needed in part: one boundary comes early.
    this.bytesAtBoundary = log.stats.bytes - log.diskBytesAbove(index)
  }

  /** A boundary is reached: its snapshot will be written. */
  boundary(): void {
    this.bytesAtBoundary = this.ports.log.stats.bytes
    this.discard()
  }

  /** The snapshot at that index is on disk. */
  written(index: LogIndex): void {
    this.kept = [...this.kept, index]
    this.discard()
  }

  private discard(): void {
    const { log, letGo } = this.ports
    const before = this.kept[0] ?? logIndex(0)
    const upTo = this.discardable()
    if (upTo <= before) return
    this.kept = this.kept.filter((index) => index >= upTo)
    letGo(upTo)
    log.discardUpTo(upTo)
  }

  private discardable(): LogIndex {
    const { log, pulled, intervalBytes } = this.ports
    const newest = this.kept.at(-1) ?? logIndex(0)
    const previous = this.kept.at(-2) ?? newest
    const wanted = Math.min(pulled() ?? previous, previous)
    const least = pulled() === null ? SHORT_KEPT_BYTES : PULLED_BYTES
    const bytesMax = Math.max(KEPT_INTERVALS * intervalBytes(), least)
    return this.kept.find((index) => index >= wanted && log.diskBytesAbove(index) <= bytesMax) ?? newest
  }
}
