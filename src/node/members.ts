import type { LogIndex, NodeId } from '../base/brand.ts'
import type { ConfigurationPayload, Member } from '../codec/entry/payload.ts'

interface Known {
  readonly index: LogIndex
  readonly payload: ConfigurationPayload
  readonly bytes: Uint8Array
}

/**
 * Who the members are, as the newest Configuration in the log says, applied or not (thesis §4.1): addresses and the
 * instance ids that bind a node id to one data directory. Rolled back with the log.
 */
export class Members {
  private stack: readonly Known[] = []

  get newest(): ConfigurationPayload | null {
    return this.stack[this.stack.length - 1]?.payload ?? null
  }

  /** The newest one at or below an index: what a snapshot there must hold. */
  at(index: LogIndex): Known | null {
    return this.stack.filter((known) => known.index <= index).at(-1) ?? null
  }

  add(index: LogIndex, payload: ConfigurationPayload, bytes: Uint8Array): void {
    this.stack = [...this.stack.filter((known) => known.index < index), { index, payload, bytes }]
  }

  truncateFrom(index: LogIndex): void {
    if (this.stack.some((known) => known.index >= index)) {
      this.stack = this.stack.filter((known) => known.index < index)
    }
  }

  member(id: NodeId): Member | null {
    const newest = this.newest
    if (newest === null) return null
    return (
      newest.voters.find((member) => member.id === id) ?? newest.learners.find((member) => member.id === id) ?? null
    )
  }
}
