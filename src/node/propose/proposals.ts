import type { NodeId } from '../../base/brand.ts'
import { ENTRY_HEADER_BYTES } from '../../codec/entry/record.ts'
import type { EntryKind } from '../../codec/entry/entry.ts'
import type { RaftEvent } from '../../raft/types.ts'
import type { ProposalSink, SubmitRefusal } from '../api.ts'

/** One entry that waits for the end of the turn. */
export interface Proposal {
  readonly kind: EntryKind
  readonly start: number
  readonly length: number
  readonly sink: ProposalSink | null
}

const BUFFER_BYTES = 64 * 1024
/** A buffer that a burst made larger than this is let go once it is empty. */
const BUFFER_KEPT_BYTES = 4 * 1024 * 1024

/**
 * What one event-loop turn proposes: payloads copied back to back into one buffer, so that a batch allocates nothing
 * per entry.
 */
export class Proposals {
  private buffer = Buffer.allocUnsafe(BUFFER_BYTES)
  private used = 0
  private list: Proposal[] = []

  get count(): number {
    return this.list.length
  }

  /** Bytes that the buffer takes up. */
  get capacity(): number {
    return this.buffer.length
  }

  add(kind: EntryKind, payload: Uint8Array, sink: ProposalSink | null): void {
    this.reserve(payload.length)
    this.buffer.set(payload, this.used)
    this.list.push({ kind, start: this.used, length: payload.length, sink })
    this.used += payload.length
  }

  /** Payload of a proposal that was taken; valid until `release`. */
  payload(proposal: Proposal): Uint8Array {
    return this.buffer.subarray(proposal.start, proposal.start + proposal.length)
  }

  /**
   * Takes out the first proposals up to the bounds; at least one. Whoever takes them tells their sinks: what a sink
   * submits meanwhile waits for the next batch.
   */
  take(bounds: { countMax: number; bytesMax: number }): readonly Proposal[] {
    let bytes = 0
    let count = 0
    for (const proposal of this.list) {
      bytes += proposal.length
      if (count > 0 && (count >= bounds.countMax || bytes > bounds.bytesMax)) break
      count += 1
    }
    const taken = count === this.list.length ? this.list : this.list.slice(0, count)
    this.list = count === this.list.length ? [] : this.list.slice(count)
    return taken
  }

  /** The payloads taken so far are no longer needed; the buffer starts over once nothing waits. */
  release(): void {
    if (this.list.length > 0) return
    this.used = 0
    if (this.buffer.length > BUFFER_KEPT_BYTES) this.buffer = Buffer.allocUnsafe(BUFFER_BYTES)
  }

  /** Refuses everything that waits now. */
  refuse(code: SubmitRefusal, leader: NodeId | null): void {
    const refused = this.list
    this.list = []
    this.release()
    for (const { sink } of refused) sink?.refused(code, leader)
  }

  private reserve(length: number): void {
    if (this.used + length <= this.buffer.length) return
    const grown = Buffer.allocUnsafe(Math.max(this.buffer.length * 2, this.used + length))
    grown.set(this.buffer.subarray(0, this.used))
    this.buffer = grown
  }
}

/** Bytes of the records that these proposals become. */
export function recordBytesOf(proposals: readonly Proposal[]): number {
  return proposals.reduce((sum, proposal) => sum + ENTRY_HEADER_BYTES + proposal.length, 0)
}

/** The event that has them appended. A SkipEntry comes by itself, from a leader that has halted. PERF: the first says it. */
export function proposalOf(proposals: readonly Proposal[]): Extract<RaftEvent, { kind: 'propose' }> {
  const whileHalted = proposals[0]?.kind === 'SkipEntry'
  return { kind: 'propose', count: proposals.length, bytes: recordBytesOf(proposals), whileHalted }
}
