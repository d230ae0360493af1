import type { TransferOutcome } from '../../raft/types.ts'

type Told = (outcome: TransferOutcome) => void

/** Who waits to hear what became of a transfer of leadership. Several may wait for one and the same. */
export class LeaderTransfers {
  /** Asked for, in order; the core has not been told. */
  private readonly asked: Told[] = []
  private readonly waiting: Told[] = []
  private stopped = false

  /** False: the node has stopped, and that is told. */
  ask(done: Told): boolean {
    if (this.stopped) done('notLeader')
    else this.asked.push(done)
    return !this.stopped
  }

  /** The core is told of the oldest one now. */
  begin(): void {
    const done = this.asked.shift()
    if (done !== undefined) this.waiting.push(done)
  }

  /** A refusal is for whoever asked last, in this very step; an end is for all who wait. */
  ended(outcome: TransferOutcome): void {
    const all = outcome === 'handedOver' || outcome === 'timedOut'
    for (const done of this.waiting.splice(all ? 0 : -1)) done(outcome)
  }

  /** The node stops: it leads no more. */
  stop(): void {
    this.stopped = true
    for (const done of [...this.asked.splice(0), ...this.waiting.splice(0)]) done('notLeader')
  }
}
