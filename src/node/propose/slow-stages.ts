import type { LogIndex, Millis } from '../../base/brand.ts'
import { role, type RaftState } from '../../raft/index.ts'
import type { NodeEvent } from '../api.ts'
import type { DriverOptions } from '../options.ts'

/**
 * Which stage holds commands up (storage.md §5): the log's write, the other voters, or the machine. Each is told once, and
 * again only after it went on. PERF: a few comparisons per turn, nothing per command.
 */
export class SlowStages {
  private readonly options: Pick<DriverOptions, 'log' | 'raft' | 'clock'>
  private readonly note: (event: NodeEvent) => void
  /** The last turn found a log write that takes long. */
  private diskIsSlow = false
  private readonly commit = new Mark()
  private readonly apply = new Mark()

  constructor(options: Pick<DriverOptions, 'log' | 'raft' | 'clock'>, note: (event: NodeEvent) => void) {
    this.options = options
    this.note = note
  }

  /** Once per turn. */
  look({ writeAgeMs, raft, applied }: { writeAgeMs: Millis; raft: RaftState; applied: LogIndex }): void {
    const { log, clock, raft: limits } = this.options
    const slow = writeAgeMs > limits.electionTimeoutMinMs
    if (slow && !this.diskIsSlow) this.note({ kind: 'diskSlow', writeAgeMs, stage: log.oldestWriteStage() })
    this.diskIsSlow = slow
    const { commitIndex, disk } = raft
    const replicates = role(raft) === 'leader' && disk.durableIndex > commitIndex
    if (!replicates && applied >= commitIndex) {
      this.commit.waits = false
      this.apply.waits = false
      return
    }
    const bound = { nowMs: clock.monotonicMs(), boundMs: limits.electionTimeoutMinMs }
    this.tell('replicate', commitIndex, this.commit.stuck(replicates, commitIndex, bound))
    this.tell('apply', applied, this.apply.stuck(applied < commitIndex, applied, bound))
  }

  private tell(stage: 'replicate' | 'apply', index: LogIndex, waitedMs: Millis): void {
    if (waitedMs > 0) this.note({ kind: 'progressSlow', stage, index, waitedMs })
  }
}

/** An index that ought to rise, and since when it has not. */
class Mark {
  /** Something waits for it to rise. */
  waits = false
  private index = 0
  private since: Millis = 0
  private told = false

  /** Ms for which it has not risen while something waited, once that is beyond the bound; else 0. */
  stuck(waits: boolean, index: LogIndex, { nowMs, boundMs }: { nowMs: Millis; boundMs: Millis }): Millis {
    const begins = waits && (!this.waits || index !== this.index)
    this.waits = waits
    if (!waits) return 0
    if (begins) {
      this.index = index
      this.since = nowMs
      this.told = false
      return 0
    }
    const waitedMs = nowMs - this.since
    if (this.told || waitedMs <= boundMs) return 0
    this.told = true
    return waitedMs
  }
}
