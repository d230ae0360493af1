import type { EntryKind } from '../codec/types.ts'
import type { ProposalSink } from './api.ts'

/** One entry that waits for the end of the turn. */
export interface Proposal {
  readonly kind: EntryKind
  readonly start: number
  readonly length: number
  readonly sink: ProposalSink | null
}

/** What one event-loop turn proposes: payloads copied back to back into one buffer, so that a batch allocates nothing per entry. */
export class Proposals {
  private buffer = Buffer.allocUnsafe(64 * 1024)
  private used = 0
  private list: Proposal[] = []

  get count(): number {
    return this.list.length
  }

  get bytes(): number {
    return this.used
  }

  add(kind: EntryKind, payload: Uint8Array, sink: ProposalSink | null): void {
    this.reserve(payload.length)
    this.buffer.set(payload, this.used)
    this.list.push({ kind, start: this.used, length: payload.length, sink })
    this.used += payload.length
  }

  payload(proposal: Proposal): Uint8Array {
    return this.buffer.subarray(proposal.start, proposal.start + proposal.length)
  }

  /** The first proposals up to the bounds; at least one. They stay until `drop`. */
  batch(bounds: { countMax: number; bytesMax: number }): readonly Proposal[] {
    let bytes = 0
    let count = 0
    for (const proposal of this.list) {
      bytes += proposal.length
      if (count > 0 && (count >= bounds.countMax || bytes > bounds.bytesMax)) break
      count += 1
    }
    return count === this.list.length ? this.list : this.list.slice(0, count)
  }

  /** Forgets the first `count` proposals; the buffer starts over once it is empty. */
  drop(count: number): void {
    this.list = count === this.list.length ? [] : this.list.slice(count)
    if (this.list.length === 0) this.used = 0
  }

  private reserve(length: number): void {
    if (this.used + length <= this.buffer.length) return
    const grown = Buffer.allocUnsafe(Math.max(this.buffer.length * 2, this.used + length))
    grown.set(this.buffer.subarray(0, this.used))
    this.buffer = grown
  }
}
