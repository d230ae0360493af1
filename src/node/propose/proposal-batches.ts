import type { DriverOptions } from '../options.ts'
import { PROPOSE_BYTES_MAX, PROPOSE_COUNT_MAX } from '../options.ts'
import type { NodeEvent } from '../api.ts'
import type { LogIndex, NodeId } from '../../base/brand.ts'
import { type RaftState, transferOf } from '../../raft/index.ts'
import type { Proposal, Proposals } from './proposals.ts'
import { SlowStages } from './slow-stages.ts'

export interface ProposalBatchesPorts {
  readonly proposals: Proposals
  /** One step of the core, which appends or refuses them. */
  propose(proposed: readonly Proposal[]): void
  /** The node stops: nothing more is proposed. */
  stopped(): boolean
  raft(): RaftState
  applied(): LogIndex
  leader(): NodeId | null
  note(event: NodeEvent): void
}

/** What a turn has gathered is proposed in batches, each one log write, unless the disk hangs. */
export class ProposalBatches {
  private readonly options: Pick<DriverOptions, 'log' | 'raft' | 'clock'>
  private readonly ports: ProposalBatchesPorts
  private readonly slow: SlowStages
  /** What there is to propose waits for the end of a transfer, which brings the next turn. */
  wait = false

  constructor(options: Pick<DriverOptions, 'log' | 'raft' | 'clock'>, ports: ProposalBatchesPorts) {
    this.options = options
    this.ports = ports
    this.slow = new SlowStages(options, (event) => ports.note(event))
  }

  /** Proposes what waits now; what sinks submit when they are refused waits for the next turn. */
  flush(): void {
    const { log, raft } = this.options
    const { proposals, propose, stopped, raft: state, leader } = this.ports
    const writeAgeMs = log.oldestWriteAgeMs()
    this.slow.look({ writeAgeMs, raft: this.ports.raft(), applied: this.ports.applied() })
    // A log write hangs: nothing proposed now would be answered soon (raft.md §5).
    if (writeAgeMs > raft.electionTimeoutMaxMs) proposals.refuse('STORAGE_STALLED', leader())
    // While leadership is handed over nothing is proposed. Whoever waits is proposed when this node goes on leading, or told
    // NOT_LEADER: at most a minimum election timeout later, and where it defers to an earlier lease, after that.
    this.wait = transferOf(state()) !== null
    if (this.wait) return
    for (let left = proposals.count; left > 0 && !stopped(); ) {
      const proposed = proposals.take({ countMax: Math.min(left, PROPOSE_COUNT_MAX), bytesMax: PROPOSE_BYTES_MAX })
      left -= proposed.length
      propose(proposed)
      proposals.release()
    }
  }
}
