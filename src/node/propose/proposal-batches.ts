import type { DriverOptions } from '../options.ts'
import { PROPOSE_BYTES_MAX, PROPOSE_COUNT_MAX } from '../options.ts'
import type { NodeEvent } from '../api.ts'
import type { NodeId } from '../../base/brand.ts'
import type { Proposal, Proposals } from './proposals.ts'

export interface ProposalBatchesPorts {
  readonly proposals: Proposals
  /** One step of the core, which appends or refuses them. */
  propose(proposed: readonly Proposal[]): void
  /** The node stops: nothing more is proposed. */
  stopped(): boolean
  /** Leadership is being handed over: nothing is proposed until that has ended, one way or the other. */
  transferring(): boolean
  leader(): NodeId | null
  note(event: NodeEvent): void
}

/** What a turn has gathered is proposed in batches, each one log write, unless the disk hangs. */
export class ProposalBatches {
  private readonly options: Pick<DriverOptions, 'log' | 'raft'>
  private readonly ports: ProposalBatchesPorts
  /** The last turn found a log write that takes long (`diskSlow`). */
  private diskIsSlow = false
  /** What there is to propose waits for the end of a transfer, which brings the next turn. */
  wait = false

  constructor(options: Pick<DriverOptions, 'log' | 'raft'>, ports: ProposalBatchesPorts) {
    this.options = options
    this.ports = ports
  }

  /** Proposes what waits now; what sinks submit when they are refused waits for the next turn. */
  flush(): void {
    const { log, raft } = this.options
    const { proposals, propose, stopped, transferring, leader } = this.ports
    const writeAgeMs = log.oldestWriteAgeMs()
    this.noteSlowDisk(writeAgeMs)
    // A log write hangs: nothing proposed now would be answered soon (raft.md §5).
    if (writeAgeMs > raft.electionTimeoutMaxMs) proposals.refuse('STORAGE_STALLED', leader())
    // Whoever waits is proposed when this node goes on leading, or told NOT_LEADER: at most a minimum election timeout
    // later, and where it defers to an earlier lease, after that.
    this.wait = transferring()
    if (this.wait) return
    for (let left = proposals.count; left > 0 && !stopped(); ) {
      const proposed = proposals.take({ countMax: Math.min(left, PROPOSE_COUNT_MAX), bytesMax: PROPOSE_BYTES_MAX })
      left -= proposed.length
      propose(proposed)
      proposals.release()
    }
  }

  /** Told once, until a turn finds no write that old. */
  private noteSlowDisk(writeAgeMs: number): void {
    const slow = writeAgeMs > this.options.raft.electionTimeoutMinMs
    if (slow && !this.diskIsSlow) this.ports.note({ kind: 'diskSlow', writeAgeMs })
    this.diskIsSlow = slow
  }
}
