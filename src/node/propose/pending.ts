import type { Reply } from '../../session/state-machine.ts'
import type { ProposalSink } from '../api.ts'

/** Proposals of this leader that were appended and wait to be applied, by log index. */
export class Pending {
  private readonly sinks = new Map<number, ProposalSink>()

  get size(): number {
    return this.sinks.size
  }

  /** A proposal was appended at `index`; its sink hears so. */
  add(index: number, sink: ProposalSink): void {
    this.sinks.set(index, sink)
    sink.appended?.(index)
  }

  /**
   * The entry at this index was applied. By index alone: an entry of another term can take the place of a waiting one
   * only after a truncation, which has called `abort` first.
   */
  settle(index: number, reply: Reply, now: number): void {
    const sink = this.sinks.get(index)
    if (sink === undefined) return
    this.sinks.delete(index)
    sink.settled(reply, index, now)
  }

  /**
   * Entries from this index on were truncated here. Their outcome stays unknown: another node may hold a copy and still
   * win an election with it (paper §5.4.2, figure 8).
   */
  abort(from: number): void {
    for (const [index, sink] of [...this.sinks]) {
      if (index < from) continue
      this.sinks.delete(index)
      sink.lost()
    }
  }

  /** Leadership is gone or the node closes: nobody waits here any longer. */
  abortAll(): void {
    this.abort(0)
  }
}
